// JSON as a tree, for what is off the hot path: clients' control messages and lists in query strings.
// Hot-path messages are parsed in place by `JSONCursor`.
//
// Strict: one RFC 8259 value, with optional blanks around it, and nothing else. UTF-8 is not validated. A
// number is either a 64-bit integer or something else, which no caller accepts. Of several members with one
// name the last counts; `last(where:)` finds it.
//
// Worst case: O(bytes), nesting bounded by `depthMax`, memory proportional to the text, whose length callers
// bound.

/// A JSON value.
indirect enum JSONTree: Hashable, Sendable {
    case null
    case flag(Bool)
    case integer(Int64)
    /// A number that is not a 64-bit integer.
    case otherNumber
    case text(String)
    case list([JSONTree])
    case object([JSONMember])

    /// Maximum nesting depth.
    static let depthMax = 32

    /// Parses a text.
    ///
    /// - Throws: the offset of the first byte that cannot stand there; the length if the text is too short.
    init(_ bytes: [UInt8]) throws(JSONTreeError) {
        var reader = JSONTreeReader(bytes: bytes)
        self = try reader.value(depth: 0)
        reader.skipBlanks()
        if reader.at < bytes.count { throw JSONTreeError(offset: reader.at) }
    }
}

/// A member of an object.
struct JSONMember: Hashable, Sendable {
    var name: String
    var value: JSONTree
    /// Offset after the value.
    var end: Int
}

/// Where a text stops being JSON.
struct JSONTreeError: Error, Hashable, Sendable {
    var offset: Int
}

private struct JSONTreeReader {
    let bytes: [UInt8]
    var at = 0

    private var error: JSONTreeError { JSONTreeError(offset: at) }

    mutating func skipBlanks() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard at < bytes.count && bytes[at] == byte else { return false }
        at += 1
        return true
    }

    mutating func value(depth: Int) throws(JSONTreeError) -> JSONTree {
        skipBlanks()
        guard at < bytes.count, depth < JSONTree.depthMax else { throw error }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try list(depth)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "t"): return try word("true", .flag(true))
        case UInt8(ascii: "f"): return try word("false", .flag(false))
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONTree) throws(JSONTreeError) -> JSONTree {
        for byte in word.utf8 where !skip(byte) { throw error }
        return value
    }

    private mutating func list(_ depth: Int) throws(JSONTreeError) -> JSONTree {
        at += 1
        var values: [JSONTree] = []
        skipBlanks()
        if skip(UInt8(ascii: "]")) { return .list(values) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipBlanks()
        } while skip(UInt8(ascii: ","))
        if !skip(UInt8(ascii: "]")) { throw error }
        return .list(values)
    }

    private mutating func object(_ depth: Int) throws(JSONTreeError) -> JSONTree {
        at += 1
        var members: [JSONMember] = []
        skipBlanks()
        if skip(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            skipBlanks()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw error }
            let name = try text()
            skipBlanks()
            if !skip(UInt8(ascii: ":")) { throw error }
            let value = try value(depth: depth + 1)
            members.append(JSONMember(name: name, value: value, end: at))
            skipBlanks()
        } while skip(UInt8(ascii: ","))
        if !skip(UInt8(ascii: "}")) { throw error }
        return .object(members)
    }

    private mutating func number() throws(JSONTreeError) -> JSONTree {
        let start = at
        _ = skip(UInt8(ascii: "-"))
        let first = at
        digits()
        if at == first || (bytes[first] == UInt8(ascii: "0") && at > first + 1) { throw error }
        let integerEnd = at
        if skip(UInt8(ascii: ".")) { try someDigits() }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            try someDigits()
        }
        let integer = Int64(String(decoding: bytes[start..<at], as: UTF8.self))
        return at == integerEnd ? integer.map { .integer($0) } ?? .otherNumber : .otherNumber
    }

    private mutating func digits() {
        while at < bytes.count, bytes[at] &- 0x30 <= 9 { at += 1 }
    }

    private mutating func someDigits() throws(JSONTreeError) {
        let first = at
        digits()
        if at == first { throw error }
    }

    private mutating func text() throws(JSONTreeError) -> String {
        at += 1
        var units: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            if byte < 0x20 { throw error }
            at += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: units, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") { try escape(into: &units) } else { units.append(byte) }
        }
        throw error
    }

    private mutating func escape(into units: inout [UInt8]) throws(JSONTreeError) {
        guard at < bytes.count else { throw error }
        let plain: UInt8
        switch bytes[at] {
        case 0x22, 0x5C, 0x2F: plain = bytes[at]
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0C
        case UInt8(ascii: "n"): plain = 0x0A
        case UInt8(ascii: "r"): plain = 0x0D
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"): return try escapedUnit(into: &units)
        default: throw error
        }
        at += 1
        units.append(plain)
    }

    private mutating func escapedUnit(into units: inout [UInt8]) throws(JSONTreeError) {
        var code = try hexadecimal()
        if code & 0xFC00 == 0xD800, at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == 0x75 {
            at += 1
            code = 0x10000 + (code & 0x3FF) << 10 + (try hexadecimal() & 0x3FF)
        }
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        units.append(contentsOf: String(Character(scalar)).utf8)
    }

    /// The four hex digits after a `u`.
    private mutating func hexadecimal() throws(JSONTreeError) -> UInt32 {
        at += 1
        guard at + 4 <= bytes.count else { throw error }
        var code: UInt32 = 0
        for byte in bytes[at..<at + 4] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x37
            case 0x61...0x66: digit = byte - 0x57
            default: throw error
            }
            code = code << 4 | UInt32(digit)
        }
        at += 4
        return code
    }
}
