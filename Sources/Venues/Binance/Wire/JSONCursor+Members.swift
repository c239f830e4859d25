// Walks objects and arrays member by member, for bodies parsed once from front to back: the caller decides at
// each member whether to read or skip its value.

extension JSONCursor {
    /// Calls `body` at the value of every member of the object at the cursor; `body` moves past the value.
    mutating func forEachMember(
        _ body: (_ name: Range<Int>, _ value: inout JSONCursor) throws(ParseError) -> Void
    ) throws(ParseError) {
        try expect(UInt8(ascii: "{"), else: .fieldType)
        skipBlanks()
        if skip(UInt8(ascii: "}")) { return }
        while true {
            skipBlanks()
            if byte != 0x22 { throw unexpected() }
            let name = try string()
            skipBlanks()
            try expect(UInt8(ascii: ":"))
            skipBlanks()
            try body(name, &self)
            skipBlanks()
            if skip(UInt8(ascii: "}")) { return }
            try expect(UInt8(ascii: ","))
        }
    }

    /// Calls `body` at every element of the array at the cursor; `body` moves past the element.
    mutating func forEachElement(
        _ body: (_ element: inout JSONCursor) throws(ParseError) -> Void
    ) throws(ParseError) {
        try expect(UInt8(ascii: "["), else: .fieldType)
        skipBlanks()
        if skip(UInt8(ascii: "]")) { return }
        while true {
            skipBlanks()
            try body(&self)
            skipBlanks()
            if skip(UInt8(ascii: "]")) { return }
            try expect(UInt8(ascii: ","))
        }
    }

    /// The string at the cursor, if it is one; moves past the value either way.
    mutating func textIfAny(bytesMax: Int) throws(ParseError) -> String? {
        if byte != 0x22 {
            try skipValue()
            return nil
        }
        return text(try string(), bytesMax: bytesMax)
    }

    /// These bytes of the message, at most `bytesMax` plus one.
    func copy(_ bytes: Range<Int>, bytesMax: Int) -> [UInt8] { bytes.prefix(bytesMax + 1).map { self[$0] } }

    /// These bytes of the message as text, escapes unchanged, truncated to at most `bytesMax` bytes.
    func text(_ bytes: Range<Int>, bytesMax: Int) -> String {
        String(decoding: bytes.prefix(bytesMax).map { self[$0] }, as: UTF8.self)
    }
}
