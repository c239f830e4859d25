// A gzip file as a stream of bytes: any number of members, one after the other. Zeros after the last one are
// padding; anything else there is not gzip and is reported, while zlib's own reader silently ignores it.
//
// SAFETY: owns the descriptor and the state of the decoder and frees each once; the decoder writes into
// memory the caller owns, never beyond the given count, and reads from `input`, never beyond `inputCount`.

import CLobZlib
import Glibc

/// An open gzip file.
@safe
final class GzipFile {
    private let descriptor: Int32
    /// Never moves: the decoder remembers the address of its state.
    private let stream: UnsafeMutablePointer<z_stream>
    private var input = [UInt8](repeating: 0, count: 1 << 17)
    private var inputAt = 0
    private var inputCount = 0
    private var isAtEnd = false
    /// Where the decoder is within its member.
    private var place = Place.begins
    private var damage: String?
    /// Bytes of the file consumed so far.
    private(set) var consumedBytes = 0

    private enum Place {
        /// Before the first member.
        case begins
        /// Inside one.
        case inside
        /// After one.
        case behind
        /// In the zeros after the last one.
        case padding
    }

    /// Takes over an open descriptor; nil if there is no memory for a decoder.
    init?(descriptor: Int32) {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // A window of 15 bits; 16 more stands for a gzip header.
        if unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) != Z_OK {
            unsafe stream.deallocate()
            return nil
        }
        self.descriptor = descriptor
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        close(descriptor)
    }

    /// Reads up to `count` bytes; 0 at the end, nil with a reason if the file is damaged.
    func read(into room: UnsafeMutableRawPointer, count: Int) -> (count: Int?, reason: String) {
        if let damage { return (nil, damage) }
        var got = 0
        while got < count {
            if inputAt == inputCount, !isAtEnd, let reason = refill() {
                return stop(reason, got)
            }
            if inputAt == inputCount {
                if place == .inside || place == .begins { return stop("unexpected end of file", got) }
                break
            }
            if place == .behind || place == .padding {
                if let reason = beginMember() { return stop(reason, got) }
                continue
            }
            switch unsafe decode(into: room + got, count: count - got) {
            case .success(let step): got += step
            case .failure(let error): return stop(error.reason, got)
            }
        }
        return (got, "")
    }

    /// What was decoded before the damage is returned first.
    private func stop(_ reason: String, _ got: Int) -> (count: Int?, reason: String) {
        damage = reason
        return got > 0 ? (got, "") : (nil, reason)
    }

    /// Reads more of the file; returns the reason if the system refuses.
    private func refill() -> String? {
        while true {
            let got = unsafe Glibc.read(descriptor, &input, input.count)
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return unsafe String(cString: strerror(errno)) }
            (inputAt, inputCount, isAtEnd) = (0, got, got == 0)
            consumedBytes += got
            return nil
        }
    }

    /// Examines what follows a member; returns the reason if it is neither another member nor padding.
    private func beginMember() -> String? {
        if input[inputAt] == 0x1F && place == .behind {
            place = .begins
            return unsafe inflateReset(stream) == Z_OK ? nil : "no memory"
        }
        if input[inputAt] != 0 { return "what follows the gzip is none: unpack it and put it together again" }
        place = .padding
        inputAt += 1
        return nil
    }

    private struct Failure: Error {
        var reason: String
    }

    private func decode(into room: UnsafeMutableRawPointer, count: Int) -> Result<Int, Failure> {
        let step = min(count, 1 << 30)
        let (outcome, used, made) = unsafe input.withUnsafeMutableBufferPointer { bytes in
            unsafe stream.pointee.next_in = bytes.baseAddress! + inputAt
            unsafe stream.pointee.avail_in = UInt32(inputCount - inputAt)
            unsafe stream.pointee.next_out = room.assumingMemoryBound(to: UInt8.self)
            unsafe stream.pointee.avail_out = UInt32(step)
            let outcome = unsafe inflate(stream, Z_NO_FLUSH)
            return unsafe (
                outcome, inputCount - inputAt - Int(stream.pointee.avail_in),
                step - Int(stream.pointee.avail_out)
            )
        }
        inputAt += used
        switch outcome {
        case Z_STREAM_END: place = .behind
        case Z_OK, Z_BUF_ERROR: place = .inside
        default:
            let text = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
            if made > 0 {
                damage = text ?? "invalid data"
                return .success(made)
            }
            return .failure(Failure(reason: text ?? "invalid data"))
        }
        return .success(made)
    }
}
