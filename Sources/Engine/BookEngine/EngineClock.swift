// The engine's own time, for durations: derived from the frames, never set.
//
// Receive times come from a clock that people and daemons set. A step must neither age a book by an hour nor
// keep a dead stream young, so durations are measured with the monotonic clock in a feed's ticks. Between two
// ticks, receive times advance it, by at most half a second. Without a monotonic clock in the ticks, receive
// times are all there is: steps back are ignored, steps forward look like time passing.
//
// Invariants
// * `nowNs` never goes back, whatever the frames say: in the far future it stops, before adding a duration to
//   it could overflow.
// * It is a function of the frames alone.

/// Derives from frames a time that only advances.
struct EngineClock {
    /// Nanoseconds since an arbitrary moment.
    private(set) var nowNs: Int64 = 0
    /// The last tick: its monotonic time, or its receive time if it carries none.
    private(set) var tickNs: Int64 = .min
    private var baseNs: Int64 = 0
    private var baseReceivedAtNs: Int64 = 0
    private var monotonicNs: Int64?

    /// Longest time between two ticks for which receive times are believed: two ticks of a feed. This is how
    /// far a clock step can postpone what is due.
    private static let betweenNsMax: Int64 = 500_000_000

    /// Where time stops: in the year 2116.
    static let nowNsMax: Int64 = 1 << 62

    /// Whether ticks carry a monotonic clock.
    var isSteady: Bool { monotonicNs != nil }

    /// Whether `nowNs` is exact rather than a lower bound: receive times since the last tick claim more than
    /// is believed, or have gone back.
    private(set) var isExact = true

    /// A frame other than a tick was received.
    @inline(__always)
    mutating func advance(receivedAtNs: Int64) {
        let sinceNs = receivedAtNs.subtractingReportingOverflow(baseReceivedAtNs).partialValue
        if monotonicNs != nil {
            isExact = sinceNs >= 0 && sinceNs <= EngineClock.betweenNsMax
            nowNs = max(nowNs, EngineClock.later(baseNs, by: min(sinceNs, EngineClock.betweenNsMax)))
        } else {
            nowNs = EngineClock.later(nowNs, by: sinceNs)
            baseReceivedAtNs = receivedAtNs
        }
    }

    /// A tick was received, with the monotonic time if it carries one.
    mutating func tick(receivedAtNs: Int64, monotonicNs next: Int64?) {
        tickNs = next ?? receivedAtNs
        guard let next else { return advance(receivedAtNs: receivedAtNs) }
        if let monotonicNs {
            baseNs = EngineClock.later(
                baseNs, by: next.subtractingReportingOverflow(monotonicNs).partialValue)
        } else {
            advance(receivedAtNs: receivedAtNs)
            baseNs = nowNs
        }
        monotonicNs = next
        isExact = true
        baseReceivedAtNs = receivedAtNs
        nowNs = max(nowNs, baseNs)
    }

    /// A time later by this much; the same if that is negative.
    @inline(__always)
    private static func later(_ timeNs: Int64, by ns: Int64) -> Int64 {
        timeNs &+ min(max(ns, 0), nowNsMax &- timeNs)
    }
}
