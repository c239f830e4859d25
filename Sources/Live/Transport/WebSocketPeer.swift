// A WebSocket client as seen by the server: the library's own role decodes frames; this side enforces limits,
// pings and counts.

import CLobTransport

/// A connected WebSocket client. Thread: the loop's.
package final class WebSocketPeer {
    /// Callbacks of the client.
    package struct Handlers {
        /// A piece of a message; the bytes are borrowed for the call. True with its last piece.
        package var message: (Span<UInt8>, Bool) -> Void = { _, _ in }
        /// A pong; its payload.
        package var ponged: (Span<UInt8>) -> Void = { _ in }
        /// The send queue has emptied: more may be sent.
        package var drained: () -> Void = {}
        /// The end, once.
        package var closed: (WebSocketEnd) -> Void = { _ in }

        /// Handlers that ignore everything.
        package init() {}
    }

    let server: HTTPServer
    /// Nil before it is open and once it has ended.
    fileprivate var socket: PeerSocket?

    init(_ server: HTTPServer) {
        self.server = server
    }

    /// Sends a text message.
    ///
    /// - Returns: false, with nothing sent, if the client has gone or its send queue is full.
    package func send(text: Span<UInt8>) -> Bool { socket?.send(CT_TEXT, text) ?? false }

    /// Sends a text message; as `send(text:)`.
    package func send(text: String) -> Bool { send(text: Array(text.utf8).span) }

    /// Whether it accepts compressed messages.
    package var isDeflating: Bool { socket?.isDeflating ?? false }

    /// Sends a frame of its loop's batch, together with all others of it; as `send(text:)`. A packed one only
    /// to a client that takes packed messages.
    package func send(_ frame: BatchedFrame) -> Bool { socket?.send(frame) ?? false }

    /// Sends what it has of the batch.
    package func sendBatch() { socket?.sendBatch() }

    /// Sends a ping of at most 125 bytes; as `send(text:)`.
    package func ping(_ payload: [UInt8] = []) -> Bool {
        payload.count <= 125 && socket?.send(CT_PING, payload.span) ?? false
    }

    /// Starts the close handshake, after what is queued; no further message is delivered.
    package func close(code: UInt16 = 1000, reason: String = "") { socket?.close(code: code, reason: reason) }

    /// Forgets what is queued, except for the rest of a frame: what a slow client would not take in time must
    /// not keep the close frame from it.
    package func forgetQueue() { socket?.forgetQueue() }

    /// Ends the connection without a handshake.
    package func abort() { socket?.kill() }

    /// Stops reading from this client: it gets no pong, and its end goes unnoticed. Only `abort` remains.
    package func stopReading() { socket?.stopReading() }

    /// Bytes in the send queue, with its share of the batch.
    package var queuedBytes: Int { socket?.queuedBytes ?? 0 }

    /// Whether the send queue is not empty; `drained` will be called. A sender that can skip messages should
    /// do so meanwhile.
    package var isCongested: Bool { socket?.isCongested ?? false }

    /// The client's numeric address.
    package var address: String { socket?.peerAddress ?? "" }

    /// Who the client belongs to; see `HTTPRequest.owner`.
    package var owner: String { socket?.owner ?? "" }

    /// Bytes that wait for the sockets of all connections of that owner.
    package var ownerQueuedBytes: Int { socket?.ownerQueuedBytes ?? 0 }
}

/// The connection of a peer.
final class PeerSocket: Socket {
    private let peer: WebSocketPeer
    private let listen: (WebSocketPeer) -> WebSocketPeer.Handlers
    private var handlers = WebSocketPeer.Handlers()
    private var messageBytes = 0
    /// Pieces of the message so far. Empty ones cost no memory, but time: a message that never ends would
    /// keep the server busy.
    private var pieceCount = 0
    private static let pieceCountMax = 1_024
    private var text = UTF8Check()
    /// The part received of a compressed message.
    private var packed: [UInt8] = []
    private var isOpen = false
    private var isClosing = false
    private var isPongAwaited = false
    private var timer: LoopTimer?
    private var end = WebSocketEnd(error: .lost)

    init(_ peer: WebSocketPeer, _ listen: @escaping (WebSocketPeer) -> WebSocketPeer.Handlers) {
        (self.peer, self.listen) = (peer, listen)
    }

    private var server: HTTPServer { peer.server }

    override func opened() -> Bool {
        isOpen = true
        server.peerCount += 1
        peer.socket = self
        handlers = listen(peer)
        schedulePing()
        return true
    }

    override func fragment(_ bytes: Span<UInt8>, isFinal: Bool) -> Bool {
        if isClosing { return true }
        pieceCount += 1
        if bytes.count > server.options.messageBytesMax - messageBytes
            || pieceCount > PeerSocket.pieceCountMax
        {
            return fail(.messageTooLong(bytesMax: server.options.messageBytesMax))
        }
        if isFinal { pieceCount = 0 }
        messageBytes = isFinal ? 0 : messageBytes + bytes.count
        if isPacked { return unpack(bytes, isFinal: isFinal) }
        if !isBinary && !text.admits(bytes, isFinal: isFinal) { return fail(.textInvalid) }
        handlers.message(bytes, isFinal)
        return true
    }

    /// Ends the connection because of what the client sent.
    private func fail(_ fault: FrameFault) -> Bool {
        server.loop.remote.count(CT_COUNT_VIOLATIONS)
        close(code: fault.closeCode, reason: "")
        end = WebSocketEnd(error: .violation(FrameViolation(fault: fault, offset: 0)))
        return true
    }

    /// A compressed message is delivered once it is complete.
    private func unpack(_ bytes: Span<UInt8>, isFinal: Bool) -> Bool {
        for index in bytes.indices { packed.append(bytes[index]) }
        if !isFinal { return true }
        let whole = packed
        packed = []
        switch server.packer?.unpack(whole, bytesMax: server.options.messageBytesMax) ?? .unreadable {
        case .message(let message):
            if !isBinary && !text.admits(message.span, isFinal: true) { return fail(.textInvalid) }
            handlers.message(message.span, true)
            return true
        case .tooLong: return fail(.messageTooLong(bytesMax: server.options.messageBytesMax))
        case .unreadable: return fail(.notUnpacked)
        }
    }

    override func pong(_ payload: Span<UInt8>) {
        if isPongAwaited && !isClosing {
            isPongAwaited = false
            schedulePing()
        }
        handlers.ponged(payload)
    }

    override func closing(code: UInt16, reason: Span<UInt8>) -> Bool {
        var text: [UInt8] = []
        for index in reason.indices { text.append(reason[index]) }
        end = WebSocketEnd(peerCode: code, peerReason: String(decoding: text, as: UTF8.self))
        // The answer to it may find no room.
        isClosing = true
        setTimer(server.options.closeLimitMs) { $0.kill() }
        var check = UTF8Check()
        return check.admits(reason, isFinal: true)
    }

    override func drained() { handlers.drained() }

    override func closed(_ reason: ct_reason, _ text: String) {
        if let timer { server.loop.cancel(timer) }
        peer.socket = nil
        if !isOpen { return }
        server.peerCount -= 1
        let closed = handlers.closed
        handlers = WebSocketPeer.Handlers()
        closed(server.loop.isClosed ? WebSocketEnd(error: .cancelled) : end.unless(reason))
    }

    func close(code: UInt16, reason: String) {
        if isClosing { return }
        isClosing = true
        end = WebSocketEnd(error: nil)
        if !sendClose(code: code, reason: reason) { kill() }
        let limitMs = server.options.closeLimitMs
        setTimer(limitMs) { socket in
            if socket.end.error == nil { socket.end = WebSocketEnd(error: .silent(forMs: limitMs)) }
            socket.kill()
        }
    }

    private func setTimer(_ delayMs: Int, _ action: @escaping (PeerSocket) -> Void) {
        if let timer { server.loop.cancel(timer) }
        timer = server.loop.after(ms: delayMs) { [unowned self] in action(self) }
    }

    private func schedulePing() {
        guard let intervalMs = server.options.pingIntervalMs else { return }
        setTimer(intervalMs) { $0.pingNow() }
    }

    private func pingNow() {
        isPongAwaited = true
        let payload = server.handlers.pingPayload()
        _ = send(CT_PING, payload.span.extracting(first: 125))
        let limitMs = server.options.pongLimitMs
        setTimer(limitMs) { socket in
            socket.end = WebSocketEnd(error: .silent(forMs: limitMs))
            socket.kill()
        }
    }
}
