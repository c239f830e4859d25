// Messages about a connection rather than a market: replies to requests, and the notice that it will be
// closed. The feed parses these on the receiving thread, a few times an hour.
//
//     {"result":null,"id":1}                                     accepted
//     {"code":2,"msg":"…","id":1}                                refused, as documented
//     {"error":{"code":2,"msg":"…","data":"x@trade"},"id":1}     refused, as observed
//     {"e":"serverShutdown","E":…}                               notice on a raw connection
//     {"stream":"!serverShutdown","data":{"e":"serverShutdown",…}}   on a combined one
//     {"event":{"e":"serverShutdown",…}}                         on the WebSocket API
//
// Strict about JSON, tolerant of unknown members. Worst case: O(bytes).

import FeedPlan

/// A message that is not market data.
package enum ControlMessage: Hashable, Sendable {
    /// The reply to a request; `id` is nil if the reply has none.
    case reply(id: RequestID?, ReplyOutcome)
    /// The venue is about to close this connection.
    case serverShutdown
    /// Something else.
    case other

    /// Parses a message.
    ///
    /// - Throws: what is wrong with it, and where.
    package init(_ message: Span<UInt8>) throws(ParseError) {
        self = try JSONCursor.reading(message) { cursor throws(ParseError) in
            if cursor.byte != UInt8(ascii: "{") { return .other }
            let members = try JSONMembers(&cursor)
            if !cursor.isAtEnd { throw cursor.error(.trailingBytes) }
            return try ControlMessage(members, cursor)
        }
    }

    private init(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        let wrapped = members.has(.stream) ? members.find(.data, cursor) : members.find(.event, cursor)
        if try ControlMessage.isNotice(members, cursor) {
            self = .serverShutdown
        } else if var wrapped, wrapped.byte == UInt8(ascii: "{") {
            self = try ControlMessage.isNotice(JSONMembers(&wrapped), cursor) ? .serverShutdown : .other
        } else if let outcome = try ReplyOutcome(members, cursor) {
            self = .reply(id: try RequestID(members, cursor), outcome)
        } else {
            self = .other
        }
    }

    private static func isNotice(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) -> Bool {
        guard var event = members.find(.e, cursor), event.byte == 0x22 else { return false }
        return cursor.matches(try event.string(), "serverShutdown")
    }
}

extension ReplyOutcome {
    fileprivate init?(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        if var refusal = members.find(.error, cursor), refusal.byte != UInt8(ascii: "n") {
            self = try ReplyOutcome(refusal: JSONMembers(&refusal), cursor)
        } else if members.has(.code) && members.has(.msg) {
            self = try ReplyOutcome(refusal: members, cursor)
        } else if let result = members.find(.result, cursor) {
            self = .accepted(ReplyResult(result))
        } else {
            return nil
        }
    }

    private init(refusal members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        var value = try members.need(.code, cursor)
        let code = try value.signedInteger()
        var text = ""
        for key in [JSONMembers.Key.msg, .data] {
            guard var part = members.find(key, cursor), part.byte == 0x22 else { continue }
            if !text.isEmpty { text += ": " }
            text += cursor.text(try part.string(), bytesMax: ReplyOutcome.textBytesMax)
        }
        self = .refused(code: code, text: text)
    }
}

extension ReplyResult {
    fileprivate init(_ value: JSONCursor) {
        switch value.byte {
        case UInt8(ascii: "n"): self = .done
        case UInt8(ascii: "t"), UInt8(ascii: "f"): self = .flag
        case UInt8(ascii: "["): self = .list
        case _: self = .other
        }
    }
}

extension RequestID {
    /// The `id` of a reply; nil if it has none.
    fileprivate init?(_ members: JSONMembers, _ cursor: JSONCursor) throws(ParseError) {
        guard var value = members.find(.id, cursor) else { return nil }
        switch value.byte {
        case UInt8(ascii: "n"): self = .null
        case 0x22: self = .text(cursor.text(try value.string(), bytesMax: ReplyOutcome.textBytesMax))
        case _: self = .integer(try value.signedInteger())
        }
    }
}
