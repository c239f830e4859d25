// How a WebSocket ended.

/// How a WebSocket connection ended.
package struct WebSocketEnd: Hashable, Sendable {
    /// What went wrong; nil after a close handshake.
    package var error: TransportError?
    /// The peer's close code; 1005 if its close frame had none, nil if there was no close frame.
    package var peerCode: UInt16?
    /// The peer's reason, as text.
    package var peerReason = ""

    /// An end.
    package init(error: TransportError? = nil, peerCode: UInt16? = nil, peerReason: String = "") {
        (self.error, self.peerCode, self.peerReason) = (error, peerCode, peerReason)
    }
}
