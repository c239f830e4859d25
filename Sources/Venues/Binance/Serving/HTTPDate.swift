// The time in HTTP's `Date` header, which clients parse.

/// Formats microseconds since 1970 as `Sun, 06 Nov 1994 08:49:37 GMT`.
func httpDate(_ timeUs: Int64) -> String {
    let seconds = timeUs / 1_000_000
    let days = seconds / 86_400
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    // Years are counted from March of year 0, so that the leap day is the last.
    let shifted = days + 719_468
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = (monthFromMarch + 2) % 12
    let year = yearOfEra + shifted / 146_097 * 400 + (month < 2 ? 1 : 0)
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let time = [seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60].map(two).joined(separator: ":")
    return "\(weekdays[Int(days % 7)]), \(two(day)) \(months[Int(month)]) \(year) \(time) GMT"
}
