// Standard error, shared by log lines and a live screen that is redrawn below them. Without a terminal there
// is no screen. No caller waits for output: a separate thread writes, and what a stopped terminal or a full
// pipe does not accept is dropped after a while, and counted.
//
// SAFETY: the window size is written into a local variable.

import BookService
import Glibc
import LobMetrics
import Synchronization

/// Where log lines and the live screen go. Any thread may use it.
final class Console: Sendable {
    private let queue: LineQueue?
    /// Whether there is a live screen.
    let isLive: Bool

    /// How long the end waits for an output that blocks.
    private static let flushNs: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - isLive: false never draws, whatever standard error is.
    ///   - format: the format of the line that reports how many lines were lost.
    init(isLive: Bool, format: LogFormat = .text) {
        self.isLive = isLive && isatty(2) == 1
        let shown = Mutex<[String]>([])
        // Without a thread, lines are written at once.
        queue = try? LineQueue { batch in
            shown.withLock { shown in
                var text = Console.erasure(of: shown)
                if batch.lostCount > 0 {
                    let facts = [(LineQueue[\.lostCount].key, "\(batch.lostCount)")]
                    text += logLine(format, "warning", "log lines were lost: nobody took them", facts) + "\n"
                }
                text += Console.text(batch.lines)
                if let picture = batch.picture { shown = picture }
                writeError(text + Console.text(shown))
            }
        }
    }

    /// Queues a line to be written above the screen.
    func log(_ line: String) {
        if let queue { queue.add(line) } else { printError(line) }
    }

    /// Queues a new content of the screen.
    func draw(_ lines: [String]) {
        if !isLive { return }
        let size = Console.pictureSize
        queue?.show(lines.prefix(size.rows).map { String($0.prefix(size.columns)) })
    }

    /// Removes the screen and waits until everything is written, but not for long.
    func clear() {
        draw([])
        queue?.flush(waitAtMostNs: Console.flushNs)
    }

    private static func erasure(of lines: [String]) -> String {
        lines.isEmpty ? "" : "\u{1B}[\(lines.count)A\r\u{1B}[J"
    }

    private static func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    /// Rows and columns available for the screen.
    static var pictureSize: (rows: Int, columns: Int) {
        let size = windowSize
        return (max(size.rows - 1, 1), max(size.columns - 1, 20))
    }

    /// Rows and columns of the terminal; 24 and 80 if unknown.
    private static var windowSize: (rows: Int, columns: Int) {
        var size = winsize()
        if unsafe ioctl(2, UInt(TIOCGWINSZ), &size) != 0 || size.ws_row == 0 { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
