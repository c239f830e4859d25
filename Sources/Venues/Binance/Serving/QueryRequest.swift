// A request over the venue's WebSocket API, as a server parses and answers it. It is a REST request in
// another form: the method names the path, the parameters are the query.
//
//     method         path
//     ---------------|--------------------
//     ping           ping
//     time           time
//     exchangeInfo   exchangeInfo
//     depth          depth
//     ticker.book    ticker/bookTicker

import BinanceVenue
import FeedPlan

/// One request of a WebSocket API client.
package struct QueryRequest: Hashable, Sendable {
    /// The id to echo.
    package var id: RequestID
    /// The equivalent REST request.
    package var target: RequestTarget

    private static let paths = [
        "ping": "ping", "time": "time", "exchangeInfo": "exchangeInfo", "depth": "depth",
        "ticker.book": "ticker/bookTicker",
    ]

    /// Parses a request.
    ///
    /// - Parameters:
    ///   - bytes: the message. Callers bound its length.
    ///   - rules: of the market requested.
    /// - Throws: the refusal to answer with.
    package init(_ bytes: [UInt8], _ rules: ServingRules) throws(QueryRefusal) {
        guard let tree = try? JSONTree(bytes), case .object(let members) = tree else {
            throw QueryRefusal(id: .null, .malformed)
        }
        let member = { (name: String) in members.last { $0.name == name }?.value }
        switch member("id") {
        case .integer(let number): id = .integer(number)
        case .text(let text) where text.utf8.count <= ControlRequest.idBytesMax: id = .text(text)
        case .null, nil: id = .null
        default: throw QueryRefusal(id: .null, .malformed)
        }
        guard case .text(let method)? = member("method"), let path = QueryRequest.paths[method] else {
            throw QueryRefusal(id: id, .unknownMethod)
        }
        target = RequestTarget(path: rules.market.requestPath + "/" + path)
        switch member("params") {
        case nil, .null: break
        case .object(let parameters):
            for parameter in parameters {
                guard let value = QueryRequest.text(parameter.value) else {
                    throw QueryRefusal(id: id, .malformed)
                }
                target.parameters.append(RequestTarget.Parameter(parameter.name, value))
            }
        default: throw QueryRefusal(id: id, .malformed)
        }
    }

    /// A value as it would appear in a query.
    private static func text(_ value: JSONTree) -> String? {
        switch value {
        case .text(let text): return text
        case .integer(let number): return "\(number)"
        case .flag(let flag): return "\(flag)"
        case .list(let values):
            var names: [String] = []
            for value in values {
                guard case .text(let name) = value,
                    !name.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") })
                else { return nil }
                names.append("\"\(name)\"")
            }
            return "[" + names.joined(separator: ",") + "]"
        case .null, .otherNumber, .object: return nil
        }
    }
}

/// A request refused before its content is known.
package struct QueryRefusal: Error, Hashable, Sendable {
    /// The id to echo.
    package var id: RequestID
    /// The reason.
    package var refusal: RestRefusal

    init(id: RequestID, _ refusal: RestRefusal) { (self.id, self.refusal) = (id, refusal) }
}

extension RestRefusal {
    /// Not a request of the WebSocket API.
    package static let malformed = RestRefusal(400, -1135, "Invalid JSON Request")

    /// A method that is not served.
    package static let unknownMethod = RestRefusal(400, -1099, "Not found, unauthorized, or forbidden.")
}

extension ServingRules {
    /// Path of the WebSocket API; nil if the market has none.
    package var queryPath: String? {
        switch market {
        case .spot: "/ws-api/v3"
        case .usdm: "/ws-fapi/v1"
        case .coinm: nil
        }
    }

    /// A quoted text, escaped byte by byte as JSON requires: a quote followed by a combining mark, one
    /// `Character`, is still a quote.
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += ("\\u00" + (byte < 0x10 ? "0" : "") + digits).utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes + [UInt8(ascii: "\"")], as: UTF8.self)
    }

    /// An object with one more member, behind its own; anything else as it is.
    ///
    /// - Parameter value: in JSON.
    package static func adding(_ name: String, _ value: String, to body: [UInt8]) -> [UInt8] {
        if body.count < 2 || body.last != UInt8(ascii: "}") { return body }
        let comma = body.count > 2 ? "," : ""
        var object = body
        object.removeLast()
        object += "\(comma)\"\(name)\":\(value)}".utf8
        return object
    }

    /// The body of a 429 or 418 over the WebSocket API, where there is no `Retry-After`: it says in
    /// milliseconds since 1970 when the request may be made again.
    package static func body(
        of refusal: [UInt8], retryAfterSeconds: Int, atUs timeUs: Int64
    ) -> [UInt8] {
        let nowMs = timeUs / 1_000
        let times = "{\"serverTime\":\(nowMs),\"retryAfter\":\(nowMs + Int64(retryAfterSeconds) * 1_000)}"
        return adding("data", times, to: refusal)
    }

    /// The reply to a request over the WebSocket API.
    ///
    /// - Parameters:
    ///   - id: the request's id.
    ///   - status: 200, or the status of a refusal.
    ///   - body: the REST body.
    ///   - usedWeight: the address's weight in this minute.
    package func queryReply(to id: RequestID, status: Int, body: [UInt8], usedWeight: Int) -> [UInt8] {
        let echo: String
        switch id {
        case .integer(let number): echo = "\(number)"
        case .text(let text): echo = ServingRules.quoted(text)
        case .null: echo = "null"
        }
        let name = status == 200 ? "result" : "error"
        return Array("{\"id\":\(echo),\"status\":\(status),\"\(name)\":".utf8) + body
            + Array(
                (",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\","
                    + "\"intervalNum\":1,\"limit\":\(weightMax),\"count\":\(usedWeight)}]}").utf8)
    }
}
