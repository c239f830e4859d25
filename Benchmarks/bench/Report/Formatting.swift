// Numbers as people read them: three significant digits, a unit, thousands separated, a dash for none.

/// Two digits behind the point below ten, one below a hundred, thousands separated above.
func decimal(_ value: Double) -> String {
    if !value.isFinite { return "-" }
    if value == 0 { return "0" }
    return value < 999.5 ? significant(value) : grouped(Int(value.rounded()))
}

/// A time with its unit.
func duration(_ ns: Double) -> String {
    if !ns.isFinite { return "-" }
    if ns < 999.5 { return fixed(ns, ns < 99.95 ? 1 : 0) + " ns" }
    if ns < 999_500 { return significant(ns / 1000) + " µs" }
    if ns < 999_500_000 { return significant(ns / 1_000_000) + " ms" }
    return significant(ns / 1e9) + " s"
}

/// A number of bytes with its unit.
func byteCount(_ bytes: Double) -> String {
    if !bytes.isFinite { return "-" }
    if bytes < 999.5 { return fixed(bytes, 0) + " B" }
    if bytes < 999.5e3 { return significant(bytes / 1e3) + " kB" }
    if bytes < 999.5e6 { return significant(bytes / 1e6) + " MB" }
    return significant(bytes / 1e9) + " GB"
}

private func significant(_ value: Double) -> String {
    fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
}

/// A number with 0 to 3 digits behind the point.
func fixed(_ value: Double, _ digits: Int) -> String {
    let scale = [1, 10, 100, 1000][digits]
    let scaled = Int((value * Double(scale)).rounded())
    if digits == 0 { return String(scaled) }
    let fraction = String(abs(scaled) % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return (scaled < 0 ? "-" : "") + "\(abs(scaled) / scale).\(zeros)\(fraction)"
}

/// A number with its thousands separated.
func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0 && (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return value < 0 ? "-" + text : text
}

/// Blanks behind.
func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(width - text.count, 0))
}

/// Blanks in front.
func padLeft(_ text: String, to width: Int) -> String {
    String(repeating: " ", count: max(width - text.count, 0)) + text
}
