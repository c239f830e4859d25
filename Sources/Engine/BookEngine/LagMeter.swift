// How late updates arrive. The venue's clock and ours differ by an unknown amount, so a lag is measured
// against the smallest difference between arrival and event time: the fastest arrival there was.
//
// Where the engine's time is a clock that is never set, that difference rises only as two clocks drift apart:
// a stream that stays late is not in time after a while. The drift allowed for is what two kernels that
// correct their clocks in opposite directions make at most. By it twenty seconds are forgotten in more than
// four hours.
//
// Where it is a clock that may be set, one set forward would make everything late for ever. There it is the
// smallest difference of the last ten minutes, and a stream that stays late so long is in time again.
//
// An update that seems far faster than any before is not believed until several in a row are: one wrong event
// time must not make all others late.
//
// Worst case: O(1) a message, ten comparisons a minute.

/// The smallest difference between arrival and event time, and what is beyond it.
///
/// ```
/// input                       steady clock                            other clock
/// a minute passed             the floor rises by its drift            what is older than ten is forgotten
/// faster than the floor       the floor falls to it                   likewise
/// faster by a second          believed at the eighth in a row         likewise
/// ```
struct LagMeter {
    private static let minuteNs: Int64 = 60_000_000_000
    /// How far two clocks drift apart in a minute: a thousandth, twice what a kernel slews by.
    private static let driftNsPerMinute: Int64 = 60_000_000
    private var smallest: [10 of Int64] = InlineArray(repeating: .max)
    private var minute: Int64 = .min
    private var floorNs: Int64 = .max
    private var tooFastCount = 0

    /// Whether times are of a clock that is never set.
    var isSteady = false
    /// Whether the present time is no earlier than it seems: the floor falls to nothing else.
    var isExact = true

    /// An update this much faster than the fastest is not believed, unless this many come in a row.
    private static let tooFastNs: Int64 = 1_000_000_000
    private static let believedCount = 8

    /// How much later than the fastest an update of this time arrives now, in nanoseconds; at most an hour.
    ///
    /// - Parameter eventTimeUs: the venue's, above 0.
    @inline(__always)
    mutating func lagNs(eventTimeUs: Int64, nowNs: Int64) -> Int64 {
        let (eventNs, isHuge) = eventTimeUs.multipliedReportingOverflow(by: 1000)
        if isHuge { return 0 }
        let (differenceNs, overflows) = nowNs.subtractingReportingOverflow(eventNs)
        if overflows { return 0 }
        if nowNs / LagMeter.minuteNs != minute || differenceNs < floorNs {
            if !isExact { return floorNs == .max ? 0 : max(differenceNs &- floorNs, 0) }
            if isTooFast(differenceNs) { return 0 }
            note(differenceNs, nowNs)
        }
        tooFastCount = 0
        return min(max(differenceNs &- floorNs, 0), 60 * LagMeter.minuteNs)
    }

    private mutating func isTooFast(_ differenceNs: Int64) -> Bool {
        let (limitNs, overflows) = floorNs.subtractingReportingOverflow(LagMeter.tooFastNs)
        if floorNs == .max || overflows || differenceNs >= limitNs { return false }
        tooFastCount += 1
        return tooFastCount < LagMeter.believedCount
    }

    @inline(never)
    private mutating func note(_ differenceNs: Int64, _ nowNs: Int64) {
        let now = nowNs / LagMeter.minuteNs
        if isSteady {
            let minutes = minute == .min ? 0 : max(now &- minute, 0)
            let (risenNs, isHuge) = floorNs.addingReportingOverflow(minutes &* LagMeter.driftNsPerMinute)
            floorNs = min(isHuge ? .max : risenNs, differenceNs)
            minute = now
            return
        }
        let first = minute == .min ? now : min(minute + 1, now)
        if now > minute {
            for passed in max(first, now - 9)...now { smallest[Int(passed % 10)] = .max }
            minute = now
        }
        let place = Int(now % 10)
        smallest[place] = min(smallest[place], differenceNs)
        floorNs = .max
        for index in smallest.indices { floorNs = min(floorNs, smallest[index]) }
    }
}
