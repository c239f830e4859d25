// Results on standard output. What cannot be written is noticed: the command then ends with exit status 1.
// A reader that has seen enough and closed its end is no failure.
//
// SAFETY: bytes are written inside the closure that lends them.

import Glibc
import Synchronization

private let outputFailure = Atomic<Int32>(0)

/// Where results go.
enum Output {
    /// Writes a line of results.
    static func write(_ line: String) {
        if outputFailure.load(ordering: .relaxed) != 0 { return }
        let bytes = Array((line + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(1, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 {
                outputFailure.store(count < 0 ? errno : EIO, ordering: .relaxed)
                return
            }
            written += count
        }
    }

    /// Why results could not be written; nil if all were, or if nobody wanted more of them.
    static var failure: String? {
        let number = outputFailure.load(ordering: .relaxed)
        if number == 0 || number == EPIPE { return nil }
        return unsafe String(cString: strerror(number))
    }
}

/// Writes a line of results: in this module nothing goes to standard output unnoticed.
func print(_ line: String) { Output.write(line) }
