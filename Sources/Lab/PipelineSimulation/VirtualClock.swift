// The clocks and timers of the client's machine, in virtual time.
//
// A timer fires a microsecond after it was set at the earliest, so that nothing fires inside the call that
// set it, and a step comes to an end.

import DepthFeed

/// Virtual time, with a wall clock that can be set.
final class VirtualClock: ShellClock {
    private struct Timer {
        var dueUs: Int64
        var name: ShellTimer
        var action: () -> Void
    }

    /// The venue's time.
    var nowUs: Int64
    /// Wall clock minus time.
    var offsetUs: Int64 = 0
    /// In the order in which they fire.
    private var timers: [Timer] = []
    private var lastNumber: UInt64 = 0

    /// When the machine was started; any early time will do.
    private let zeroUs: Int64

    init(nowUs: Int64) {
        self.nowUs = nowUs
        zeroUs = nowUs - 1_000_000_000
    }

    var realtimeNs: Int64 { wallNs(nowUs) }

    var monotonicNs: UInt64 { UInt64(nowUs - zeroUs) * 1000 }

    /// The wall-clock time at a venue time.
    func wallNs(_ timeUs: Int64) -> Int64 { (timeUs + offsetUs) * 1000 }

    func alarm(afterNs delayNs: UInt64, _ action: @escaping () -> Void) -> ShellTimer {
        let delayUs = Int64(clamping: delayNs / 1000 + (delayNs % 1000 == 0 ? 0 : 1))
        let (dueUs, overflow) = nowUs.addingReportingOverflow(max(delayUs, 1))
        return alarm(atUs: overflow ? .max : dueUs, action)
    }

    /// Calls `action` at a time; a time in the past means in a microsecond.
    @discardableResult
    func alarm(atUs dueUs: Int64, _ action: @escaping () -> Void) -> ShellTimer {
        lastNumber += 1
        let timer = Timer(dueUs: max(dueUs, nowUs + 1), name: ShellTimer(number: lastNumber), action: action)
        let place = timers.lastIndex { $0.dueUs <= timer.dueUs }.map { $0 + 1 } ?? 0
        timers.insert(timer, at: place)
        return timer.name
    }

    func cancel(_ timer: ShellTimer) { timers.removeAll { $0.name == timer } }

    /// Forgets all timers.
    func removeAll() { timers = [] }

    /// When the next timer fires.
    var nextUs: Int64 { timers.first?.dueUs ?? .max }

    /// Fires the timers that are due.
    func turn() {
        while let first = timers.first, first.dueUs <= nowUs {
            timers.removeFirst()
            first.action()
        }
    }
}
