// REST depth bodies: their properties, and the wording of refusals.

import BinanceVenue
import MarketData

/// Properties of a REST depth body.
package struct DepthBody: Hashable, Sendable {
    /// Its symbol in capitals; nil if it names none.
    package var symbol: SymbolName?
    /// Its update id.
    package var id: UpdateID
    /// Levels requested per side, as far as the body shows: it may have been truncated at the length of its
    /// longer side, since a spot request may name any number; a shorter side is complete.
    package var limit: Int
    /// Whether it is a frame of a raw partial depth stream rather than a body: those have 5, 10 or 20 levels
    /// and, on spot, neither symbol nor time.
    package var isTopOnly: Bool

    /// Properties of the snapshot a parser has just read.
    package init(_ snapshot: borrowing DepthSnapshot) {
        symbol = snapshot.symbol.isEmpty ? nil : snapshot.symbol.capital
        id = snapshot.lastUpdateID
        limit = max(snapshot.bids.count, snapshot.asks.count)
        let isTimed = snapshot.eventTimeUs != 0 || snapshot.transactionTimeUs != 0
        isTopOnly = [5, 10, 20].contains(limit) && snapshot.symbol.isEmpty && !isTimed
    }
}

/// Why a text is not a REST depth body.
package struct BodyRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence for display.
    package let description: String
}

extension DepthBody {
    /// Finds the body in a text, unwrapping `result`, `data` or another envelope.
    ///
    /// - Returns: its properties and its bytes.
    package static func find(in text: [UInt8]) throws(BodyRefusal) -> (facts: DepthBody, bytes: [UInt8]) {
        var shape = LineShape(lookingInto: text.span)
        var bytes = shape.unescaped
        if let range = shape.range { bytes = Array(text[range]) }
        if shape.content != .body {
            bytes = text
            shape.symbol = nil
        }
        var parser = MessageParser()
        do throws(ParseError) {
            try parser.parseSnapshot(bytes.span)
        } catch {
            throw BodyRefusal(description: words(error, text, shape))
        }
        var facts = DepthBody(parser.snapshot)
        facts.symbol = facts.symbol ?? shape.symbol
        return (facts, bytes)
    }

    private static func words(_ error: ParseError, _ text: [UInt8], _ shape: LineShape) -> String {
        let span = text.span
        var at = 0
        skipBlanks(span, &at)
        if at == text.count { return "the file is empty" }
        if case .foreign(.page, let detail) = shape.content {
            return "it is a page of HTML (\(detail.filter { $0 != "\n" })), not a REST depth body"
        }
        if text[at] == UInt8(ascii: "[") { return "not a REST depth body: it is a JSON array (byte \(at))" }
        guard let outline = JSONOutline(span, at: at) else { return "not a REST depth body: \(error)" }
        if let refusal = refusal(span, outline) { return refusal }
        if let id = outline.value("lastUpdateId", span), span[id.lowerBound] &- 0x30 > 9 {
            let found = string(span, id, countMax: 30)
            return "not a REST depth body: lastUpdateId is \(found), not a number, at byte \(id.lowerBound)"
        }
        if !outline.has("lastUpdateId", span), shape.content != .body {
            let nonce = outline.has("nonce", span) ? " (ccxt calls it nonce)" : ""
            return "not a REST depth body: no lastUpdateId\(nonce) in the object at byte \(at), "
                + "which has the members \(outline.names(span))"
        }
        return "not a REST depth body: \(error)"
    }

    /// The venue's own error message; nil if the text is not one.
    private static func refusal(_ text: Span<UInt8>, _ outline: JSONOutline) -> String? {
        if let inner = outline.value("error", text).flatMap({ JSONOutline(text, at: $0.lowerBound) }) {
            return refusal(text, inner)
        }
        guard let code = outline.value("code", text), let message = outline.text("msg", text) else {
            return nil
        }
        let number = string(text, code, countMax: 20)
        return number == "0" ? nil : "the venue refused the request: \(number) \(message)"
    }
}
