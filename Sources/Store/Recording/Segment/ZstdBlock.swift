// Compresses and decompresses single blocks with zstd. On this traffic level 1 is smaller than levels 2 to 4
// and as small as 5; level 9 takes eight times its time and is a tenth smaller.
//
// SAFETY: owns its contexts and frees each once; the library writes into arrays of the length it is given,
// and a compressed block's claimed length is compared with the caller's limit before room is made for it.

import CLobZstd

/// A compressor and decompressor of blocks. Used by one thread at a time.
@safe
package final class ZstdBlock {
    /// For what must keep pace with a feed.
    package static let fastLevel: Int32 = 1
    /// For what is written once, by nobody who waits.
    package static let thoroughLevel: Int32 = 9

    private let level: Int32
    private let packer: OpaquePointer
    private let unpacker: OpaquePointer

    /// Creates one; nil if there is no memory.
    package init?(level: Int32 = ZstdBlock.fastLevel) {
        guard let packer = unsafe ZSTD_createCCtx() else { return nil }
        guard let unpacker = unsafe ZSTD_createDCtx() else {
            unsafe ZSTD_freeCCtx(packer)
            return nil
        }
        self.level = level
        unsafe (self.packer, self.unpacker) = unsafe (packer, unpacker)
    }

    deinit {
        unsafe ZSTD_freeCCtx(packer)
        unsafe ZSTD_freeDCtx(unpacker)
    }

    /// The bytes compressed as one frame; nil if the library fails.
    package func pack(_ raw: [UInt8]) -> [UInt8]? {
        var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(raw.count))
        let length = unsafe packed.withUnsafeMutableBytes { room in
            unsafe raw.withUnsafeBytes { bytes in
                unsafe ZSTD_compressCCtx(
                    packer, room.baseAddress, room.count, bytes.baseAddress, bytes.count, level)
            }
        }
        if ZSTD_isError(length) != 0 { return nil }
        packed.removeLast(packed.count - length)
        return packed
    }

    /// The bytes of one compressed frame.
    ///
    /// - Parameters:
    ///   - packed: the frame.
    ///   - length: its uncompressed length; bounded by the caller.
    ///   - zeros: how many zeros are to follow.
    /// - Returns: nil if it is damaged or of another length.
    package func unpack(_ packed: [UInt8], length: Int, zeros: Int = 0) -> [UInt8]? {
        let claimed = unsafe packed.withUnsafeBytes { bytes in
            unsafe ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        }
        if length < 0 || claimed != UInt64(length) { return nil }
        var got = 0
        let raw = unsafe [UInt8](unsafeUninitializedCapacity: length + zeros) { room, count in
            got = unsafe packed.withUnsafeBytes { bytes in
                unsafe ZSTD_decompressDCtx(
                    unpacker, room.baseAddress, length, bytes.baseAddress, bytes.count)
            }
            if ZSTD_isError(got) != 0 || got != length { return }
            for index in length..<(length + zeros) { unsafe room.initializeElement(at: index, to: 0) }
            count = length + zeros
        }
        return ZSTD_isError(got) != 0 || got != length ? nil : raw
    }
}
