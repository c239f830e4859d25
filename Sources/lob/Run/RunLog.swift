// Structured logs of `lob run`: swift-log as the interface, one line of text or JSON as output.
//
// SAFETY: the parts of a time are written into a local variable.

import Glibc
import LobMetrics
import Logging

/// Format of log lines.
enum LogFormat: String, CaseIterable {
    case text, json
}

/// Writes log lines to the console, with UTC times in milliseconds.
struct RunLogHandler: LogHandler {
    let console: Console
    let format: LogFormat
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let texts = facts.map { ($0.key, format == .text ? plainText($0.value) : jsonText($0.value)) }
        console.log(logLine(format, "\(event.level)", "\(event.message)", texts))
    }
}

/// The logger for a command that keeps books.
func makeLogger(_ console: Console, _ options: BookOptions) -> Logger {
    Logger(label: "lob") { _ in
        RunLogHandler(console: console, format: options.logFormat, logLevel: options.logLevel.level)
    }
}

/// A log line with the current time.
///
/// - Parameter facts: names and values, each value already in the format of the line.
func logLine(
    _ format: LogFormat, _ level: String, _ message: String, _ facts: [(name: String, text: String)]
) -> String {
    switch format {
    case .text:
        let padding = String(repeating: " ", count: max(0, 7 - level.count))
        let tail = facts.map { " \($0.name)=\($0.text)" }.joined()
        return "\(utcTimestamp()) \(level.uppercased())\(padding) \(message)\(tail)"
    case .json:
        var line = "{\"time\":\"\(utcTimestamp())\",\"level\":\"\(level)\""
        line += ",\"message\":\(jsonText(message))"
        for fact in facts { line += ",\(jsonText(fact.name)):\(fact.text)" }
        return line + "}"
    }
}

/// A number as metadata: it stays a number in JSON.
func number(_ value: some BinaryInteger & Sendable) -> Logger.Metadata.Value { .stringConvertible(value) }

/// A number with decimals as metadata, rounded to `decimals`.
func number(_ value: Double, decimals: Int) -> Logger.Metadata.Value {
    .stringConvertible(Double(fixed(value, decimals)) ?? 0)
}

/// Metadata as JSON: numbers as numbers, everything else as a string.
private func jsonText(_ value: Logger.Metadata.Value) -> String {
    guard case .stringConvertible(let number) = value, number is any BinaryInteger || number is Double else {
        return jsonText("\(value)")
    }
    return "\(number)"
}

/// Metadata as text, quoted unless it is a single word, because some of it comes from the venue.
private func plainText(_ value: Logger.Metadata.Value) -> String {
    let text = "\(value)"
    let isWord = !text.isEmpty && !text.unicodeScalars.contains { $0.value <= 0x20 || $0 == "\"" }
    return isWord ? text : jsonText(text)
}

/// A string as a JSON string.
func jsonText(_ text: String) -> String {
    var escaped = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": escaped += "\\\""
        case "\\": escaped += "\\\\"
        case "\n": escaped += "\\n"
        case "\t": escaped += "\\t"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        case _: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped + "\""
}

/// The current time, as `2026-11-25T12:34:56.789Z`.
func utcTimestamp() -> String {
    let us = wallClockUs()
    var seconds = time_t(us / 1_000_000)
    var parts = unsafe tm()
    unsafe gmtime_r(&seconds, &parts)
    func digits(_ value: Int, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let (year, month, day) = unsafe (Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday))
    let (hour, minute, second) = unsafe (Int(parts.tm_hour), Int(parts.tm_min), Int(parts.tm_sec))
    let date = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))"
    let time = "\(digits(hour, 2)):\(digits(minute, 2)):\(digits(second, 2))"
    return "\(date)T\(time).\(digits(Int(us / 1000 % 1000), 3))Z"
}

extension LatencyHistogram {
    /// What a log says of it, in microseconds; nil if it is empty.
    var facts: Logger.Metadata? {
        guard let worstNs else { return nil }
        let quantile = { (perMille: Int) -> String in
            let ns = self.estimateNs(perMille: perMille) ?? 0
            return "\(ns / 1_000).\(ns / 100 % 10)"
        }
        return [
            "count": "\(count)", "p50Us": "\(quantile(500))", "p90Us": "\(quantile(900))",
            "p99Us": "\(quantile(990))", "worstUs": "\(worstNs / 1_000)",
        ]
    }
}
