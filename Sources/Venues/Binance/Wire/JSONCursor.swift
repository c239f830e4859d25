// A cursor over the bytes of one message, with the part of the JSON grammar that messages need.
//
// There are two ways of reading. `take` and `require…` serve the straight path: they compare several bytes at
// a time and may read past the message, up to `readableEnd`; `at` may then be past `end`, so their callers
// finally check that it stands exactly there. The others serve the general path: they stop at `end` and
// report errors.
//
// Invariants
// * start <= end <= readableEnd; nothing at or past `readableEnd` is read.
// * Only `take` and `require…` move `at` past `end`.
// Worst case: O(bytes), each byte read once per call; nesting is counted, not recursed into.
// SAFETY: every read is guarded by a comparison with `end` or `readableEnd` in the same function; the memory
// belongs to the caller of `MessageParser.parse` and outlives the cursor, which never leaves that call.
import CLobKernels
import MarketData

@safe
struct JSONCursor {
    /// First byte of the message.
    let start: UnsafePointer<UInt8>
    /// One past the last non-blank byte of the message.
    private(set) var end: UnsafePointer<UInt8>
    /// One past the last byte that may be read.
    let readableEnd: UnsafePointer<UInt8>
    /// The next byte.
    var at: UnsafePointer<UInt8>

    /// Maximum nesting depth.
    static var depthMax: Int { 32 }

    /// A cursor at the first of at least one byte.
    @inline(__always)
    init(_ first: UnsafePointer<UInt8>, count: Int, readableAfter: Int) {
        unsafe start = unsafe first
        unsafe at = unsafe first
        unsafe end = unsafe first + count
        unsafe readableEnd = unsafe end + readableAfter
    }

    /// Lets `body` read a message of any length without surrounding blanks; nothing past it is readable.
    static func reading<R>(
        _ message: Span<UInt8>, _ body: (inout JSONCursor) throws(ParseError) -> R
    ) throws(ParseError) -> R {
        try unsafe message.withUnsafeBufferPointer { bytes throws(ParseError) in
            guard let first = bytes.baseAddress, bytes.count > 0 else {
                throw ParseError(code: .empty, offset: 0)
            }
            var cursor = unsafe JSONCursor(first, count: bytes.count, readableAfter: 0)
            if !cursor.isBracketed { try cursor.trim() }
            return try body(&cursor)
        }
    }

    /// Whether the first and last byte are the brackets of one object or array ("{" and "[" are two below
    /// theirs).
    @inline(__always)
    var isBracketed: Bool {
        let opening = unsafe at.pointee
        return unsafe (opening == UInt8(ascii: "{") || opening == UInt8(ascii: "["))
            && end[-1] == opening &+ 2
    }

    /// Strips blanks on both sides, and throws if what remains is not bracketed.
    @inline(never)
    mutating func trim() throws(ParseError) {
        while unsafe end > at && JSONCursor.isBlank(end[-1]) { unsafe end -= 1 }
        if unsafe at == end { throw error(.empty) }
        skipBlanks()
        if byte != UInt8(ascii: "{") && byte != UInt8(ascii: "[") { throw error(.notJSON) }
        if !isBracketed { throw unsafe ParseError(code: .unexpectedEnd, offset: end - start) }
    }

    var offset: Int { unsafe min(at, end) - start }
    /// Length of the message without trailing blanks.
    var length: Int { unsafe end - start }
    var bytesLeft: Int { unsafe end - at }
    var isAtEnd: Bool { unsafe at == end }

    func error(_ code: ParseError.Code) -> ParseError { ParseError(code: code, offset: offset) }

    /// The error for a wrong or missing byte at `at`.
    @inline(never)
    func unexpected(_ code: ParseError.Code = .unexpectedByte) -> ParseError {
        unsafe error(at < end ? code : .unexpectedEnd)
    }

    /// The byte at `at`, or at the end 0, which never occurs in JSON.
    @inline(__always)
    var byte: UInt8 { unsafe at < end ? at.pointee : 0 }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    // MARK: - For the straight path

    @inline(__always)
    mutating func take(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard unsafe readableEnd - at >= count && lob_same_bytes(at, literal.utf8Start, count) else {
            return false
        }
        unsafe at += count
        return true
    }

    @inline(__always)
    mutating func require(_ literal: StaticString) throws(ParseError) {
        if !take(literal) { throw unexpected() }
    }

    /// The text up to the next quote; moves past that quote. Escapes are rejected.
    @inline(__always)
    mutating func requireText() throws(ParseError) -> Range<Int> {
        let first = unsafe at - start
        guard skipPlainBytes() else { throw unexpected() }
        try require("\"")
        return unsafe Range(uncheckedBounds: (first, at - start &- 1))
    }

    /// The same, as a symbol name.
    @inline(__always)
    mutating func requireSymbol() throws(ParseError) -> SymbolName {
        if unsafe readableEnd - at >= 17 {
            let length = unsafe lob_plain_bytes(at)
            if unsafe length > 0 && length < 16 && at[length] == 0x22 {
                let name = unsafe SymbolName(shortName: at, length: length)
                unsafe at += length + 1
                return name
            }
        }
        return try requireLongSymbol()
    }

    @inline(never)
    private mutating func requireLongSymbol() throws(ParseError) -> SymbolName {
        try symbol(try requireText())
    }

    /// Moves to the next quote, backslash or control byte; false if the readable bytes end first.
    @inline(__always)
    private mutating func skipPlainBytes() -> Bool {
        while unsafe readableEnd - at >= 16 {
            let count = unsafe lob_plain_bytes(at)
            unsafe at += count
            if count < 16 { return true }
        }
        return skipLastPlainBytes()
    }

    @inline(never)
    private mutating func skipLastPlainBytes() -> Bool {
        while unsafe at < readableEnd {
            let byte = unsafe at.pointee
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { return true }
            unsafe at += 1
        }
        return false
    }

    // MARK: - For the general path

    mutating func skipBlanks() {
        while unsafe at < end && JSONCursor.isBlank(at.pointee) { unsafe at += 1 }
    }

    /// Skips this byte if it is next.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard unsafe at < end && at.pointee == byte else { return false }
        unsafe at += 1
        return true
    }

    mutating func expect(_ byte: UInt8, else code: ParseError.Code = .unexpectedByte) throws(ParseError) {
        if !skip(byte) { throw unexpected(code) }
    }

    /// The bytes of a string between its quotes, escapes unchanged.
    mutating func string() throws(ParseError) -> Range<Int> {
        try expect(0x22, else: .fieldType)
        let first = offset
        while unsafe at < end {
            let byte = unsafe at.pointee
            if byte == 0x22 {
                unsafe at += 1
                return first..<offset - 1
            }
            if byte < 0x20 { throw error(.unexpectedByte) }
            if byte == 0x5C { try skipEscape() } else { unsafe at += 1 }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func skipEscape() throws(ParseError) {
        unsafe at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            unsafe at += 1
        case UInt8(ascii: "u"):
            unsafe at += 1
            for _ in 0..<4 {
                let digit = byte
                let letter = digit | 0x20
                guard (digit >= 0x30 && digit <= 0x39) || (letter >= 0x61 && letter <= 0x66) else {
                    throw unexpected()
                }
                unsafe at += 1
            }
        default:
            throw unexpected()
        }
    }

    /// A string without escapes, as names are.
    mutating func name() throws(ParseError) -> Range<Int> {
        let before = self
        let text = try string()
        for offset in text where self[offset] == 0x5C { throw before.error(.badName) }
        return text
    }

    // MARK: - For both

    /// The byte at this offset, which must be in the message.
    @inline(__always)
    subscript(offset: Int) -> UInt8 { unsafe (start + offset).pointee }

    /// Offset of the first such byte in this range, or the offset after the range.
    @inline(__always)
    func first(_ byte: UInt8, in bytes: Range<Int>) -> Int {
        var offset = bytes.lowerBound
        while unsafe readableEnd - start - offset >= 16 && offset < bytes.upperBound {
            let count = unsafe lob_bytes_before(start + offset, byte)
            offset &+= count
            if count < 16 { return min(offset, bytes.upperBound) }
        }
        while offset < bytes.upperBound && self[offset] != byte { offset &+= 1 }
        return min(offset, bytes.upperBound)
    }

    /// Whether these bytes of the message equal this text.
    @inline(__always)
    func matches(_ bytes: Range<Int>, _ text: StaticString) -> Bool {
        unsafe bytes.count == text.utf8CodeUnitCount
            && lob_same_bytes(start + bytes.lowerBound, text.utf8Start, bytes.count)
    }

    /// Whether this text is at this offset of the message.
    @inline(__always)
    func has(_ text: StaticString, at offset: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        return unsafe end - start - offset >= count && lob_same_bytes(start + offset, text.utf8Start, count)
    }

    /// These bytes of the message as a symbol name.
    func symbol(_ bytes: Range<Int>) throws(ParseError) -> SymbolName {
        let name = unsafe SymbolName(UnsafeBufferPointer(start: start + bytes.lowerBound, count: bytes.count))
        guard let name, !bytes.isEmpty else { throw ParseError(code: .badName, offset: bytes.lowerBound) }
        return name
    }

    /// These bytes of the message as a symbol name, ASCII letters uppercased.
    func capitalSymbol(_ bytes: Range<Int>) throws(ParseError) -> SymbolName {
        let name = unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: SymbolName.lengthMax + 1) {
            room in
            for index in 0..<min(bytes.count, room.count) {
                let byte = self[bytes.lowerBound + index]
                unsafe room[index] = byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
            }
            return unsafe SymbolName(UnsafeBufferPointer(rebasing: room.prefix(bytes.count)))
        }
        guard let name, !bytes.isEmpty else { throw ParseError(code: .badName, offset: bytes.lowerBound) }
        return name
    }

    /// A copy of this cursor at another position in the message.
    func moved(to offset: Int) -> JSONCursor {
        var copy = self
        unsafe copy.at = unsafe start + offset
        return copy
    }
}
