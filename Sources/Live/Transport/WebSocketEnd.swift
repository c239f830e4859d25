// How a WebSocket ended.

/// How a WebSocket connection ended.
public struct WebSocketEnd: Hashable, Sendable {
    /// What went wrong; nil after a close handshake.
    public var error: TransportError?
    /// The peer's close code; 1005 if its close frame had none, nil if there was no close frame.
    public var peerCode: UInt16?
    /// The peer's reason, as text.
    public var peerReason = ""

    /// An end.
    public init(error: TransportError? = nil, peerCode: UInt16? = nil, peerReason: String = "") {
        (self.error, self.peerCode, self.peerReason) = (error, peerCode, peerReason)
    }
}
