// Weight spent per clock minute, when neither clock nor network is exact.
//
// The venue counts a request in the minute in which it processes it, by its own clock. Near a boundary we
// cannot know which minute that is, so a request sent within `guardMs` of one is charged to both. `guardMs`
// must cover the difference of the clocks and the time a request is on its way.
//
// Invariants
// * `older` belongs to the minute of `now - guardMs`, `newer` to the one after; nothing older can still be
//   charged.
// * A request is charged before it is sent, and never given back: what the venue refused may have cost
//   weight too.

/// The weight spent in the one or two minutes that a request sent now can fall into.
struct WeightLedger: Sendable {
    private static let minuteMs: Int64 = 60_000
    /// No count is believed beyond this; it keeps sums of them in range.
    private static let usedMax = 1 << 30
    private let guardMs: Int64
    private var minute: Int64 = .min
    private var older = 0
    private var newer = 0

    /// - Parameter guardMs: 0 … 29,999.
    init(guardMs: Int64) { self.guardMs = guardMs }

    /// Forgets minutes that nothing sent from now on can be counted in. Every other call wants this one
    /// before it.
    mutating func advance(nowMs: Int64) {
        let current = Self.minuteIndex(nowMs - guardMs)
        if current <= minute { return }
        older = current == minute &+ 1 ? newer : 0
        newer = 0
        minute = current
    }

    /// Weight spent in the fuller of the minutes that a request sent now can fall into.
    func spent(nowMs: Int64) -> Int { isAtBoundary(nowMs) ? max(older, newer) : older }

    /// The first moment from now on at which `weight` more stays within `limit`, if nothing else is sent
    /// before.
    func roomMs(for weight: Int, within limit: Int, nowMs: Int64) -> Int64 {
        if spent(nowMs: nowMs) + weight <= limit { return nowMs }
        let full: Int64 = isAtBoundary(nowMs) && newer + weight > limit ? 2 : 1
        return (minute + full) * Self.minuteMs + guardMs
    }

    /// Charges a request sent now.
    mutating func spend(_ weight: Int, nowMs: Int64) {
        older += weight
        if isAtBoundary(nowMs) { newer += weight }
    }

    /// Takes over the venue's own count if it is larger. A count that may belong to a minute gone by is not
    /// used; one given near the end of a minute goes to that minute.
    mutating func learn(used: Int, sentAtMs: Int64) {
        if Self.minuteIndex(sentAtMs - guardMs) == minute { older = max(older, min(used, Self.usedMax)) }
    }

    private func isAtBoundary(_ nowMs: Int64) -> Bool { Self.minuteIndex(nowMs + guardMs) > minute }

    private static func minuteIndex(_ timeMs: Int64) -> Int64 {
        let index = timeMs / minuteMs
        return timeMs % minuteMs < 0 ? index - 1 : index
    }
}
