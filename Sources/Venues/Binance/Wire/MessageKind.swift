// What a message turned out to be.

/// The kind of a message, and thereby which part of the parser now holds its contents.
public enum MessageKind: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// A depth update, in `MessageParser.update`.
    case depthUpdate
    /// The best 5, 10 or 20 levels a side, in `MessageParser.snapshot`.
    case partialDepth
    /// The best bid and ask, in `MessageParser.ticker`.
    case bookTicker
    /// A REST depth body, bare or as the result of a WebSocket API request, in `MessageParser.snapshot`.
    case depthSnapshot
    /// The venue is about to close this connection.
    case serverShutdown
    /// Anything else that looks like JSON: trades, klines, replies to requests, arrays. Not
    /// stored; only as much was parsed as was needed to classify it.
    case other
}
