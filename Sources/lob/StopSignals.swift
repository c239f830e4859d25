// SIGINT and SIGTERM: the first asks for an orderly end, the second ends the process at once.

import Glibc
import Synchronization

private let stopSignal = Atomic<Int32>(0)

/// The signals that ask a command to end.
enum StopSignals {
    /// From here on they no longer kill; SIGPIPE is ignored.
    static func install() {
        for number in [SIGINT, SIGTERM] {
            _ = signal(number) { number in
                if stopSignal.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Whether one has come.
    static var isRaised: Bool { stopSignal.load(ordering: .relaxed) != 0 }
}
