// A request received by a server.

import CLobTransport

/// A request received by a server, to be answered now or later. Thread: the loop's.
package final class HTTPRequest {
    /// Method.
    package let method: HTTPMethod
    /// Path, decoded and without `.` and `..`; without query.
    package let path: String
    private let socket: Socket
    private let isUpgrade: Bool

    init(_ socket: Socket, method: HTTPMethod, path: String, isUpgrade: Bool) {
        (self.socket, self.method, self.path, self.isUpgrade) = (socket, method, path, isUpgrade)
    }

    /// A request dropped by its handler is still answered, so that no client waits in vain.
    deinit {
        if !isUpgrade {
            _ = socket.respond(HTTPResponse(status: 500, json: "{}").bytes(isBodyless: method == .head))
        }
    }

    /// Names and values of the query, decoded, in order; a name without `=` has the value "".
    package var query: [(name: String, value: String)] {
        var parts: [(name: String, value: String)] = []
        while let part = socket.queryPart(parts.count) {
            let end = part.firstIndex(of: "=") ?? part.endIndex
            parts.append((String(part[..<end]), String(part[end...].dropFirst())))
        }
        return parts
    }

    /// A header by its lower-case name; nil if absent or once the request is over.
    package func header(_ name: String) -> String? { socket.header(name) }

    /// The client's numeric address.
    package var peerAddress: String { socket.peerAddress }

    /// Sends the answer; only the first counts. False if this was not the first or the client has gone.
    @discardableResult
    package func respond(_ response: HTTPResponse) -> Bool {
        !isUpgrade && socket.respond(response.bytes(isBodyless: method == .head))
    }

    /// Answers with a body that continues until either side ends the connection; nil if this was not the
    /// first answer or the client has gone.
    package func respond(streaming contentType: String, headers: [HTTPHeader] = []) -> HTTPStream? {
        if isUpgrade || method != .get { return nil }
        guard let socket = socket as? RequestSocket,
            socket.respond(
                open: HTTPResponse(contentType: contentType, headers: headers, body: []).openHead)
        else { return nil }
        return HTTPStream(socket)
    }

    /// Closes the connection instead of answering.
    package func hangUp() {
        if !isUpgrade { socket.kill() }
    }

    func refuse(_ response: HTTPResponse) { socket.refuse(response.bytes(isBodyless: false)) }
}
