// Why a message was rejected. One flat list: callers count by code and print code and offset.

/// What is wrong with a message, and at which byte.
public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public var code: Code
    /// Offset of the offending byte from the start of the message; its length if the message ended too soon.
    public var offset: Int

    /// An error of this code at this byte.
    public init(code: Code, offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// For example `number too large at byte 117`.
    public var description: String { "\(code.rawValue) at byte \(offset)" }

    /// What can be wrong with a message.
    @nonexhaustive
    public enum Code: String, CaseIterable, Sendable {
        /// Nothing but blanks.
        case empty = "empty message"
        /// More than `MessageParser.messageBytesMax` bytes.
        case messageTooLong = "message too long"
        /// It does not begin and end as a JSON object or array does.
        case notJSON = "not a JSON object or array"
        /// A byte that the grammar of JSON does not allow here.
        case unexpectedByte = "unexpected byte"
        /// The message ends inside a value.
        case unexpectedEnd = "unexpected end"
        /// Bytes after the end of the outermost object.
        case trailingBytes = "bytes behind the end"
        /// More than `JSONCursor.depthMax` nested objects and arrays.
        case nestedTooDeep = "nested too deep"
        /// A required field of this kind of message is missing; the offset is that of its object.
        case fieldMissing = "field missing"
        /// A known field occurs twice in one object.
        case fieldTwice = "field twice"
        /// A field does not have its required type.
        case fieldType = "field of wrong type"
        /// A symbol or stream name with an escape in it, a symbol beyond `SymbolName.lengthMax` bytes, or a
        /// depth update under a name that no stream of depth has.
        case badName = "bad name"
        /// A digit is missing: also a sign, exponent, blank, NaN or empty text.
        case digitExpected = "digit expected"
        /// A leading zero before another digit.
        case leadingZero = "leading zero"
        /// A number beyond 19 digits, `Int64.max` or `Price.mantissaMax`.
        case numberTooLarge = "number too large"
        /// A level that is not exactly a price and a quantity in quotes.
        case levelShape = "level is not [\"price\",\"quantity\"]"
        /// The last update id of a message is below its first.
        case idsDecrease = "update ids decrease"
        /// On a stream of updates, or with the ids and levels of one: something else.
        case notAnUpdate = "not a depth update as known here"
    }
}
