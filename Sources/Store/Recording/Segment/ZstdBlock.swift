// Compresses and decompresses single blocks with zstd, level 1: on this traffic it beats the higher levels up
// to 8.
//
// SAFETY: owns its contexts and frees each once; the library writes into arrays of the length it is given,
// and a compressed block's claimed length is compared with the caller's limit before room is made for it.

import CLobZstd

/// A compressor and decompressor of blocks. Used by one thread at a time.
@safe
package final class ZstdBlock {
    private static let level: Int32 = 1

    private let packer: OpaquePointer
    private let unpacker: OpaquePointer

    /// Creates one; nil if there is no memory.
    package init?() {
        guard let packer = unsafe ZSTD_createCCtx() else { return nil }
        guard let unpacker = unsafe ZSTD_createDCtx() else {
            unsafe ZSTD_freeCCtx(packer)
            return nil
        }
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
                    packer, room.baseAddress, room.count, bytes.baseAddress, bytes.count, ZstdBlock.level)
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
    /// - Returns: nil if it is damaged or of another length.
    package func unpack(_ packed: [UInt8], length: Int) -> [UInt8]? {
        let claimed = unsafe packed.withUnsafeBytes { bytes in
            unsafe ZSTD_getFrameContentSize(bytes.baseAddress, bytes.count)
        }
        if length < 0 || claimed != UInt64(length) { return nil }
        var raw = [UInt8](repeating: 0, count: length)
        let got = unsafe raw.withUnsafeMutableBytes { room in
            unsafe packed.withUnsafeBytes { bytes in
                unsafe ZSTD_decompressDCtx(
                    unpacker, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
            }
        }
        return ZSTD_isError(got) != 0 || got != length ? nil : raw
    }
}
