// An answer of a server.

import CLobTransport

/// An answer.
package struct HTTPResponse: Sendable {
    /// Status, 200 … 599.
    package var status: Int
    /// Headers other than the length.
    package var headers: [HTTPHeader]
    /// Body.
    package var body: [UInt8]

    /// An answer.
    package init(
        status: Int = 200, contentType: String = "application/json", headers: [HTTPHeader] = [], body: [UInt8]
    ) {
        self.status = status
        self.headers = (HTTPHeader("Content-Type", contentType).map { [$0] } ?? []) + headers
        self.body = body
    }

    /// An answer in JSON.
    package init(status: Int = 200, headers: [HTTPHeader] = [], json: String) {
        self.init(status: status, headers: headers, body: Array(json.utf8))
    }

    /// The bytes sent. A status without a known phrase gets an empty one, which HTTP allows.
    func bytes(isBodyless: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "")\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        head += "Content-Length: \(body.count)\r\n\r\n"
        return isBodyless ? Array(head.utf8) : Array(head.utf8) + body
    }

    /// The head for a body of unknown length: it ends with the connection.
    var openHead: [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.phrases[status] ?? "")\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        return Array((head + "Connection: close\r\n\r\n").utf8)
    }

    private static let phrases = [
        200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed", 418: "I'm a teapot", 426: "Upgrade Required", 429: "Too Many Requests",
        500: "Internal Server Error", 503: "Service Unavailable",
    ]
}
