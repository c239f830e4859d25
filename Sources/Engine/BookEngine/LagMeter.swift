// How late updates arrive. The venue's clock and ours differ by an unknown amount, so a lag is measured
// against the smallest difference between arrival and event time: the fastest arrival there was.
//
// Where the engine's time is a clock that is never set, that difference rises only as two clocks drift apart:
// a stream that stays late is not in time after a while. The drift allowed for is what two kernels that
// correct their clocks in opposite directions make at most. By it twenty seconds are forgotten in more than
// four hours.
//
// The venue may set its own clock back, by hours: everything is late then, by all that can be seen of one
// update. But of one symbol ids and event times go the same way, however late they come, so an update that
// lies behind the one before it by its ids and before it by its time shows that the clock was set, and by how
// much at least. Once eight updates in a row are as late the difference has risen by so much, and what was
// late before is as late as it was: a lag is never called smaller than it may be. Where all symbols are so
// quiet that their times rise in spite of the step, none shows it: each update is late then, until a snapshot
// shows that nothing was missing.
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
/// input                        steady clock                            other clock
/// a minute passed              the floor rises by its drift            what is older than ten is forgotten
/// faster than the floor        the floor falls to it                   likewise
/// faster by a second           believed at the eighth in a row: the    likewise, but for the step
///                              last step is taken back with it
/// the venue's clock went back  the floor rises at the eighth as late   –
/// another in time before that  –
/// ```
struct LagMeter {
    private static let minuteNs: Int64 = 60_000_000_000
    /// How far two clocks drift apart in a minute: a thousandth, twice what a kernel slews by.
    private static let driftNsPerMinute: Int64 = 60_000_000
    private var smallest: [10 of Int64] = InlineArray(repeating: .max)
    private var minute: Int64 = .min
    /// The smallest difference, as far as it is believed; `.max` before the first.
    private(set) var floorNs: Int64 = .max
    private var tooFastCount = 0
    /// By how much the venue's clock seems to have been set back, and updates in a row that say so.
    private var stepNs: Int64 = 0
    private var stepCount = 0
    /// What the floor was before the last step that was believed; `.max` if there was none.
    private var formerFloorNs: Int64 = .max

    /// Whether times are of a clock that is never set.
    var isSteady = false
    /// Whether the present time is no earlier than it seems: the floor falls to nothing else.
    var isExact = true

    /// An update this much faster than the fastest is not believed, unless this many come in a row.
    private static let tooFastNs: Int64 = 1_000_000_000
    private static let believedCount = 8
    /// A clock that is set back by less than this seems to be late.
    private static let backUsMin: Int64 = 1_000_000

    /// An update of a symbol lies behind the one before it by its id, and before it by its event time.
    ///
    /// - Parameters:
    ///   - backUs: by so much.
    ///   - former: the floor when that one came: since then the step may have been noticed.
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

    /// How much later than the fastest an update of this time arrives now, in nanoseconds; at most an hour.
    ///
    /// - Parameter eventTimeUs: the venue's, above 0.
    @inline(__always)
    mutating func lagNs(eventTimeUs: Int64, nowNs: Int64) -> Int64 {
        let (eventNs, isHuge) = eventTimeUs.multipliedReportingOverflow(by: 1000)
        if isHuge { return 0 }
        let (differenceNs, overflows) = nowNs.subtractingReportingOverflow(eventNs)
        if overflows { return 0 }
        if nowNs / LagMeter.minuteNs != minute || differenceNs < floorNs || stepNs > 0 {
            if !isExact { return floorNs == .max ? 0 : LagMeter.capped(differenceNs &- floorNs) }
            if stepNs > 0 { followStep(differenceNs) }
            if isTooFast(differenceNs) { return formerLagNs(differenceNs) }
            note(differenceNs, nowNs)
        }
        tooFastCount = 0
        return LagMeter.capped(differenceNs &- floorNs)
    }

    /// Event times come from outside: whatever they say, a lag can be added to a time.
    @inline(__always)
    private static func capped(_ lagNs: Int64) -> Int64 { min(max(lagNs, 0), 60 * minuteNs) }

    private mutating func isTooFast(_ differenceNs: Int64) -> Bool {
        let (limitNs, overflows) = floorNs.subtractingReportingOverflow(LagMeter.tooFastNs)
        if floorNs == .max || overflows || differenceNs >= limitNs { return false }
        tooFastCount += 1
        if tooFastCount < LagMeter.believedCount { return true }
        (floorNs, formerFloorNs) = (min(floorNs, formerFloorNs), .max)
        return false
    }

    /// How late an update is that is too fast, by what the floor was before the last step.
    private func formerLagNs(_ differenceNs: Int64) -> Int64 {
        formerFloorNs == .max ? 0 : LagMeter.capped(differenceNs &- formerFloorNs)
    }

    /// Another update, while the venue's clock seems to have been set back.
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
