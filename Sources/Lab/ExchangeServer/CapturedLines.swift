// The lines of a capture as messages and bodies, without whatever a collector wrapped around them.

import Captures
import LobRecording
import MarketData

/// A line of a capture.
struct CapturedLine {
    /// The message or body as the venue sent it.
    var bytes: [UInt8]
    /// Whether it has the members of a REST depth body.
    var isBody: Bool
    /// The symbol that an envelope names next to a body.
    var symbol: SymbolName?
    /// When it was received, in nanoseconds since 1970; nil if unknown.
    var receivedAtNs: Int64?
}

/// Reads a capture message by message and skips useless lines. Not copyable.
struct CapturedLines: ~Copyable {
    private var session: CaptureSession
    private var text: [UInt8] = []

    init(_ files: CaptureFiles) throws(ReadingError) { session = try CaptureSession(files) }

    /// The next line; nil at the end.
    mutating func next() throws(ReadingError) -> CapturedLine? {
        while let line = try session.next(into: &text) {
            let shape = LineShape(of: text.span)
            if case .foreign(let kind, _) = shape.content, kind != .retail && kind != .options { continue }
            var bytes = shape.unescaped
            if let range = shape.range {
                bytes = range.isEmpty || range.count == text.count ? text : Array(text[range])
            }
            return CapturedLine(
                bytes: bytes, isBody: shape.content == .body, symbol: shape.symbol,
                receivedAtNs: line.receivedAtNs ?? shape.receivedAtNs)
        }
        return nil
    }
}
