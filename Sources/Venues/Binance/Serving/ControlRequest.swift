// Control messages as a server parses them: into the client's request or the venue's literal refusal.
//
//     method               params                    answered with
//     ------------------   ------------------------  ----------------------
//     SUBSCRIBE            names                     null
//     UNSUBSCRIBE          names                     null
//     LIST_SUBSCRIPTIONS   none                      names
//     SET_PROPERTY         "combined", true / false  null
//     GET_PROPERTY         "combined"                true / false
//
// Refusals follow the venue's table: 0 unknown property, 1 value not Boolean, 2 malformed request, 3 not
// JSON. Their texts give line and column, as the venue's parser does. Unknown members are ignored.

import FeedPlan

/// A client's request about its connection.
package struct ControlRequest: Hashable, Sendable {
    /// The requested action.
    package enum Action: Hashable, Sendable {
        /// Add these streams.
        case subscribe([String])
        /// Remove these streams.
        case unsubscribe([String])
        /// List the streams.
        case listSubscriptions
        /// Wrap messages with the name of their stream, or stop doing so.
        case setCombined(Bool)
        /// Report whether messages are wrapped.
        case getCombined
    }

    /// Most bytes of a string `id`.
    package static let idBytesMax = 36
    /// Most bytes of an unknown method that the refusal repeats.
    private static let namedBytesMax = 100

    /// The requested action.
    package var action: Action
    /// The id to echo in the reply.
    package var id: RequestID

    /// Parses a request.
    ///
    /// - Throws: the refusal to answer with.
    /// - Complexity: O(bytes); allocates. Callers bound the length.
    package init(_ bytes: [UInt8]) throws(ControlRefusal) {
        let tree: JSONTree
        do throws(JSONTreeError) {
            tree = try JSONTree(bytes)
        } catch {
            let place = ControlRequest.place(of: error.offset, in: bytes)
            throw ControlRefusal(code: 3, message: "Invalid JSON: expected value at \(place)", id: .null)
        }
        guard case .object(let members) = tree else {
            throw ControlRequest.malformed("expected an object", .null)
        }
        let found = members.last { $0.name == "id" }
        guard let id = ControlRequest.requestID(found?.value) else {
            throw ControlRequest.malformed("request ID must be an unsigned integer", .null)
        }
        self.id = id
        guard let method = members.last(where: { $0.name == "method" }) else {
            let place = ControlRequest.place(of: bytes.count, in: bytes)
            throw ControlRequest.malformed("missing field `method` at \(place)", id)
        }
        let parameters = members.last { $0.name == "params" }?.value ?? .null
        let place = ControlRequest.place(of: method.end, in: bytes)
        action = try ControlRequest.action(method.value, parameters, id, place)
    }

    private static func action(
        _ method: JSONTree, _ parameters: JSONTree, _ id: RequestID, _ place: String
    ) throws(ControlRefusal) -> Action {
        guard case .text(let name) = method else {
            throw malformed("invalid type: expected variant identifier at \(place)", id)
        }
        let values: [JSONTree]
        switch parameters {
        case .list(let list): values = list
        case .null: values = []
        default: throw malformed("invalid type: expected a sequence", id)
        }
        switch name {
        case "SUBSCRIBE": return .subscribe(try names(values, id))
        case "UNSUBSCRIBE": return .unsubscribe(try names(values, id))
        case "LIST_SUBSCRIPTIONS":
            if !values.isEmpty { throw malformed("too many parameters", id) }
            return .listSubscriptions
        case "SET_PROPERTY":
            try property(values, valueCount: 1, id)
            guard values.count == 2, case .flag(let isCombined) = values[1] else {
                throw ControlRefusal(code: 1, message: "Invalid value type: expected Boolean", id: id)
            }
            return .setCombined(isCombined)
        case "GET_PROPERTY":
            try property(values, valueCount: 0, id)
            return .getCombined
        default:
            let name = beginning(of: name, bytesMax: namedBytesMax)
            throw malformed(
                "unknown variant `\(name)`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
                    + "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at \(place)", id)
        }
    }

    private static func names(_ values: [JSONTree], _ id: RequestID) throws(ControlRefusal) -> [String] {
        if values.isEmpty { throw malformed("missing field `params`", id) }
        var names: [String] = []
        for value in values {
            guard case .text(let name) = value else {
                throw malformed("invalid type: expected a string", id)
            }
            names.append(name)
        }
        return names
    }

    /// Checks the name of the only property there is, and the number of its values.
    private static func property(
        _ values: [JSONTree], valueCount: Int, _ id: RequestID
    ) throws(ControlRefusal) {
        guard case .text(let name)? = values.first else {
            throw malformed("property name must be a string", id)
        }
        if values.count > 1 + valueCount { throw malformed("too many parameters", id) }
        if name != "combined" { throw ControlRefusal(code: 0, message: "Unknown property", id: id) }
    }

    private static func requestID(_ value: JSONTree?) -> RequestID? {
        switch value {
        case .integer(let number): .integer(number)
        case .text(let text): text.utf8.count <= idBytesMax ? .text(text) : nil
        case .null: .null
        default: nil
        }
    }

    private static func malformed(_ message: String, _ id: RequestID) -> ControlRefusal {
        ControlRefusal(code: 2, message: "Invalid request: " + message, id: id)
    }

    private static func place(of offset: Int, in bytes: [UInt8]) -> String {
        let before = bytes.prefix(offset)
        let line = before.count { $0 == 0x0A } + 1
        let column = offset - ((before.lastIndex(of: 0x0A) ?? -1) + 1)
        return "line \(line) column \(column)"
    }
}

/// The start of a text that fits in so many bytes, whole characters only. What a client sends is repeated to
/// it no longer than that.
package func beginning(of text: String, bytesMax: Int) -> String {
    if text.utf8.count <= bytesMax { return text }
    var kept = String.UnicodeScalarView()
    var byteCount = 0
    for scalar in text.unicodeScalars {
        byteCount += UTF8.width(scalar)
        if byteCount > bytesMax { break }
        kept.append(scalar)
    }
    return String(kept)
}

/// The strings of a JSON array, as in a query parameter such as `symbols`; nil if the text is not one.
func namesOfList(_ text: String) -> [String]? {
    guard case .list(let values)? = try? JSONTree(Array(text.utf8)) else { return nil }
    var names: [String] = []
    for value in values {
        guard case .text(let name) = value else { return nil }
        names.append(name)
    }
    return names
}
