// Compresses a stream of bytes as gzip, in memory: when zlib writes to a file itself, it heeds neither a stop
// nor a full pipe.
//
// SAFETY: owns zlib's state, which must not move, and frees it once; zlib is given arrays during its calls.

import CLobZlib

/// Makes one gzip file. Used by one thread at a time.
@safe
final class GzipPacker {
    /// The fastest one.
    private static let level: Int32 = 1
    /// The largest window, with the frame of gzip.
    private static let windowBits: Int32 = 15 + 16
    private static let memoryLevel: Int32 = 8

    private let stream: UnsafeMutablePointer<z_stream>
    private var room = [UInt8](repeating: 0, count: 1 << 16)

    /// Nil without memory.
    init?() {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let result = unsafe deflateInit2_(
            stream, GzipPacker.level, Z_DEFLATED, GzipPacker.windowBits, GzipPacker.memoryLevel,
            Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        if result != Z_OK {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// What the file contains more, now that these bytes are added to it.
    ///
    /// - Parameters:
    ///   - bytes: at most 4 GiB.
    ///   - isLast: whether they are the last ones.
    func pack(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var bytes = bytes
        var packed: [UInt8] = []
        unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe stream.pointee.next_in = bytes.baseAddress
            unsafe stream.pointee.avail_in = UInt32(bytes.count)
            var isFull = true
            while isFull {
                let count = unsafe room.withUnsafeMutableBufferPointer { room in
                    unsafe stream.pointee.next_out = room.baseAddress
                    unsafe stream.pointee.avail_out = UInt32(room.count)
                    // It fails only if called wrongly.
                    unsafe deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    return unsafe room.count - Int(stream.pointee.avail_out)
                }
                packed += room[..<count]
                isFull = count == room.count
            }
        }
        return packed
    }
}
