// The libwebsockets backend: the library's own WebSocket role. It is the reference for the native backend,
// and the fallback where a server does not accept that one.

import CLobTransport

/// The socket of the libwebsockets backend.
final class LibwebsocketsSocket: ClientSocket {
    private var isOpen = false
    private var status = 0
    private var retryAfter: Int?
    private var address = ""
    private var messageBytes = 0
    private var isClosing = false
    private var end = WebSocketEnd(error: .lost)
    private var limit: LoopTimer?

    override func target(_ attempt: Dialer.Attempt) throws(TransportError) -> Target {
        let url = client.url
        if url.path.utf8.count > Int(CT_STANDARD_PATH_BYTES_MAX) {
            throw .invalidURL("path over \(CT_STANDARD_PATH_BYTES_MAX) bytes on the libwebsockets backend")
        }
        address = attempt.address
        return Target(
            kind: CT_STANDARD, address: attempt.address, port: url.port, isSecure: url.isSecure,
            host: url.authority,
            proxy: attempt.proxy,
            head: client.options.headers.map { "\($0.name): \($0.value)\r\n" }.joined(), path: url.path)
    }

    override func answered(status: Int) -> Bool {
        self.status = status
        retryAfter = retryAfterSeconds
        return true
    }

    override func opened() -> Bool {
        isOpen = true
        return client.opened(self, .libwebsockets)
    }

    override func fragment(_ bytes: Span<UInt8>, isFinal: Bool) -> Bool {
        if isClosing { return true }
        if bytes.count > client.options.messageBytesMax - messageBytes {
            let fault = FrameFault.messageTooLong(bytesMax: client.options.messageBytesMax)
            client.loop.remote.count(CT_COUNT_VIOLATIONS)
            startClosing(
                code: fault.closeCode, reason: "", end: .violation(FrameViolation(fault: fault, offset: 0)))
            return true
        }
        messageBytes = isFinal ? 0 : messageBytes + bytes.count
        if isFinal { client.loop.remote.count(CT_COUNT_MESSAGES_IN) }
        client.handlers.message(bytes, isFinal)
        return true
    }

    override func pong(_ payload: Span<UInt8>) {
        if !isClosing { client.handlers.ponged(payload) }
    }

    override func closing(code: UInt16, reason: Span<UInt8>) -> Bool {
        var text: [UInt8] = []
        for index in reason.indices { text.append(reason[index]) }
        end = WebSocketEnd(peerCode: code, peerReason: String(decoding: text, as: UTF8.self))
        var check = UTF8Check()
        return check.admits(reason, isFinal: true)
    }

    override func closed(_ reason: ct_reason, _ text: String) {
        if let limit { client.loop.cancel(limit) }
        if isOpen {
            client.ended(self, end.unless(reason))
        } else {
            client.failed(self, error(reason, text))
        }
    }

    override func send(text: String) -> Bool {
        !isClosing && send(CT_TEXT, Array(text.utf8).span)
    }

    override func ping(_ payload: [UInt8]) -> Bool {
        !isClosing && send(CT_PING, payload.span)
    }

    override func close(code: UInt16, reason: String) {
        startClosing(code: code, reason: reason, end: nil)
    }

    override func abort(_ error: TransportError) {
        if !isClosing { end = WebSocketEnd(error: error) }
        kill()
    }

    private func startClosing(code: UInt16, reason: String, end error: TransportError?) {
        if isClosing { return }
        isClosing = true
        // The library does not say whether the peer answered.
        end = WebSocketEnd(error: error)
        if !sendClose(code: code, reason: reason) { kill() }
        let limitMs = client.options.closeLimitMs
        limit = client.loop.after(ms: limitMs) { [unowned self] in
            if end.error == nil { end = WebSocketEnd(error: .silent(forMs: limitMs)) }
            kill()
        }
    }

    private func error(_ reason: ct_reason, _ text: String) -> TransportError {
        if reason == CT_BAD_ANSWER && status != 0 && status != 101 {
            return .upgradeRefused(status: status, retryAfterSeconds: retryAfter)
        }
        if reason == CT_BAD_ANSWER && status == 101 { return .handshakeInvalid(.unspecified) }
        return TransportError(reason, text: text, url: client.url, address: address)
    }
}
