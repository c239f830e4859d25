// The finished days of a run, kept in case the clock is set back across midnight: the former day then
// continues, and its report is not replaced by one of a few minutes.

/// The last days of all books followed.
struct FinishedDays {
    private var days: [(day: String, tallies: [DayTally])] = []

    private static let countMax = 2

    /// Puts a day away for another one.
    ///
    /// - Parameters:
    ///   - day: the finished day, as `2026-11-29`.
    ///   - tallies: its tally for each book, in a fixed order.
    ///   - next: the day that follows by the clock.
    /// - Returns: that day's tallies so far; nil if it is new.
    mutating func turn(from day: String, _ tallies: [DayTally], to next: String) -> [DayTally]? {
        let begun = days.first { $0.day == next }?.tallies
        days.removeAll { $0.day == next }
        days.append((day, tallies))
        if days.count > FinishedDays.countMax { days.removeFirst() }
        return begun
    }
}
