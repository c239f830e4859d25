// Weight spent per clock minute, when neither clock nor network is exact.
//
// The venue counts a request in the minute in which it processes it, by its own clock. Near a boundary we
// cannot know which minute that is, so a request sent within `guardMs` of one is charged to both. `guardMs`
// must cover the clock difference and the transit time.
//
// Invariants
// * `older` belongs to the minute of `now - guardMs`, `newer` to the one after; nothing older can still be
//   charged.
// * A request is charged before it is sent and never refunded: a refused request may have cost weight too.
// * Weight spent by urgent requests is part of the reserve: other requests get their share of a minute
//   whether or not the urgent ones have already had theirs.

/// The weight spent in the one or two minutes a request sent now may be counted in.
struct WeightLedger: Sendable {
    private static let minuteMs: Int64 = 60_000
    /// Larger counts are not believed, which keeps sums in range.
    private static let usedMax = 1 << 30
    private let guardMs: Int64
    private var minute: Int64 = .min
    private var older = Spent()
    private var newer = Spent()

    /// Weight spent in one minute.
    private struct Spent: Sendable {
        var all = 0
        var urgent = 0

        func hasRoom(_ weight: Int, within limit: Int, keeping reserve: Int) -> Bool {
            all + weight <= limit - max(reserve - urgent, 0)
        }
    }

    /// - Parameter guardMs: 0 … 29,999.
    init(guardMs: Int64) { self.guardMs = guardMs }

    /// Drops minutes in which no request sent from now on can be counted. Must precede every other call.
    mutating func advance(nowMs: Int64) {
        let current = Self.minuteIndex(nowMs - guardMs)
        if current <= minute { return }
        older = current == minute &+ 1 ? newer : Spent()
        newer = Spent()
        minute = current
    }

    /// Weight spent in the fuller of the minutes a request sent now may be counted in.
    func spent(nowMs: Int64) -> Int { isAtBoundary(nowMs) ? max(older.all, newer.all) : older.all }

    /// The first moment from now on at which `weight` more stays within `limit`, if nothing else is sent
    /// first.
    ///
    /// - Parameter reserve: the part of a minute guaranteed to urgent requests, earlier ones included.
    func roomMs(for weight: Int, within limit: Int, keeping reserve: Int, nowMs: Int64) -> Int64 {
        let isAtBoundary = isAtBoundary(nowMs)
        let newerHasRoom = newer.hasRoom(weight, within: limit, keeping: reserve)
        if older.hasRoom(weight, within: limit, keeping: reserve) && (!isAtBoundary || newerHasRoom) {
            return nowMs
        }
        let full: Int64 = isAtBoundary && !newerHasRoom ? 2 : 1
        return (minute + full) * Self.minuteMs + guardMs
    }

    /// Charges a request sent now.
    mutating func spend(_ weight: Int, isUrgent: Bool, nowMs: Int64) {
        let urgent = isUrgent ? weight : 0
        older.all += weight
        older.urgent += urgent
        if isAtBoundary(nowMs) {
            newer.all += weight
            newer.urgent += urgent
        }
    }

    /// Adopts the venue's own count if it is larger. A count that may belong to a past minute is ignored; one
    /// given near the end of a minute is booked to that minute.
    mutating func learn(used: Int, sentAtMs: Int64) {
        if Self.minuteIndex(sentAtMs - guardMs) == minute {
            older.all = max(older.all, min(used, Self.usedMax))
        }
    }

    private func isAtBoundary(_ nowMs: Int64) -> Bool { Self.minuteIndex(nowMs + guardMs) > minute }

    private static func minuteIndex(_ timeMs: Int64) -> Int64 {
        let index = timeMs / minuteMs
        return timeMs % minuteMs < 0 ? index - 1 : index
    }
}
