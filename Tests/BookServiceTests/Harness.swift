// How a case runs: on a thread of its own, because it waits. The few threads that run tests are shared with
// every other suite, and whoever sleeps on one of them stops somebody else; a thread of one's own may sleep.
//
// A case waits for conditions, never for a time alone, and says what it saw when a condition does not come.
// So many cases at once as `Gate` lets in.
//
// Limits are meant for a machine that has time. On one that has not, the time in which this process did not
// get to run does not count: `Metronome` measures it.

import Foundation
import LobTransport
import Synchronization
import Testing

/// What went wrong in a case. Any thread may add to it.
final class Report: Sendable {
    private let found = Locked<[(text: String, at: SourceLocation)]>([])
    private let begin = LoopClock.monotonicNs

    /// What has been found so far.
    var failures: [(text: String, at: SourceLocation)] { found.withLock { $0 } }

    /// Milliseconds since the case began.
    var elapsedMs: Int { Int((LoopClock.monotonicNs - begin) / 1_000_000) }

    /// Adds a finding.
    func fail(_ text: String, at location: SourceLocation = #_sourceLocation) {
        found.withLock { found in
            if found.count < 8 { found.append((text, location)) }
        }
    }

    /// Adds a finding unless the condition holds.
    @discardableResult
    func expect(
        _ condition: Bool, _ text: @autoclosure () -> String, at location: SourceLocation = #_sourceLocation
    ) -> Bool {
        if !condition { fail(text(), at: location) }
        return condition
    }

    /// Waits until the condition holds; a finding if it does not in time.
    ///
    /// - Parameter seen: what to say then.
    @discardableResult
    func wait(
        _ what: String, atMostMs: Int = 60_000, everyMs: UInt32 = 5, seen: () -> String = { "" },
        at location: SourceLocation = #_sourceLocation, until condition: () -> Bool
    ) -> Bool {
        let since = Metronome.now
        while !condition() {
            // Once more after the deadline: this thread may have stood still itself.
            if Metronome.ms(since: since) > atMostMs {
                if condition() { return true }
                fail("after \(atMostMs) ms not \(what): \(seen())", at: location)
                return false
            }
            usleep(everyMs * 1000)
        }
        return true
    }

    /// Milliseconds that `body` takes, without those in which the machine had no time.
    func time(_ body: () -> Void) -> Int {
        let since = Metronome.now
        body()
        return Metronome.ms(since: since)
    }
}

/// Measures for how long this process did not get to run though it wanted to: a thread that sleeps for a
/// hundredth of a second sees how late it wakes up.
enum Metronome {
    /// A moment: the clock's time, and the time lost until then.
    struct Moment: Sendable {
        fileprivate var atNs: UInt64
        fileprivate var lostNs: UInt64
    }

    private static let beatNs: UInt64 = 10_000_000
    /// Lateness that any machine has.
    private static let usualNs: UInt64 = 5_000_000

    private static let lostNs: Locked<UInt64> = {
        Thread {
            while true {
                let fromNs = LoopClock.monotonicNs
                usleep(UInt32(beatNs / 1000))
                let passedNs = LoopClock.monotonicNs - fromNs
                if passedNs > beatNs + usualNs { lostNs.withLock { $0 += passedNs - beatNs } }
                Gate.expectNobodyHangs()
            }
        }.start()
        return Locked(0)
    }()

    static var now: Moment { Moment(atNs: LoopClock.monotonicNs, lostNs: lostNs.withLock { $0 }) }

    /// Milliseconds since then in which this process could run.
    static func ms(since moment: Moment) -> Int {
        let now = now
        let passedNs = now.atNs - moment.atNs
        return Int((passedNs - min(passedNs, now.lostNs - moment.lostNs)) / 1_000_000)
    }
}

/// Lets only so many cases run at once: two cores serve them all. A case that hangs ends the process, which
/// otherwise would not say what it waits for.
enum Gate {
    /// `LOB_CASES_AT_ONCE` changes how many, for builds that are slow.
    private static let room = DispatchSemaphore(
        value: ProcessInfo.processInfo.environment["LOB_CASES_AT_ONCE"].flatMap { Int($0) } ?? 8)
    private static let inside = Locked<[String: Metronome.Moment]>([:])
    private static let caseMsMax = 120_000

    static func enter(_ name: String) {
        room.wait()
        let now = Metronome.now
        inside.withLock { $0[name] = now }
    }

    static func leave(_ name: String) {
        inside.withLock { $0[name] = nil }
        room.signal()
    }

    static func expectNobodyHangs() {
        for (name, since) in inside.withLock({ $0 }) where Metronome.ms(since: since) > caseMsMax {
            fatalError("\(name) hangs")
        }
    }
}

/// Runs a case on a thread of its own and records what it found.
func onOwnThread(_ name: String, _ body: @escaping @Sendable (Report) throws -> Void) async {
    let report: Report = await withCheckedContinuation { done in
        Thread {
            Gate.enter(name)
            let report = Report()
            do {
                try body(report)
            } catch {
                report.fail("threw \(error)")
            }
            Gate.leave(name)
            if ProcessInfo.processInfo.environment["LOB_CASE_TIMES"] != nil {
                print("case \(name): \(report.elapsedMs) ms")
            }
            done.resume(returning: report)
        }.start()
    }
    for failure in report.failures {
        Issue.record(Comment(rawValue: "\(name): \(failure.text)"), sourceLocation: failure.at)
    }
}

/// A value under a lock that a thread sanitizer knows. (It does not see how the standard mutex changes hands
/// when it was waited for.)
final class Locked<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<R>(_ body: (inout Value) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}

/// Something that a test switches on and off.
final class Switch: Sendable {
    private let state = Atomic<Bool>(false)

    var isOn: Bool {
        get { state.load(ordering: .acquiring) }
        set { state.store(newValue, ordering: .releasing) }
    }
}

/// Runs a body on several threads and waits for all of them.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let done = DispatchSemaphore(value: 0)
    for number in 0..<count {
        Thread {
            body(number)
            done.signal()
        }.start()
    }
    for _ in 0..<count { done.wait() }
}
