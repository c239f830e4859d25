// How late updates arrive. The venue's clock and ours differ by an unknown amount, so lag is measured against
// the smallest difference between arrival and event time seen: the fastest arrival.
//
// On a monotonic clock that floor rises only as fast as two clocks drift apart, so a stream that stays late
// does not come to seem in time. The drift allowed is the most two kernels produce when correcting their
// clocks in opposite directions. At that rate it takes more than four hours to forget twenty seconds.
//
// The venue may set its own clock back, by hours: everything then looks late, judging by one update. But ids
// and event times of one symbol advance together, however late they arrive, so an update that lies after its
// predecessor by id and before it by time shows that the clock was set, and by how much at least. After eight
// consecutive updates as late, the floor rises by that much, and what was late before stays as late as it
// was: a lag is never understated. If all symbols are so quiet that their times still rise after the step,
// none shows it: every update then counts as late until a snapshot shows that nothing was missing.
//
// On a clock that may be set, a step forward would make everything late for ever. There the floor is the
// smallest difference of the last ten minutes, and a stream that stays late that long counts as in time
// again.
//
// An update that seems far faster than any before is not believed until several in a row are: one wrong event
// time must not make all others late. The row ends with an update in time of the connection that came last in
// it, not with those of a slower one. Until then the lag counts from what is believed.
//
// Worst case: O(1) per message, ten comparisons per minute.

/// The smallest difference between arrival and event time, and the excess over it.
///
/// ```
/// input                        monotonic clock                         other clock
/// a minute passed              the floor rises by its drift            anything older than ten is forgotten
/// faster than the floor        the floor falls to it                   likewise
/// faster by a second           believed at the eighth in a row: the    likewise, but for the step
///                              last step is undone with it
/// the venue's clock went back  the floor rises at the eighth as late   –
/// another in time before that  –
/// ```
struct LagMeter {
    private static let minuteNs: Int64 = 60_000_000_000
    /// Drift of two clocks per minute: a thousandth, twice what a kernel slews by.
    private static let driftNsPerMinute: Int64 = 60_000_000
    private var smallest: [10 of Int64] = InlineArray(repeating: .max)
    private var minute: Int64 = .min
    /// The smallest difference believed so far; `.max` before the first.
    private(set) var floorNs: Int64 = .max
    private var tooFastCount = 0
    /// The connection on which the last of them came.
    private var tooFastSource: UInt16 = 0
    /// How far the venue's clock seems to have been set back, and consecutive updates that say so.
    private var stepNs: Int64 = 0
    private var stepCount = 0
    /// The floor before the last step that was believed; `.max` if there was none.
    private var formerFloorNs: Int64 = .max

    /// Whether times are of a monotonic clock.
    var isSteady = false
    /// Whether the current time is exact: otherwise the floor does not fall.
    var isExact = true

    /// An update this much faster than the fastest is not believed unless this many come in a row.
    private static let tooFastNs: Int64 = 1_000_000_000
    private static let believedCount = 8
    /// A clock set back by less than this looks like lateness.
    private static let backUsMin: Int64 = 1_000_000

    /// An update of a symbol follows its predecessor by id and precedes it by event time.
    ///
    /// - Parameters:
    ///   - backUs: by this much.
    ///   - former: the floor when the predecessor arrived: the step may have been noticed since.
    @inline(__always)
    mutating func wentBack(byUs backUs: Int64, sinceFloorNs former: Int64) {
        if backUs > LagMeter.backUsMin && isSteady { noteStep(backUs, former) }
    }

    @inline(never)
    private mutating func noteStep(_ backUs: Int64, _ former: Int64) {
        let (backNs, isHuge) = backUs.multipliedReportingOverflow(by: 1000)
        let (risenNs, overflows) = floorNs.subtractingReportingOverflow(former)
        if isHuge || overflows || floorNs == .max || former == .max { return }
        let unexplainedNs = min(backNs, backNs.subtractingReportingOverflow(risenNs).partialValue)
        if unexplainedNs > LagMeter.backUsMin * 1000 { stepNs = max(stepNs, unexplainedNs) }
    }

    /// How much later than the fastest an update with this event time arrives now, in nanoseconds; at most an
    /// hour.
    ///
    /// - Parameters:
    ///   - eventTimeUs: the venue's, above 0.
    ///   - source: the connection on which it arrives.
    ///   - nowNs: the time.
    @inline(__always)
    mutating func lagNs(eventTimeUs: Int64, on source: UInt16, nowNs: Int64) -> Int64 {
        let (eventNs, isHuge) = eventTimeUs.multipliedReportingOverflow(by: 1000)
        if isHuge { return 0 }
        let (differenceNs, overflows) = nowNs.subtractingReportingOverflow(eventNs)
        if overflows { return 0 }
        if nowNs / LagMeter.minuteNs != minute || differenceNs < floorNs || stepNs > 0 {
            if !isExact { return floorNs == .max ? 0 : LagMeter.capped(differenceNs &- floorNs) }
            if stepNs > 0 { followStep(differenceNs) }
            if isTooFast(differenceNs, source) { return formerLagNs(differenceNs) }
            note(differenceNs, nowNs)
        }
        if tooFastSource == source { tooFastCount = 0 }
        return LagMeter.capped(differenceNs &- floorNs)
    }

    /// Event times are outside input: whatever they say, the lag can be added to a time.
    @inline(__always)
    private static func capped(_ lagNs: Int64) -> Int64 { min(max(lagNs, 0), 60 * minuteNs) }

    private mutating func isTooFast(_ differenceNs: Int64, _ source: UInt16) -> Bool {
        let (limitNs, overflows) = floorNs.subtractingReportingOverflow(LagMeter.tooFastNs)
        if floorNs == .max || overflows || differenceNs >= limitNs { return false }
        tooFastSource = source
        tooFastCount += 1
        if tooFastCount < LagMeter.believedCount { return true }
        (floorNs, formerFloorNs) = (min(floorNs, formerFloorNs), .max)
        return false
    }

    /// How late an update that is too fast would be by the floor before the last step.
    private func formerLagNs(_ differenceNs: Int64) -> Int64 {
        formerFloorNs == .max ? 0 : LagMeter.capped(differenceNs &- formerFloorNs)
    }

    /// Another update while the venue's clock seems to have been set back.
    @inline(never)
    private mutating func followStep(_ differenceNs: Int64) {
        let (risenNs, overflows) = floorNs.addingReportingOverflow(stepNs)
        if overflows || differenceNs < risenNs &- LagMeter.tooFastNs {
            (stepNs, stepCount) = (0, 0)
            return
        }
        stepCount += 1
        if stepCount < LagMeter.believedCount { return }
        (formerFloorNs, floorNs) = (floorNs, risenNs)
        (stepNs, stepCount) = (0, 0)
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
