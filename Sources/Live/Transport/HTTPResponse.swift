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

    /// The head, as sent before the body.
    var head: [UInt8] { head(ending: "Content-Length: ", "\(body.count)") }

    /// The head of a body whose length is not known: it ends with the connection.
    var openHead: [UInt8] { head(ending: "Connection: ", "close") }

    /// A status without a known phrase gets an empty one, which HTTP allows.
    private func head(ending name: String, _ value: String) -> [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(512)
        head += "HTTP/1.1 ".utf8
        head += "\(status) ".utf8
        head += (Self.phrases[status] ?? "").utf8
        head += "\r\n".utf8
        for header in headers {
            head += header.name.utf8
            head += ": ".utf8
            head += header.value.utf8
            head += "\r\n".utf8
        }
        head += name.utf8
        head += value.utf8
        head += "\r\n\r\n".utf8
        return head
    }

    private static let phrases = [
        200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
        404: "Not Found",
        405: "Method Not Allowed", 418: "I'm a teapot", 426: "Upgrade Required", 429: "Too Many Requests",
        500: "Internal Server Error", 503: "Service Unavailable",
    ]
}
