// Refusals of the server's own requests, in the format of RFC 9457.
//
// Bound: of a name that a client sends, `namedBytesMax` bytes are repeated.

import BinanceServing
import LobTransport

/// Why a request is refused.
struct APIProblem: Error, Hashable {
    /// HTTP status.
    var status: Int
    /// One word, machine-readable.
    var code: String
    /// One sentence for people.
    var detail: String

    /// Nothing is served under this path.
    static let unknownPath = APIProblem(
        status: 404, code: "unknownPath", detail: "Nothing is served under this path; see /v1/openapi.json.")
    /// Only GET and HEAD are answered.
    static let method = APIProblem(
        status: 405, code: "method", detail: "Only GET and HEAD are answered here.")
    /// The request carries no known token.
    static let unknownCaller = APIProblem(
        status: 401, code: "unknownCaller", detail: "A token is needed here.")
    /// Too many requests in this second.
    static let tooManyRequests = APIProblem(
        status: 429, code: "tooManyRequests", detail: "Too many requests in this second.")
    /// The maximum number of streams is open.
    static let tooManyStreams = APIProblem(
        status: 503, code: "tooManyStreams", detail: "As many event streams are open as may be.")

    /// The server ends; its books move no more.
    static let closing = APIProblem(status: 503, code: "closing", detail: "The server is closing.")

    /// Too much is queued for slow readers.
    static let overloaded = APIProblem(
        status: 503, code: "overloaded", detail: "Too much waits for slow readers.")

    /// Nothing is kept for later.
    static let noStore = APIProblem(
        status: 404, code: "noStore", detail: "This server keeps no store; see lob run --store.")
    /// As many questions wait for the store as may.
    static let storeBusy = APIProblem(
        status: 503, code: "storeBusy", detail: "As many questions wait for the store as may.")
    /// The store gives no answer.
    static let storeFailed = APIProblem(
        status: 503, code: "storeFailed", detail: "The store cannot be read, or not in time.")
    /// A day that no month has.
    static let noDay = badParameter("day", "a day such as 2026-11-29")

    private static let namedBytesMax = 64

    /// A symbol the server does not keep.
    static func unknownSymbol(_ name: String) -> APIProblem {
        let name = beginning(of: name, bytesMax: namedBytesMax)
        return APIProblem(status: 404, code: "unknownSymbol", detail: "No book of \(name) is kept here.")
    }

    /// A parameter with an illegal value.
    static func badParameter(_ name: String, _ what: String) -> APIProblem {
        APIProblem(status: 400, code: "badParameter", detail: "\(name) must be \(what).")
    }

    /// A parameter the path does not have, or has twice.
    static func strayParameter(_ name: String) -> APIProblem {
        let name = beginning(of: name, bytesMax: namedBytesMax)
        return APIProblem(
            status: 400, code: "strayParameter", detail: "\(name) is no parameter here, or comes twice.")
    }

    /// The answer.
    var response: HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.member("type", "about:blank")
            json.member("title", APIProblem.titles[status] ?? "Error")
            json.member("status", status)
            json.member("code", code)
            json.member("detail", detail)
        }
        var headers = APIProblem.headers
        if status == 405 { headers += [("Allow", "GET, HEAD")] }
        if status == 401 { headers += [("WWW-Authenticate", "Bearer")] }
        if status == 429 || status == 503 { headers += [("Retry-After", "1")] }
        return HTTPResponse(
            status: status, contentType: "application/problem+json",
            headers: headers.compactMap { HTTPHeader($0.0, $0.1) }, body: json.bytes)
    }

    /// Headers of every answer of the server's own.
    static let headers: [(String, String)] = [
        ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
        ("Cross-Origin-Resource-Policy", "same-origin"), ("Referrer-Policy", "no-referrer"),
    ]

    private static let titles = [
        400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
        429: "Too Many Requests", 503: "Service Unavailable",
    ]
}
