// What the lines of captures mean for an engine: messages and REST depth bodies.
//
// SAFETY: bytes of a line are read during the call that lends it.

import BinanceVenue
import Captures
import LobRecording
import MarketData

/// The content of a line.
enum LineItem {
    /// Useless; the survey has counted it.
    case nothing
    /// Useless, and why.
    case fault(String)
    /// A message: this part of the line.
    case message(Range<Int>)
    /// A message that is not in the line in this form.
    case composed([UInt8])
    /// A REST depth body, its symbol, and the number of levels per side that was requested.
    case body([UInt8], of: SymbolName, limit: Int)
}

/// Reads lines.
struct LineReader: ~Copyable {
    static let ownerless = "a depth body without a symbol among several symbols; use --snapshot SYMBOL=FILE"

    private var parser = MessageParser()

    /// The content of a line.
    ///
    /// - Parameters:
    ///   - line: the line.
    ///   - shape: its shape.
    ///   - hasSmallLetters: whether the symbols of its file are written in lower case.
    ///   - owner: the symbol of bodies that name none; nil if there are several symbols.
    mutating func item(
        _ line: CaptureLine, _ shape: LineShape, hasSmallLetters: Bool,
        owner: @autoclosure () -> SymbolName?
    ) -> LineItem {
        if line.isTooLong { return .fault("a line of more than \(CaptureReader.lineBytesMax) bytes") }
        switch shape.content {
        case .foreign: return .nothing
        case .body:
            let text = shape.range.map { range in unsafe Array(line.message[range]) } ?? shape.unescaped
            return body(text, shape.symbol ?? owner())
        case .message:
            if let range = shape.range, !hasSmallLetters { return .message(range) }
            var text = shape.range.map { range in unsafe Array(line.message[range]) } ?? shape.unescaped
            if let letters = LineShape.symbolLetters(text.span) {
                for index in letters where text[index] >= 0x61 && text[index] <= 0x7A { text[index] &= 0xDF }
            }
            return .composed(text)
        }
    }

    /// A REST depth body in a line, or a frame of a raw partial depth stream, which looks like one.
    private mutating func body(_ text: [UInt8], _ owner: SymbolName?) -> LineItem {
        let facts: DepthBody
        do throws(ParseError) {
            try parser.parseSnapshot(text.span)
            facts = DepthBody(parser.snapshot)
        } catch {
            return .fault("a REST depth body: \(error.code.rawValue)")
        }
        guard let symbol = facts.symbol ?? owner else {
            return .fault(
                facts.isTopOnly
                    ? LineReader.ownerless.replacing(
                        "a depth body", with: "a frame of a raw partial depth stream")
                    : LineReader.ownerless)
        }
        if !facts.isTopOnly { return .body(text, of: symbol, limit: facts.limit) }
        let head = "{\"stream\":\"\(symbol.lowercasedASCII)@depth\(facts.limit)\",\"data\":"
        return .composed(Array(head.utf8) + text + [UInt8(ascii: "}")])
    }
}
