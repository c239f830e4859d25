// A UTC time as written for people and in file names.

/// A moment of the Gregorian calendar.
package struct UTCStamp: Hashable, Sendable {
    private let parts: (year: Int, month: Int, day: Int)
    private let second: Int
    private let millisecond: Int

    package static func == (a: UTCStamp, b: UTCStamp) -> Bool { a.text == b.text }

    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// The moment this many nanoseconds after 1970; 1970 if negative.
    package init(ns: Int64) {
        let seconds = Int(max(ns, 0) / 1_000_000_000)
        millisecond = Int(max(ns, 0) / 1_000_000 % 1000)
        second = seconds % 86_400
        // Years start in March, so that the leap day is the last of its year.
        let days = seconds / 86_400 + 719_468
        let (era, ofEra) = (days / 146_097, days % 146_097)
        let year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * month + 2) / 5 + 1
        parts = (year + era * 400 + (month >= 10 ? 1 : 0), month < 10 ? month + 3 : month - 9, day)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private var date: [String] { ["\(parts.year)", UTCStamp.two(parts.month), UTCStamp.two(parts.day)] }

    private var time: [String] { [second / 3600, second / 60 % 60, second % 60].map(UTCStamp.two) }

    /// For a file name: `20261129T151305Z`.
    package var name: String { date.joined() + "T" + time.joined() + "Z" }

    /// The day: `2026-11-29`.
    package var day: String { date.joined(separator: "-") }

    /// For display: `2026-11-29 15:13:05.250`.
    package var text: String {
        let thousandths = "\(1000 + millisecond)".dropFirst()
        return day + " " + time.joined(separator: ":") + "." + thousandths
    }
}
