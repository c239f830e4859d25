// How long a thread was ready to run and had no CPU, because something else ran on it, as the kernel counts.
//
// Neither the number of its involuntary context switches nor the load average tells that: a kernel thread
// that runs for a microsecond is a switch too, and the load average is mostly the threads of the benchmark.

import Foundation

/// The wait of one thread for a CPU.
final class RunDelay {
    private let file: Int32
    private var text = [UInt8](repeating: 0, count: 80)

    /// Of the calling thread, which is the one to ask; it may be asked from any.
    init() { file = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC) }

    deinit { if file >= 0 { close(file) } }

    /// So far; nil where the kernel does not count it. Takes half a microsecond.
    func waitedNs() -> UInt64? {
        let length = file < 0 ? 0 : pread(file, &text, text.count, 0)
        if length <= 0 { return nil }
        // Time on a CPU, time waiting for one, number of times on one.
        let fields = text[..<length].split(separator: UInt8(ascii: " "))
        return fields.count < 2 ? nil : UInt64(String(decoding: fields[1], as: UTF8.self))
    }

    /// Since an earlier answer.
    func waitedNs(since start: UInt64?) -> UInt64? {
        guard let start, let now = waitedNs() else { return nil }
        return now - start
    }
}
