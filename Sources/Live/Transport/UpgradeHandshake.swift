// The opening handshake of the native backend (RFC 6455 section 4), as text and rules. The library sends the
// request and parses the head of the answer; what is requested and what counts as acceptance is decided here.

/// A rule of the opening handshake broken by the server.
public enum HandshakeFault: String, Hashable, Sendable {
    /// `Upgrade` is not `websocket`.
    case upgrade = "the Upgrade header is not websocket"
    /// `Connection` does not contain the token `Upgrade`.
    case connection = "the Connection header does not say Upgrade"
    /// `Sec-WebSocket-Accept` is missing or does not match the key.
    case accept = "Sec-WebSocket-Accept does not fit the key"
    /// An extension that was not offered.
    case extensions = "an extension was chosen that was not offered"
    /// A subprotocol that was not offered.
    case subprotocol = "a subprotocol was chosen that was not offered"
    /// A 101 that announces a body.
    case body = "the answer announces a body"
    /// The library's own handshake failed; it does not say where.
    case unspecified = "the answer is no valid upgrade"
}

/// One opening handshake.
struct UpgradeHandshake {
    let key: String
    let accept: String

    /// The request head, without the empty line that ends it.
    func request(to url: ServiceURL, headers: [HTTPHeader]) -> String {
        var head = "GET \(url.path) HTTP/1.1\r\nHost: \(url.authority)\r\n"
        head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        head += "Sec-WebSocket-Key: \(key)\r\n"
        for header in headers { head += "\(header.name): \(header.value)\r\n" }
        return head
    }

    /// Checks an answer with status 101.
    ///
    /// - Parameter header: returns a header by its lower-case name.
    func check(header: (String) -> String?) throws(HandshakeFault) {
        if header("upgrade")?.lowercased() != "websocket" { throw .upgrade }
        let tokens = (header("connection") ?? "").lowercased().split(separator: ",")
        if !tokens.contains(where: { $0.trimmed == "upgrade" }) { throw .connection }
        if header("sec-websocket-accept") != accept { throw .accept }
        if header("sec-websocket-extensions") != nil { throw .extensions }
        if header("sec-websocket-protocol") != nil { throw .subprotocol }
        if header("content-length") != nil || header("transfer-encoding") != nil { throw .body }
    }
}

extension HandshakeFault: Error {}

extension Substring {
    var trimmed: Substring {
        var part = self
        while part.first == " " || part.first == "\t" { part.removeFirst() }
        while part.last == " " || part.last == "\t" { part.removeLast() }
        return part
    }
}
