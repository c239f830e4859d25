// The native backend: the upgrade is requested through the library's HTTP client, and the frames after the
// 101 are decoded here. The library's own WebSocket role reads byte by byte.

import CLobTransport

/// The socket of the native backend.
final class NativeSocket: ClientSocket {
    private let handshake = UpgradeHandshake.fresh()
    private var decoder: FrameDecoder
    private var closing = ClosingHandshake()
    private var limit: LoopTimer?
    private var refusal: TransportError?
    private var address = ""
    private var random = SystemRandomNumberGenerator()
    private var isOpen = false

    override init(_ client: WebSocketClient) {
        decoder = FrameDecoder(messageBytesMax: max(client.options.messageBytesMax, 1))
        super.init(client)
    }

    override func target(_ attempt: Dialer.Attempt) throws(TransportError) -> Target {
        let url = client.url
        let head = handshake.request(to: url, headers: client.options.headers)
        if head.utf8.count > Int(CT_HEAD_BYTES_MAX) {
            throw .invalidURL("request over \(CT_HEAD_BYTES_MAX) bytes")
        }
        address = attempt.address
        return Target(
            kind: CT_TUNNEL, address: attempt.address, port: url.port, isSecure: url.isSecure, host: url.host,
            proxy: attempt.proxy, head: head)
    }

    override func answered(status: Int) -> Bool {
        if status != 101 {
            refusal = .upgradeRefused(status: status, retryAfterSeconds: retryAfterSeconds)
            return false
        }
        do {
            try handshake.check { header($0) }
        } catch {
            refusal = .handshakeInvalid(error)
            return false
        }
        isOpen = true
        return client.opened(self, .native)
    }

    override func received(_ bytes: Span<UInt8>) -> Bool {
        var position = 0
        var frameCount = 0
        var messageCount = 0
        do throws(FrameViolation) {
            decoding: while closing.isListening {
                switch try decoder.next(bytes, from: &position) {
                case .needsMore: break decoding
                case .fragment(let start, let count, let isFinal):
                    messageCount += isFinal ? 1 : 0
                    frameCount += 1
                    if closing.isOpen {
                        client.handlers.message(bytes.extracting(start..<start + count), isFinal)
                    }
                case .ping:
                    frameCount += 1
                    receivedPing()
                case .pong:
                    frameCount += 1
                    if closing.isOpen {
                        let payload = decoder.control
                        client.handlers.ponged(payload.span.extracting(0..<decoder.controlCount))
                    }
                case .close:
                    frameCount += 1
                    receivedClose()
                }
            }
        } catch {
            client.loop.remote.count(CT_COUNT_VIOLATIONS)
            perform(closing.violated(error))
        }
        client.loop.remote.count(CT_COUNT_FRAMES_IN, frameCount)
        client.loop.remote.count(CT_COUNT_MESSAGES_IN, messageCount)
        return true
    }

    override func closed(_ reason: ct_reason, _ text: String) {
        if let limit { client.loop.cancel(limit) }
        if isOpen {
            client.ended(self, closing.ended().unless(reason))
        } else {
            let error = refusal ?? TransportError(reason, text: text, url: client.url, address: address)
            client.failed(self, error)
        }
    }

    override func send(text: String) -> Bool {
        closing.isOpen && sendFrame(.text, Array(text.utf8))
    }

    override func ping(_ payload: [UInt8]) -> Bool {
        closing.isOpen && sendFrame(.ping, payload)
    }

    override func close(code: UInt16, reason: String) {
        perform(closing.close(code: code, reason: reason))
    }

    override func abort(_ error: TransportError) {
        perform(closing.abort(error))
    }

    private func receivedPing() {
        let payload = decoder.control
        let bytes = payload.span.extracting(0..<decoder.controlCount)
        client.loop.remote.count(CT_COUNT_PINGS_IN)
        _ = sendFrame(.pong, bytes)
        if closing.isOpen { client.handlers.pinged(bytes) }
    }

    private func receivedClose() {
        let payload = decoder.control
        var reason: [UInt8] = []
        for index in 2..<max(2, decoder.controlCount) { reason.append(payload[index]) }
        perform(closing.peerClosed(code: decoder.closeCode, reason: String(decoding: reason, as: UTF8.self)))
    }

    private func perform(_ action: ClosingHandshake.Action) {
        switch action {
        case .none: return
        case .send(let code, let reason):
            _ = sendFrame(.close, closePayload(code: code, reason: reason))
            startLimit()
        case .echo(let code):
            _ = sendFrame(.close, code.map { closePayload(code: $0, reason: "") } ?? [])
            startLimit()
        case .sendAndKill(let code):
            _ = sendFrame(.close, closePayload(code: code, reason: ""))
            kill()
        case .kill: kill()
        }
    }

    private func startLimit() {
        let limitMs = client.options.closeLimitMs
        limit = client.loop.after(ms: limitMs) { [unowned self] in
            perform(closing.limitPassed(.silent(forMs: limitMs)))
        }
    }

    private func sendFrame(_ opcode: SentOpcode, _ payload: [UInt8]) -> Bool {
        sendFrame(opcode, payload.span)
    }

    private func sendFrame(_ opcode: SentOpcode, _ payload: Span<UInt8>) -> Bool {
        var frame: [UInt8] = []
        frame.reserveCapacity(payload.count + 14)
        appendFrame(opcode, payload, mask: random.next(), to: &frame)
        return send(CT_RAW, frame.span)
    }
}
