// The content of a capture line, by its shape: a message as the venue sends it, a REST depth body, either of
// them in a collector's envelope, or something else.
//
// Lines that start like the venue's messages are recognised by twelve bytes; only others are examined
// further. An envelope is an object of which exactly one member is a message or a body, or a string
// containing one; it may also contain the symbol of a body and the receive time.

import BinanceVenue
import LobRecording
import MarketData

/// Content of a line.
package enum LineContent: Hashable, Sendable {
    /// A message for the parser.
    case message
    /// An object with the members of a REST depth body.
    case body
    /// Something else; the text describes it.
    case foreign(ForeignLine, detail: String)
}

/// A line of a capture, without its envelope.
package struct LineShape: Sendable {
    /// Its content.
    package var content: LineContent
    /// Range of the message or body in the line; nil if it was a string with escapes, and is now in
    /// `unescaped`.
    package var range: Range<Int>? = 0..<0
    /// The message or body, if it was a string with escapes.
    package var unescaped: [UInt8] = []
    /// The symbol named by the envelope, in capitals.
    package var symbol: SymbolName?
    /// The time given by the envelope, in nanoseconds since 1970.
    package var receivedAtNs: Int64?

    /// Maximum nesting of objects examined.
    static let depthMax = 3

    private init(_ content: LineContent, _ range: Range<Int>) {
        self.content = content
        self.range = range
    }

    private static func foreign(_ kind: ForeignLine, _ detail: String) -> LineShape {
        LineShape(.foreign(kind, detail: detail), 0..<0)
    }

    /// The shape of a line without its receive time.
    ///
    /// - Complexity: O(1) for lines that start like the venue's messages, otherwise O(bytes).
    package init(of line: Span<UInt8>) {
        let isMessage = MessageClass(line) == .data && line[line.count - 1] == UInt8(ascii: "}")
        // A body, {"lastUpdateId", may contain more about itself.
        if isMessage && line[2] != UInt8(ascii: "l") {
            self = LineShape(.message, 0..<line.count)
            return
        }
        self.init(lookingInto: line)
    }

    /// The shape of a line that does not start like the venue's messages, or whose contents matter.
    init(lookingInto line: Span<UInt8>) { self = LineShape.look(line) }

    private static func look(_ line: Span<UInt8>) -> LineShape {
        var at = 0
        skipBlanks(line, &at)
        if at == line.count { return LineShape(.message, 0..<line.count) }
        switch line[at] {
        case UInt8(ascii: "{"): return object(line, at)
        case UInt8(ascii: "["): return bracket(line, at)
        case UInt8(ascii: "<"): return foreign(.page, string(line, 0..<line.count, countMax: 60))
        case 0x22, UInt8(ascii: "]"), UInt8(ascii: "}"): return spread(line)
        case _: return text(line)
        }
    }

    /// A line that starts with a brace.
    private static func object(_ line: Span<UInt8>, _ first: Int) -> LineShape {
        var at = first + 1
        skipBlanks(line, &at)
        if at == line.count { return spread(line) }
        if line[at] == UInt8(ascii: "'") {
            return foreign(.python, string(line, first..<line.count, countMax: 40))
        }
        guard let outline = JSONOutline(line, at: first) else {
            // The parser reports where it stops being JSON.
            return LineShape(.message, 0..<line.count)
        }
        var end = outline.end
        skipBlanks(line, &end)
        if end < line.count {
            if line[end] == UInt8(ascii: "{") { return foreign(.glued, "another object at byte \(end)") }
            if line[end] == UInt8(ascii: ","), end == line.count - 1 {
                return foreign(.array, "a comma behind an object")
            }
            return LineShape(.message, 0..<line.count)
        }
        return shape(line, first..<outline.end, outline, depth: 0)
            ?? foreign(.unknown, outline.names(line))
    }

    /// A line that starts with a bracket: an array, or a log timestamp.
    private static func bracket(_ line: Span<UInt8>, _ first: Int) -> LineShape {
        var at = first + 1
        skipBlanks(line, &at)
        if at == line.count { return foreign(.array, "an opening bracket") }
        let isJSON = line[line.count - 1] == UInt8(ascii: "]")
        let beginsWithObject = line[at] == UInt8(ascii: "{")
        if beginsWithObject || isJSON, contains(line, "\"depthUpdate\"") || contains(line, "\"lastUpdateId\"")
        {
            let kind: ForeignLine = beginsWithObject ? .array : .row
            return foreign(kind, string(line, first..<line.count, countMax: 40))
        }
        return isJSON ? LineShape(.message, 0..<line.count) : text(line)
    }

    private static func spread(_ line: Span<UInt8>) -> LineShape {
        let isRow = contains(line, "\"\"e\"\"") || contains(line, "\",\"")
        if isRow { return foreign(.table, columns(line)) }
        return foreign(.spread, string(line, 0..<line.count, countMax: 40))
    }

    /// A line that is not JSON from its first byte.
    private static func text(_ line: Span<UInt8>) -> LineShape {
        var commas = 0
        var tabs = 0
        for index in 0..<line.count {
            switch line[index] {
            case UInt8(ascii: ","): commas += 1
            case 0x09: tabs += 1
            case UInt8(ascii: "{") where index > 0 && line[index - 1] == 0x22 && commas > 0:
                return foreign(.tableOfJSON, columns(line))
            case UInt8(ascii: "{") where commas < 2 && tabs < 2:
                let rest = string(line, 0..<index, countMax: 40)
                return foreign(.prefix, "\(index) bytes before the message: '\(rest)'")
            case _: break
            }
        }
        if commas >= 2 || tabs >= 2 { return foreign(.table, columns(line)) }
        return foreign(.text, string(line, 0..<line.count, countMax: 60))
    }

    private static func columns(_ line: Span<UInt8>) -> String { string(line, 0..<line.count, countMax: 100) }
}

// Objects.
extension LineShape {
    /// The shape of an object; nil if it is unknown.
    private static func shape(
        _ line: Span<UInt8>, _ range: Range<Int>, _ outline: JSONOutline, depth: Int
    ) -> LineShape? {
        func has(_ name: StaticString) -> Bool { outline.has(name, line) }
        if let stream = outline.text("stream", line), has("data") {
            if stream.contains("@rpiDepth") { return foreign(.retail, stream) }
            if isOption(line, outline) { return foreign(.options, stream) }
            return LineShape(.message, range)
        }
        if has("e") {
            return outline.text("e", line) == "depth"
                ? foreign(.options, outline.names(line)) : LineShape(.message, range)
        }
        if has("lastUpdateId") && (has("bids") || has("asks")) {
            var shape = LineShape(.body, range)
            shape.symbol = symbol(line, outline)
            return shape
        }
        if has("nonce") && has("bids") && has("asks") { return foreign(.unifiedBook, outline.names(line)) }
        if has("U") && has("u") && (has("b") || has("a")) {
            return foreign(.untypedEvent, outline.names(line))
        }
        if has("u") && (has("B") || has("A")) { return LineShape(.message, range) }
        if let inner = envelope(line, outline, depth: depth) { return inner }
        let isReply =
            has("result") || has("error") || has("method") || has("code") && has("msg") || has("event")
        return isReply ? LineShape(.message, range) : nil
    }

    /// The message or body in the only member that contains one; nil if none does.
    private static func envelope(
        _ line: Span<UInt8>, _ outline: JSONOutline, depth: Int
    ) -> LineShape? {
        if depth == depthMax { return nil }
        var found: LineShape?
        var strange: LineShape?
        for member in outline.members {
            guard let inner = content(line, member.value, depth: depth + 1) else { continue }
            if case .foreign = inner.content {
                strange = strange ?? inner
                continue
            }
            if found != nil { return foreign(.ambiguous, outline.names(line)) }
            found = inner
        }
        guard var found else { return strange }
        if found.symbol == nil { found.symbol = symbol(line, outline) }
        if found.receivedAtNs == nil { found.receivedAtNs = time(line, outline) }
        return found
    }

    /// The content of a member, if it is an object of a known shape or a text containing one.
    private static func content(_ line: Span<UInt8>, _ value: Range<Int>, depth: Int) -> LineShape? {
        if line[value.lowerBound] == UInt8(ascii: "{") {
            guard let outline = JSONOutline(line, at: value.lowerBound) else { return nil }
            return shape(line, value, outline, depth: depth)
        }
        guard line[value.lowerBound] == 0x22, value.count > 2 else { return nil }
        let head = string(line, (value.lowerBound + 1)..<(value.upperBound - 1), countMax: 8)
        guard head.contains("{"), let text = unescape(line, value) else { return nil }
        guard let outline = JSONOutline(text.span, at: 0) else { return nil }
        guard var inner = shape(text.span, 0..<text.count, outline, depth: depth) else { return nil }
        if let range = inner.range { inner.unescaped = Array(text[range]) }
        inner.range = nil
        return inner
    }

    /// The symbol that an object names beside its content, in capitals.
    private static func symbol(_ line: Span<UInt8>, _ outline: JSONOutline) -> SymbolName? {
        let text =
            outline.text("symbol", line) ?? outline.text("s", line) ?? outline.text("instrument", line)
            ?? outline.text("sym", line) ?? outline.text("pair", line)
            ?? outline.text("stream", line).map { String($0.prefix { $0 != "@" }) }
        guard let text, let name = SymbolName(text.replacing("/", with: "")), !name.isEmpty else {
            return nil
        }
        return name.capital
    }

    /// The time that an object gives beside its content: of a member whose name suggests receipt, otherwise
    /// of the first member that is a time.
    private static func time(_ line: Span<UInt8>, _ outline: JSONOutline) -> Int64? {
        var first: Int64?
        for member in outline.members {
            guard let time = time(line, member.value) else { continue }
            let name = string(line, member.name, countMax: 40).lowercased()
            if ["rx", "recv", "receiv", "local", "arriv"].contains(where: name.contains) { return time }
            first = first ?? time
        }
        return first
    }

    /// A number or text that is a time between 2001 and 2261.
    private static func time(_ line: Span<UInt8>, _ value: Range<Int>) -> Int64? {
        let isText = line[value.lowerBound] == 0x22
        let inside = isText ? (value.lowerBound + 1)..<(value.upperBound - 1) : value
        if inside.count < 10 || inside.count > 40 { return nil }
        let digits = inside.map { line[$0] }
        let time = timeNs(ofText: digits.span)
        return time.flatMap { $0 >= 1_000_000_000_000_000_000 ? $0 : nil }
    }

    /// Whether a stream's payload is depth of European options.
    private static func isOption(_ line: Span<UInt8>, _ outline: JSONOutline) -> Bool {
        guard let data = outline.value("data", line), let inner = JSONOutline(line, at: data.lowerBound)
        else {
            return false
        }
        return inner.text("e", line) == "depth"
    }

    /// A quoted string with its escapes resolved; nil if it has one that the venue's JSON never needs.
    private static func unescape(_ line: Span<UInt8>, _ value: Range<Int>) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.count)
        var at = value.lowerBound + 1
        while at < value.upperBound - 1 {
            var byte = line[at]
            at += 1
            if byte == UInt8(ascii: "\\") {
                byte = line[at]
                at += 1
                switch byte {
                case 0x22, UInt8(ascii: "\\"), UInt8(ascii: "/"): break
                case UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "r"): byte = 0x20
                case _: return nil
                }
            }
            if !bytes.isEmpty || byte != 0x20 { bytes.append(byte) }
        }
        return bytes
    }

    /// Whether a text contains a word.
    private static func contains(_ text: Span<UInt8>, _ word: StaticString) -> Bool {
        let word = Array("\(word)".utf8)
        if text.count < word.count { return false }
        for first in 0...(text.count - word.count) where text[first] == word[0] {
            if word.indices.allSatisfy({ text[first + $0] == word[$0] }) { return true }
        }
        return false
    }
}

extension LineShape {
    /// Range of the letters of a message's symbol, bare or wrapped; nil if there are none.
    package static func symbolLetters(_ text: Span<UInt8>) -> Range<Int>? {
        guard let outline = JSONOutline(text, at: 0) else { return nil }
        if let value = outline.value("s", text) {
            return value.count > 2 ? (value.lowerBound + 1)..<(value.upperBound - 1) : nil
        }
        let inner = outline.value("data", text) ?? outline.value("event", text)
        guard let inner, let data = JSONOutline(text, at: inner.lowerBound),
            let value = data.value("s", text), value.count > 2
        else { return nil }
        return (value.lowerBound + 1)..<(value.upperBound - 1)
    }
}

extension SymbolName {
    /// The name with ASCII letters uppercased, as the venue writes symbols; other bytes are unchanged.
    package var capital: SymbolName {
        let bytes = description.utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 }
        return SymbolName(String(decoding: bytes, as: UTF8.self)) ?? self
    }
}
