// A request received by a server.

import CLobTransport

/// The owner of every connection from this machine, whatever its address.
package let loopbackOwner = "localhost"

/// A request received by a server, to be answered now or later. Thread: the loop's.
package final class HTTPRequest {
    /// Method.
    package let method: HTTPMethod
    /// Path, decoded and without `.` and `..`; without query.
    package let path: String
    private let socket: Socket
    private let isUpgrade: Bool
    private let server: HTTPServer

    init(_ socket: Socket, method: HTTPMethod, path: String, isUpgrade: Bool, _ server: HTTPServer) {
        (self.socket, self.method, self.path, self.isUpgrade) = (socket, method, path, isUpgrade)
        self.server = server
    }

    /// A request dropped by its handler is still answered, so that no client waits in vain.
    deinit {
        respond(HTTPResponse(status: 500, json: "{}"))
    }

    /// Names and values of the query, decoded, in order; a name without `=` has the value "".
    package private(set) lazy var query: [(name: String, value: String)] = {
        var parts: [(name: String, value: String)] = []
        while let part = socket.queryPart(parts.count) {
            let end = part.firstIndex(of: "=") ?? part.endIndex
            parts.append((String(part[..<end]), String(part[end...].dropFirst())))
        }
        return parts
    }()

    /// A header by its lower-case name; nil if absent or once the request is over.
    package func header(_ name: String) -> String? { socket.header(name) }

    /// Who the client belongs to: an IPv4 address, a network of IPv6 as `2001:db8::/64`, or this machine,
    /// which is `loopbackOwner`.
    package var owner: String { socket.owner }

    /// Bytes queued for the sockets of all connections of that owner.
    package var ownerQueuedBytes: Int { socket.ownerQueuedBytes }

    /// Sends the answer; only the first counts. False if this was not the first or the client has gone.
    @discardableResult
    package func respond(_ response: HTTPResponse) -> Bool {
        if isUpgrade || !socket.respond(response.head, method == .head ? [] : response.body) { return false }
        if socket.queuedBytes > 0 { (socket as? RequestSocket)?.watch(server) }
        return true
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

    func refuse(_ response: HTTPResponse) { socket.refuse(response.head + response.body) }
}
