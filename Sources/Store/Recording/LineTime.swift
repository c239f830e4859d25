// The receive time a collector wrote in front of a message.

/// The receive time in front of a message, in nanoseconds since 1970, and where the message begins; nil and 0
/// if there is none.
///
/// A time is a decimal number, or an ISO 8601 date and time of day (UTC unless it names a zone), followed by
/// a blank, a tab, a comma, a semicolon, or a colon and a blank. Seconds, milliseconds, microseconds and
/// nanoseconds are distinguished by magnitude: today's times have 10, 13, 16 and 19 digits before the point.
func receiveTime(_ line: Span<UInt8>) -> (time: Int64?, first: Int) {
    var at = 0
    guard let time = decimalTime(line, &at) ?? dateTime(line, &at) else { return (nil, 0) }
    if at < line.count, line[at] == 0x3A, at + 1 < line.count, line[at + 1] == 0x20 { at += 1 }
    guard at < line.count, isSeparator(line[at]) else { return (nil, 0) }
    while at < line.count && isSeparator(line[at]) { at += 1 }
    return (time, at)
}

/// Blank, tab, comma, semicolon.
private func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x2C || byte == 0x3B
}

/// A decimal number of at least nine digits as a time; `at` moves past it.
private func decimalTime(_ line: Span<UInt8>, _ at: inout Int) -> Int64? {
    var end = 0
    var whole: Int64 = 0
    while end < line.count, end < 19, line[end] &- 0x30 <= 9 {
        whole = whole &* 10 &+ Int64(line[end] &- 0x30)
        end += 1
    }
    if end < 9 { return nil }
    var scale: Int64 = end <= 11 ? 1_000_000_000 : end <= 14 ? 1_000_000 : end <= 17 ? 1_000 : 1
    var (time, overflow) = whole.multipliedReportingOverflow(by: scale)
    if overflow { return nil }
    if end < line.count, line[end] == 0x2E {
        end += 1
        while end < line.count, line[end] &- 0x30 <= 9 {
            scale /= 10
            time &+= Int64(line[end] &- 0x30) &* scale
            end += 1
        }
    }
    // Nineteen digits may be too many: an overflow is negative.
    if time < 0 { return nil }
    at = end
    return time
}

/// `2026-09-21T14:13:20.000Z`, also with a blank for the `T`, a comma for the point, any number of decimals,
/// and `+02:00` or nothing for the `Z`; `at` moves past it.
private func dateTime(_ line: Span<UInt8>, _ at: inout Int) -> Int64? {
    var end = 0
    guard let year = digits(line, &end, 4), skip(line, &end, "-"), let month = digits(line, &end, 2),
        skip(line, &end, "-"), let day = digits(line, &end, 2),
        skip(line, &end, "T") || skip(line, &end, " "), let hour = digits(line, &end, 2),
        skip(line, &end, ":"), let minute = digits(line, &end, 2), skip(line, &end, ":"),
        let second = digits(line, &end, 2)
    else { return nil }
    guard (1970...2261).contains(year), (1...12).contains(month), (1...31).contains(day), hour < 24,
        minute < 60, second < 61
    else { return nil }
    var fraction: Int64 = 0
    if skip(line, &end, ".") || isFraction(line, end) && skip(line, &end, ",") {
        var scale: Int64 = 100_000_000
        while end < line.count, line[end] &- 0x30 <= 9 {
            fraction += Int64(line[end] &- 0x30) * scale
            scale /= 10
            end += 1
        }
    }
    guard let zone = zoneSeconds(line, &end) else { return nil }
    let days = daysSince1970(year, month, day)
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - zone
    at = end
    return Int64(seconds) * 1_000_000_000 + fraction
}

/// Whether a comma here is a decimal one: exactly three, six or nine digits follow.
private func isFraction(_ line: Span<UInt8>, _ at: Int) -> Bool {
    var end = at + 1
    while end < line.count, line[end] &- 0x30 <= 9 { end += 1 }
    return [3, 6, 9].contains(end - at - 1)
}

/// A time zone's offset in seconds, 0 if there is none; nil if invalid.
private func zoneSeconds(_ line: Span<UInt8>, _ at: inout Int) -> Int? {
    if skip(line, &at, "Z") { return 0 }
    let isEast = skip(line, &at, "+")
    if !isEast && !skip(line, &at, "-") { return 0 }
    guard let hours = digits(line, &at, 2) else { return nil }
    _ = skip(line, &at, ":")
    guard let minutes = digits(line, &at, 2), hours < 24, minutes < 60 else { return nil }
    return (hours * 60 + minutes) * (isEast ? 60 : -60)
}

/// Days from 1 January 1970 to a date of the Gregorian calendar.
private func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let ofEra = year % 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return year / 400 * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
}

private func digits(_ line: Span<UInt8>, _ at: inout Int, _ count: Int) -> Int? {
    if at + count > line.count { return nil }
    var value = 0
    for index in at..<(at + count) {
        if line[index] &- 0x30 > 9 { return nil }
        value = value * 10 + Int(line[index] &- 0x30)
    }
    at += count
    return value
}

private func skip(_ line: Span<UInt8>, _ at: inout Int, _ byte: Unicode.Scalar) -> Bool {
    if at >= line.count || line[at] != UInt8(ascii: byte) { return false }
    at += 1
    return true
}

/// The time in a text that contains nothing else.
public func timeNs(ofText text: Span<UInt8>) -> Int64? {
    var at = 0
    guard let time = decimalTime(text, &at) ?? dateTime(text, &at), at == text.count else { return nil }
    return time
}
