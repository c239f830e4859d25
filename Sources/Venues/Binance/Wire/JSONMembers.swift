// The positions of one object's members: the general path reads an object once for its shape, in any order,
// and then only the members it needs. A known name may occur once; a name containing an escape is not a known
// one.
struct JSONMembers {
    /// Names with a meaning in some message.
    enum Key: Int {
        case stream, data, event, e, E, T, s, U, u, pu, b, a, B, A
        case lastUpdateId, bids, asks, symbol, result, id, error, code, msg, checksum
        case lobBidsProvenTo, lobAsksProvenTo
    }

    /// Offset of the object.
    let offset: Int
    /// Offset of each key's value; 0 if absent, since no value can be there.
    private var values = InlineArray<26, Int32>(repeating: 0)

    /// Whether a member with an unknown key is an object, and no member has a known one: a wrapper of which
    /// the keys may have been damaged.
    var isForeignWrapper: Bool { hasForeignObject && !hasKnownMember }
    private var hasForeignObject = false
    private var hasKnownMember = false

    /// Reads the object at the cursor and moves past it.
    init(_ cursor: inout JSONCursor) throws(ParseError) {
        offset = cursor.offset
        try cursor.expect(UInt8(ascii: "{"), else: .fieldType)
        cursor.skipBlanks()
        if cursor.skip(UInt8(ascii: "}")) { return }
        while true {
            cursor.skipBlanks()
            let before = cursor
            if cursor.byte != 0x22 { throw cursor.unexpected() }
            let key = JSONMembers.key(try cursor.string(), cursor)
            cursor.skipBlanks()
            try cursor.expect(UInt8(ascii: ":"))
            cursor.skipBlanks()
            if let key {
                if values[key.rawValue] != 0 { throw before.error(.fieldTwice) }
                values[key.rawValue] = Int32(cursor.offset)
                hasKnownMember = true
            } else if cursor.byte == UInt8(ascii: "{") {
                hasForeignObject = true
            }
            try cursor.skipValue()
            cursor.skipBlanks()
            if cursor.skip(UInt8(ascii: "}")) { return }
            try cursor.expect(UInt8(ascii: ","))
        }
    }

    /// Whether the object has this member.
    func has(_ key: Key) -> Bool { values[key.rawValue] != 0 }

    /// A cursor at the value of a member, or nil.
    func find(_ key: Key, _ cursor: JSONCursor) -> JSONCursor? {
        has(key) ? cursor.moved(to: Int(values[key.rawValue])) : nil
    }

    /// A cursor at the value of a required member.
    func need(_ key: Key, _ cursor: JSONCursor) throws(ParseError) -> JSONCursor {
        guard let found = find(key, cursor) else { throw ParseError(code: .fieldMissing, offset: offset) }
        return found
    }

    private static func key(_ name: Range<Int>, _ cursor: JSONCursor) -> Key? {
        func named(_ text: StaticString) -> Bool { cursor.matches(name, text) }
        switch name.count {
        case 1: return letter(cursor[name.lowerBound])
        case 2: return named("pu") ? .pu : named("id") ? .id : nil
        case 3: return named("msg") ? .msg : nil
        case 4:
            return named("data")
                ? .data : named("bids") ? .bids : named("asks") ? .asks : named("code") ? .code : nil
        case 5: return named("event") ? .event : named("error") ? .error : nil
        case 6: return named("stream") ? .stream : named("symbol") ? .symbol : named("result") ? .result : nil
        case 8: return named("checksum") ? .checksum : nil
        case 12: return named("lastUpdateId") ? .lastUpdateId : nil
        case 15:
            return named("lobBidsProvenTo")
                ? .lobBidsProvenTo : named("lobAsksProvenTo") ? .lobAsksProvenTo : nil
        default: return nil
        }
    }

    private static func letter(_ byte: UInt8) -> Key? {
        switch byte {
        case UInt8(ascii: "e"): .e
        case UInt8(ascii: "E"): .E
        case UInt8(ascii: "T"): .T
        case UInt8(ascii: "s"): .s
        case UInt8(ascii: "U"): .U
        case UInt8(ascii: "u"): .u
        case UInt8(ascii: "b"): .b
        case UInt8(ascii: "a"): .a
        case UInt8(ascii: "B"): .B
        case UInt8(ascii: "A"): .A
        default: nil
        }
    }
}
