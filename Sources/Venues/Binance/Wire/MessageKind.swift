// The kind of a message.

/// The kind of a message, and thereby the part of the parser that holds its contents.
public enum MessageKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A depth update, in `MessageParser.update`.
    case depthUpdate
    /// The best 5, 10 or 20 levels per side, in `MessageParser.snapshot`.
    case partialDepth
    /// The best bid and ask, in `MessageParser.ticker`.
    case bookTicker
    /// A REST depth body, bare or as the result of a WebSocket API request, in `MessageParser.snapshot`.
    case depthSnapshot
    /// The venue is about to close this connection.
    case serverShutdown
    /// Anything else that looks like JSON: trades, klines, replies to requests, arrays. Not stored; only as
    /// much was parsed as was needed to classify it.
    case other
}
