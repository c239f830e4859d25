// A zstd file as a stream of bytes: any number of frames in sequence.
//
// SAFETY: owns the descriptor and the decoder and frees each once; the decoder writes into the caller's
// memory, never beyond the given count, and reads from `input`, never beyond `inputCount`.

import CLobZstd
import Glibc

/// An open zstd file.
@safe
final class ZstdFile {
    private let descriptor: Int32
    private let decoder: OpaquePointer
    private var input = [UInt8](repeating: 0, count: ZSTD_DStreamInSize())
    private var inputAt = 0
    private var inputCount = 0
    private var isInsideFrame = false
    private var damage: String?
    /// Bytes of the file consumed so far.
    private(set) var consumedBytes = 0

    /// Takes over an open descriptor; nil if there is no memory for a decoder.
    init?(descriptor: Int32) {
        guard let decoder = unsafe ZSTD_createDStream() else { return nil }
        self.descriptor = descriptor
        unsafe self.decoder = unsafe decoder
    }

    deinit {
        unsafe ZSTD_freeDStream(decoder)
        close(descriptor)
    }

    /// Reads up to `count` bytes; 0 at the end, nil with a reason if the file is damaged.
    func read(into room: UnsafeMutableRawPointer, count: Int) -> (count: Int?, reason: String) {
        if let damage { return (nil, damage) }
        var output = unsafe ZSTD_outBuffer(dst: room, size: count, pos: 0)
        while unsafe output.pos < output.size {
            if inputAt == inputCount {
                let got = unsafe Glibc.read(descriptor, &input, input.count)
                if got < 0 && errno == EINTR { continue }
                if got < 0 { return unsafe (nil, String(cString: strerror(errno))) }
                if unsafe got == 0 && output.pos == 0 && isInsideFrame {
                    return (nil, "unexpected end of file")
                }
                if got == 0 { break }
                inputAt = 0
                inputCount = got
                consumedBytes += got
            }
            let outcome = unsafe input.withUnsafeBytes { bytes in
                var buffer = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: inputCount, pos: inputAt)
                let hint = unsafe ZSTD_decompressStream(decoder, &output, &buffer)
                inputAt = unsafe buffer.pos
                return hint
            }
            if ZSTD_isError(outcome) != 0 {
                let reason = unsafe String(cString: ZSTD_getErrorName(outcome))
                damage = reason
                return unsafe output.pos > 0 ? (output.pos, "") : (nil, reason)
            }
            isInsideFrame = outcome != 0
        }
        return unsafe (output.pos, "")
    }
}
