// Standard error, shared by log lines and a picture that is drawn over and over below them. Without a
// terminal there is no picture.
//
// SAFETY: the window's size is written into a variable of the call.

import Glibc
import Synchronization

/// Where log lines and the live picture go. May be used by any thread.
final class Console: Sendable {
    private let shown = Mutex<[String]>([])
    /// Whether there is a picture.
    let isLive: Bool

    /// - Parameter isLive: false never draws, whatever standard error is.
    init(isLive: Bool) { self.isLive = isLive && isatty(2) == 1 }

    /// Writes a line above the picture.
    func log(_ line: String) {
        shown.withLock { writeError(Console.erasure(of: $0) + line + "\n" + Console.text($0)) }
    }

    /// Replaces the picture.
    func draw(_ lines: [String]) {
        if !isLive { return }
        let size = Console.pictureSize
        let fitting = lines.prefix(size.rows).map { String($0.prefix(size.columns)) }
        shown.withLock {
            writeError(Console.erasure(of: $0) + Console.text(fitting))
            $0 = fitting
        }
    }

    /// Takes the picture away.
    func clear() { draw([]) }

    private static func erasure(of lines: [String]) -> String {
        lines.isEmpty ? "" : "\u{1B}[\(lines.count)A\r\u{1B}[J"
    }

    private static func text(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }

    /// Rows and columns there are for a picture.
    static var pictureSize: (rows: Int, columns: Int) {
        let size = windowSize
        return (max(size.rows - 1, 1), max(size.columns - 1, 20))
    }

    /// Rows and columns of the terminal; 24 and 80 if they are unknown.
    private static var windowSize: (rows: Int, columns: Int) {
        var size = winsize()
        if unsafe ioctl(2, UInt(TIOCGWINSZ), &size) != 0 || size.ws_row == 0 { return (24, 80) }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
