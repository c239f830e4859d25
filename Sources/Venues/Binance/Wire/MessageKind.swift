// The kind of a message, and the little that is kept of a control reply.

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
    /// The venue did what a request asked, in `MessageParser.reply`.
    case controlReply
    /// The venue refused a request, in `MessageParser.reply`; also the error body of a REST request.
    case errorReply
    /// The venue is about to close this connection.
    case serverShutdown
    /// Anything else that looks like JSON: trades, klines, arrays. Not stored; only as much was parsed as was
    /// needed to classify it.
    case other
}

/// The answer to a request: whose, and whether it worked. Holds no reference.
public struct ControlReply: Hashable, Sendable {
    /// The `id` of the request, echoed.
    public enum ID: Hashable, Sendable {
        /// The reply has no `id`, as REST bodies.
        case absent
        /// `"id":null`.
        case null
        /// An integer.
        case integer(Int64)
        /// A string: the bytes of the message between its quotes.
        case text(Range<Int>)
    }

    /// Which request is answered.
    public var id = ID.absent
    /// Whether the venue refused it.
    public var isError = false
    /// The venue's error code; 0 if it is no error.
    public var code: Int64 = 0
    /// The bytes of the message between the quotes of the error text `msg`; nil if there is none.
    public var text: Range<Int>?

    /// A reply to nothing.
    public init() {}
}
