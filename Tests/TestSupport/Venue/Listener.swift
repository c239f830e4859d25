// A WebSocket client that writes down what it hears.

import LobTransport

/// A WebSocket client and what it heard. Thread: its loop's.
package final class Listener {
    package private(set) var texts: [String] = []
    package private(set) var pings: [String] = []
    package private(set) var pongCount = 0
    package private(set) var end: WebSocketEnd?
    package private(set) var client: WebSocketClient?
    private var pieces: [UInt8] = []

    /// Dials.
    package init(_ url: ServiceURL, on loop: EventLoop, backends: [WebSocketBackend] = [.native]) {
        var options = WebSocketClient.Options()
        options.backends = backends
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            for index in bytes.indices { pieces.append(bytes[index]) }
            if !isFinal { return }
            texts.append(String(decoding: pieces, as: UTF8.self))
            pieces = []
        }
        handlers.pinged = { [self] bytes in
            pings.append(String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self))
        }
        handlers.ponged = { [self] _ in pongCount += 1 }
        handlers.closed = { [self] in end = $0 }
        client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
    }

    /// Dials a server of this machine.
    package convenience init(
        port: Int, _ path: String, on loop: EventLoop, backends: [WebSocketBackend] = [.native]
    ) throws {
        self.init(try ServiceURL("ws://127.0.0.1:\(port)\(path)"), on: loop, backends: backends)
    }

    package var isOpen: Bool { client?.backend != nil && end == nil }

    package func send(_ text: String) { _ = client?.send(text: text) }

    package func close() { client?.close() }

    /// Messages that answer something.
    package var replies: [String] {
        texts.filter { !$0.contains("\"e\":") && !$0.contains("\"u\":") && !$0.contains("lastUpdateId") }
    }

    /// What was heard is as if it had not been.
    package func forget() { texts = [] }
}
