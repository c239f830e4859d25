// What a message means, worked out the slow way: a tree of the JSON text, then the documented rules one by
// one on the raw text of each field. Shares no code with the parser. Foundation's JSON is the judge of this
// judge: see `foundationAgrees`.

import BinanceVenue
import Foundation
import MarketData
import TestSupport

/// Everything that a message about a book delivers.
struct BookContents: Equatable {
    var kind = MessageKind.other
    var stream: [UInt8]?
    var symbol: [UInt8] = []
    var first: Int64 = 0
    var last: Int64 = 0
    var previousLast: Int64?
    var eventTimeUs: Int64 = 0
    var transactionTimeUs: Int64 = 0
    /// -1 if there is no level.
    var priceDecimals = -1
    var quantityDecimals = -1
    var bids: [PriceLevel] = []
    var asks: [PriceLevel] = []
    /// How far a sender says that its own book is proven.
    var extras: UpdateExtras?
}

/// The text breaks this rule.
struct NaiveRefusal: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// JSON as it stands: strings and numbers are ranges of the text, escapes untouched.
enum RawJSON {
    case object([(key: Range<Int>, value: RawJSON)])
    case array([RawJSON])
    case string(Range<Int>)
    case number(Range<Int>)
    case word(Range<Int>)
}

/// RFC 8259 by recursive descent, except that UTF-8 is not validated.
struct NaiveJSON {
    let text: [UInt8]
    private var at = 0

    init(_ text: [UInt8]) { self.text = text }

    static func tree(_ text: [UInt8]) throws -> RawJSON {
        var json = NaiveJSON(text)
        let value = try json.value(depth: 0)
        guard json.at == text.count else { throw NaiveRefusal("bytes behind the value") }
        return value
    }

    private var next: UInt8? { at < text.count ? text[at] : nil }

    private mutating func blanks() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func need(_ character: Unicode.Scalar) throws {
        if !take(character) { throw NaiveRefusal("no \(character) at \(at)") }
    }

    /// A value with the blanks around it.
    private mutating func value(depth: Int) throws -> RawJSON {
        if depth > 64 { throw NaiveRefusal("too deep") }
        blanks()
        let found = try bareValue(depth)
        blanks()
        return found
    }

    private mutating func bareValue(_ depth: Int) throws -> RawJSON {
        if take("[") {
            var items: [RawJSON] = []
            blanks()
            if take("]") { return .array(items) }
            repeat { items.append(try value(depth: depth + 1)) } while take(",")
            try need("]")
            return .array(items)
        }
        if take("{") {
            var members: [(key: Range<Int>, value: RawJSON)] = []
            blanks()
            if take("}") { return .object(members) }
            repeat {
                blanks()
                let key = try string()
                blanks()
                try need(":")
                members.append((key, try value(depth: depth + 1)))
            } while take(",")
            try need("}")
            return .object(members)
        }
        if next == 0x22 { return .string(try string()) }
        for word in ["true", "false", "null"] where text[at...].starts(with: word.utf8) {
            at += word.utf8.count
            return .word(at - word.utf8.count..<at)
        }
        return .number(try number())
    }

    private mutating func string() throws -> Range<Int> {
        try need("\"")
        let first = at
        while let byte = next, byte != 0x22 {
            if byte < 0x20 { throw NaiveRefusal("control byte in a string") }
            at += 1
            if byte != 0x5C { continue }
            guard let escape = next else { break }
            at += 1
            if escape == UInt8(ascii: "u") {
                for _ in 0..<4 {
                    guard let digit = next, Character(Unicode.Scalar(digit)).isHexDigit else {
                        throw NaiveRefusal("bad \\u")
                    }
                    at += 1
                }
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                throw NaiveRefusal("bad escape")
            }
        }
        try need("\"")
        return first..<at - 1
    }

    private mutating func number() throws -> Range<Int> {
        let first = at
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return first..<at
    }

    private mutating func digits() throws {
        let first = at
        while let byte = next, byte >= 0x30 && byte <= 0x39 { at += 1 }
        if at == first { throw NaiveRefusal("no digit at \(at)") }
    }
}

/// One object, its members by name.
struct NaiveObject {
    private static let known: Set<String> = [
        "stream", "data", "event", "e", "E", "T", "s", "U", "u", "pu", "b", "a", "B", "A", "lastUpdateId",
        "bids",
        "asks", "symbol", "result", "id", "error", "code", "msg", "lobBidsProvenTo", "lobAsksProvenTo",
    ]
    let text: [UInt8]
    private var members: [String: RawJSON] = [:]

    init(_ value: RawJSON?, _ text: [UInt8]) throws {
        guard case .object(let list) = value else { throw NaiveRefusal("no object") }
        self.text = text
        for member in list {
            let name = String(decoding: text[member.key], as: UTF8.self)
            if NaiveObject.known.contains(name) && members[name] != nil {
                throw NaiveRefusal("\(name) twice")
            }
            members[name] = member.value
        }
    }

    subscript(name: String) -> RawJSON? { members[name] }

    func string(_ name: String) throws -> [UInt8] {
        guard case .string(let range) = members[name] else { throw NaiveRefusal("\(name) is no string") }
        return Array(text[range])
    }

    /// A string without escapes.
    func name(_ name: String) throws -> [UInt8] {
        let bytes = try string(name)
        if bytes.contains(0x5C) { throw NaiveRefusal("escape in \(name)") }
        return bytes
    }

    func symbol(_ name: String) throws -> [UInt8] { try NaiveObject.symbol(try self.name(name)) }

    static func symbol(_ bytes: [UInt8]) throws -> [UInt8] {
        if bytes.isEmpty || bytes.count > 47 { throw NaiveRefusal("\(bytes.count) bytes of symbol") }
        return bytes
    }

    func integer(_ name: String) throws -> Int64 {
        guard case .number(let range) = members[name] else { throw NaiveRefusal("\(name) is no number") }
        let digits = String(decoding: text[range], as: UTF8.self)
        guard digits.allSatisfy({ "0123456789".contains($0) }), let value = Int64(digits) else {
            throw NaiveRefusal("\(name) is \(digits)")
        }
        return value
    }

    func timeUs(_ name: String) throws -> Int64 {
        if members[name] == nil { return 0 }
        let time = try integer(name)
        return time < 100_000_000_000_000 ? time * 1000 : time
    }
}

/// A decimal text: digits, and a point between digits if there is one.
struct NaiveDecimal {
    let mantissa: Int64
    let decimals: Int

    init(_ value: RawJSON?, _ text: [UInt8]) throws {
        guard case .string(let range) = value else { throw NaiveRefusal("no text of a number") }
        let parts = text[range].split(separator: 0x2E, omittingEmptySubsequences: false)
        let isDigits = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        }
        guard parts.count <= 2, isDigits else { throw NaiveRefusal("no decimal") }
        if parts[0].count > 1 && parts[0].first == 0x30 { throw NaiveRefusal("leading zero") }
        let digits = parts.joined()
        guard digits.count <= 19, let value = Int64(String(decoding: Array(digits), as: UTF8.self)) else {
            throw NaiveRefusal("too large")
        }
        mantissa = value
        decimals = parts.count == 2 ? parts[1].count : 0
    }

    /// The mantissa with so many decimals, at least its own unless it is zero.
    func mantissa(withDecimals wanted: Int) throws -> Int64 {
        var value = mantissa
        if value == 0 { return 0 }
        for _ in decimals..<wanted {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            if overflows { throw NaiveRefusal("too large") }
            value = product
        }
        return value
    }
}
