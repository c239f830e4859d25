// The days of a run that are over, kept for a clock that is set back over midnight: the former day goes on
// then, and its report is not replaced by that of a few minutes.

/// The last days of all books that were followed.
struct FinishedDays {
    private var days: [(day: String, tallies: [DayTally])] = []

    private static let countMax = 2

    /// Puts a day away for another one.
    ///
    /// - Parameters:
    ///   - day: the day that is over, as `2026-11-29`.
    ///   - tallies: what it was, of each book in a fixed order.
    ///   - next: the day that follows by the clock.
    /// - Returns: what that day was so far; nil if it begins now.
    mutating func turn(from day: String, _ tallies: [DayTally], to next: String) -> [DayTally]? {
        let begun = days.first { $0.day == next }?.tallies
        days.removeAll { $0.day == next }
        days.append((day, tallies))
        if days.count > FinishedDays.countMax { days.removeFirst() }
        return begun
    }
}
