// SIGINT, SIGTERM and SIGHUP: the first one asks for an orderly end; a second SIGINT or SIGTERM ends the
// process at once. A terminal that goes away may send SIGHUP twice, so a second SIGHUP never does. Where a
// certificate is served, SIGHUP instead asks for it to be reloaded and ends nothing. SIGUSR1 asks for
// snapshots.
//
// SAFETY: the set of signals is a local variable.

import Glibc
import Synchronization

private let stopSignal = Atomic<Int32>(0)
private let savingIsAsked = Atomic<Bool>(false)
private let reloadCount = Atomic<Int>(0)

/// The signals that ask a command to end, to reload or to save.
enum StopSignals {
    /// From here on the signals no longer kill; SIGPIPE is ignored. A SIGHUP that was ignored when the
    /// process started, as `nohup` arranges, stays ignored.
    ///
    /// - Parameter reloads: whether SIGHUP asks for a reload, even if it was ignored before.
    static func install(reloads: Bool = false) {
        for number in [SIGINT, SIGTERM] {
            _ = signal(number) { number in
                if stopSignal.exchange(number, ordering: .relaxed) != 0 { _exit(128 + number) }
            }
        }
        if reloads {
            _ = signal(SIGHUP) { _ in reloadCount.add(1, ordering: .relaxed) }
        } else if !isIgnored(SIGHUP) {
            _ = signal(SIGHUP) { number in
                _ = stopSignal.compareExchange(
                    expected: 0, desired: number, ordering: .relaxed)
            }
        }
        _ = signal(SIGUSR1) { _ in savingIsAsked.store(true, ordering: .relaxed) }
        _ = signal(SIGPIPE, SIG_IGN)
        unblock()
    }

    /// Unblocks the signals, in case the parent process had blocked them.
    private static func unblock() {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGUSR1] { unsafe sigaddset(&signals, number) }
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Whether a signal to end has arrived.
    static var isRaised: Bool { stopSignal.load(ordering: .relaxed) != 0 }

    /// Whether somebody has asked for snapshots since the last call.
    static func takeSaving() -> Bool { savingIsAsked.exchange(false, ordering: .relaxed) }

    /// Whether a reload was asked for since the last call.
    static func takeReload() -> Bool { reloadCount.exchange(0, ordering: .relaxed) > 0 }

    /// Whether the process ignores a signal, as the system reports it.
    private static func isIgnored(_ number: Int32) -> Bool {
        guard let bytes = contents(ofFile: "/proc/self/status", bytesMax: 1 << 16) else { return false }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix("SigIgn:") {
            let digits = line.dropFirst(7).drop { $0 == "\t" || $0 == " " }
            guard let mask = UInt64(digits, radix: 16) else { return false }
            return mask >> UInt64(number - 1) & 1 == 1
        }
        return false
    }
}
