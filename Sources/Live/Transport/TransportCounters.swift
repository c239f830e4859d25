// A loop's totals since its creation. Written by the loop's thread, readable from any.

import CLobTransport

/// Totals of one loop. Each number is consistent; together they are not of one instant.
package struct TransportCounters: Hashable, Sendable {
    /// Connection attempts of clients: one per address and backend tried.
    package let attempts: Int
    /// Connections currently open, of clients and servers; a server's count while they carry a request or are
    /// WebSockets.
    package let open: Int
    /// Connections that failed before opening, or before their body was complete.
    package let failures: Int
    /// Payload bytes received, without TLS.
    package let receivedBytes: Int
    /// Payload bytes sent, without TLS.
    package let sentBytes: Int
    /// Frames received on the native backend, control frames included.
    package let receivedFrames: Int
    /// Messages received by WebSocket clients, of either backend.
    package let receivedMessages: Int
    /// Pings received on the native backend; the libwebsockets backend answers them silently.
    package let receivedPings: Int
    /// Frames sent by request of the layers above, pongs of the native backend included.
    package let sentFrames: Int
    /// Connections ended because the peer broke the framing rules.
    package let violations: Int
    /// Connections ended because the peer stated an impossible length.
    package let lengthsOutOfBounds: Int
    /// Frames refused because a send queue was full or the connection not open.
    package let refusedSends: Int
    /// Connections a server closed unread because it was at its limit.
    package let turnedAway: Int

    init(_ handle: RemoteHandle) {
        attempts = handle.counter(CT_COUNT_ATTEMPTS)
        open = handle.counter(CT_COUNT_OPENED) - handle.counter(CT_COUNT_ENDED)
        failures = handle.counter(CT_COUNT_FAILURES)
        receivedBytes = handle.counter(CT_COUNT_BYTES_IN)
        sentBytes = handle.counter(CT_COUNT_BYTES_OUT)
        receivedFrames = handle.counter(CT_COUNT_FRAMES_IN)
        receivedMessages = handle.counter(CT_COUNT_MESSAGES_IN)
        receivedPings = handle.counter(CT_COUNT_PINGS_IN)
        sentFrames = handle.counter(CT_COUNT_FRAMES_OUT)
        violations = handle.counter(CT_COUNT_VIOLATIONS)
        lengthsOutOfBounds = handle.counter(CT_COUNT_OUT_OF_BOUNDS)
        refusedSends = handle.counter(CT_COUNT_SEND_REFUSED)
        turnedAway = handle.counter(CT_COUNT_TURNED_AWAY)
    }
}

extension WebSocketEnd {
    /// This end, unless the connection ended because nothing from the peer could be trusted any more.
    func unless(_ reason: ct_reason) -> WebSocketEnd {
        reason == CT_OUT_OF_BOUNDS ? WebSocketEnd(error: .lengthOutOfBounds) : self
    }
}

extension TransportError {
    /// Translates the C side's report.
    init(_ reason: ct_reason, text: String, url: ServiceURL, address: String) {
        switch reason {
        case CT_REFUSED: self = .refused(address: address)
        case CT_UNREACHABLE: self = .unreachable(address: address, reason: text)
        case CT_DESCRIPTORS: self = .descriptorsExhausted
        case CT_CERTIFICATE: self = .certificateRefused(host: url.host, reason: text)
        case CT_TLS: self = .tlsFailed(text)
        case CT_NO_TLS: self = .noTLS(address: address)
        case CT_UNANSWERED: self = url.isSecure ? .unanswered : .unansweredInPlain
        case CT_BAD_ANSWER: self = .badAnswer(text)
        case CT_TRUNCATED: self = .truncated
        case CT_OUT_OF_BOUNDS: self = .lengthOutOfBounds
        default: self = .lost
        }
    }
}
