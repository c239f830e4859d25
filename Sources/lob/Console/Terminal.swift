// Small helpers for commands: tables, progress, a clock, pacing, files.
//
// SAFETY: OS calls get pointers that live inside the closure that made them.

import Glibc
import LobMetrics
import LobRecording

/// Writes a line to standard error, if it can be written within two seconds, or a tenth of one after a stop:
/// a stopped terminal or a full pipe must not keep a command from ending.
func printError(_ text: String) {
    writeError(text + "\n", waitAtMostMs: StopSignals.isRaised ? 100 : 2_000)
}

/// Writes text to standard error as it is.
///
/// - Parameter waitAtMostMs: how long to wait for room each time there is none, nil for ever; the rest is
///   then dropped.
func writeError(_ text: String, waitAtMostMs: Int32? = nil) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
        var piece = bytes.count - written
        if let waitAtMostMs {
            // A descriptor that reports room accepts this many bytes without blocking.
            piece = min(piece, 512)
            var place = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
            if unsafe poll(&place, 1, waitAtMostMs) <= 0 { return }
        }
        let count = unsafe bytes.withUnsafeBytes { unsafe write(2, $0.baseAddress! + written, piece) }
        if count <= 0 { return }
        written += count
    }
}

/// Rows of text in columns, aligned to the right except for the columns in `leftAligned`.
func renderTable(_ rows: [[String]], leftAligned: Set<Int>) -> String {
    guard let columns = rows.map(\.count).max() else { return "" }
    let widths = (0..<columns).map { column in
        rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    let lines = rows.map { row in
        row.enumerated().map { column, text in
            let padding = String(repeating: " ", count: widths[column] - text.count)
            return leftAligned.contains(column) ? text + padding : padding + text
        }.joined(separator: "  ")
    }
    return lines.map { line in
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }.joined(separator: "\n")
}

/// The same table without the columns that do not fit: those in `dropping` are left out one after the other
/// until it is at most `columnsMax` wide.
func fittingTable(
    _ rows: [[String]], leftAligned: Set<Int>, columnsMax: Int, dropping: [Int]
) -> String {
    var kept = Array((rows.first ?? []).indices)
    var rest = dropping[...]
    while true {
        let left = Set(kept.indices.filter { leftAligned.contains(kept[$0]) })
        let table = renderTable(rows.map { row in kept.map { row[$0] } }, leftAligned: left)
        let width = table.split(separator: "\n").map(\.count).max() ?? 0
        guard width > columnsMax, let next = rest.popFirst() else { return table }
        kept.removeAll { $0 == next }
    }
}

/// A line in pieces of at most `columnsMax` columns, broken at blanks, preferably after a comma or semicolon.
func wrapped(_ line: String, columnsMax: Int) -> [String] {
    var pieces: [String] = []
    var rest = line[...]
    while rest.count > columnsMax {
        let head = rest.prefix(columnsMax)
        let blanks = head.indices.dropFirst(columnsMax / 2).filter { head[$0] == " " }
        let pauses = blanks.filter { ",;".contains(head[head.index(before: $0)]) }
        guard let end = pauses.last ?? blanks.last else { break }
        pieces.append(String(rest[..<end]))
        rest = "  " + rest[rest.index(after: end)...]
    }
    return pieces + [String(rest)]
}

/// `1 connection`, `2 connections`.
func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// A number with the words of its metric: `1 gap`, `2 gaps`.
func counted<Root: Measured>(_ count: Int, _ path: PartialKeyPath<Root>) -> String {
    let title = Root[path].title
    return "\(count) \(count == 1 && title.hasSuffix("s") ? String(title.dropLast()) : title)"
}

/// A number of bytes in a suitable unit.
func byteText(_ bytes: Int) -> String {
    if bytes < 10_000 { return "\(bytes) B" }
    return bytes < 10_000_000 ? "\(bytes / 1_000) kB" : "\(bytes / 1_000_000) MB"
}

/// The bytes of a file; nil if it cannot be read or is longer than `bytesMax`.
///
/// - Parameter waitAtMostMs: how long a pipe may take to its end; nil is returned then, or at a signal.
func contents(ofFile path: String, bytesMax: Int, waitAtMostMs: Int64 = 5_000) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    if file < 0 { return nil }
    defer { close(file) }
    var facts = stat()
    if unsafe fstat(file, &facts) != 0 { return nil }
    let isRegular = facts.st_mode & S_IFMT == S_IFREG
    let deadlineNs = monotonicNs() + waitAtMostMs * 1_000_000
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= bytesMax {
        if !isRegular {
            var place = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            let leftMs = (deadlineNs - monotonicNs()) / 1_000_000
            if leftMs <= 0 || StopSignals.isRaised { return nil }
            // Before the first writer there are neither bytes nor an end.
            if unsafe poll(&place, 1, Int32(clamping: leftMs)) <= 0 { continue }
        }
        let count = unsafe piece.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress!, $0.count) }
        if count < 0 {
            if errno == EAGAIN || errno == EINTR { continue }
            return nil
        }
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
    return nil
}

/// A number with this many decimals.
func fixed(_ value: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int(saturated((value.magnitude * scale).rounded()))
    let sign = value < 0 ? "-" : ""
    if decimals == 0 { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int(scale))
    let padding = String(repeating: "0", count: decimals - fraction.count)
    return "\(sign)\(scaled / Int(scale)).\(padding)\(fraction)"
}

/// A large number rounded to three digits, with blanks between thousands.
func rounded(_ value: Double) -> String {
    var unit = 1.0
    while value / unit >= 1000 { unit *= 10 }
    var digits = Array(String(saturated((value / unit).rounded() * unit)))
    var at = digits.count - 3
    while at > 0 {
        digits.insert(" ", at: at)
        at -= 3
    }
    return String(digits)
}

/// 16 hexadecimal digits.
func hexadecimal(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// Nanoseconds of the monotonic clock.
func monotonicNs() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Time since the value was made.
struct Stopwatch {
    private let startedAtNs = monotonicNs()
    var elapsedNs: Int64 { monotonicNs() - startedAtNs }
}

/// Progress of a long run, on a terminal only.
struct ProgressLine {
    private let isTerminal = isatty(2) == 1
    private var shownAtNs: Int64 = 0
    private var calls = 0
    private var isShown = false

    mutating func show(_ what: String, _ fraction: @autoclosure () -> Double) {
        calls &+= 1
        if !isTerminal || calls & 1023 != 0 { return }
        let now = monotonicNs()
        if now - shownAtNs < 100_000_000 { return }
        shownAtNs = now
        isShown = true
        writeError("\r\u{1B}[K\(what): \(saturated(fraction() * 100)) %", waitAtMostMs: 100)
    }

    mutating func clear() {
        if isShown { writeError("\r\u{1B}[K", waitAtMostMs: 100) }
        isShown = false
    }
}
