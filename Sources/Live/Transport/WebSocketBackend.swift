// The two ways to read a WebSocket.

/// How WebSocket frames are read.
public enum WebSocketBackend: Hashable, Sendable {
    /// This package's framing over the library's HTTP client.
    case native
    /// The library's own WebSocket role.
    case libwebsockets
}
