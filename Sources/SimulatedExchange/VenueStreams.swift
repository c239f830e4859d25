// Streams of the venue: what a subscription name asks for.
//
// `<symbol>@depth`, `<symbol>@depth5|10|20` and `<symbol>@bookTicker`, with an optional speed, which is
// accepted and ignored: every stream runs at the pace of the symbol's profile. Any other name is accepted and
// stays silent, as the venue does with names it does not know, upper-case symbols among them.

/// What a stream shows.
public enum VenueStream: Hashable, Sendable {
    /// Diffs.
    case depth
    /// The best 5, 10 or 20 levels.
    case partialDepth(levelCount: Int)
    /// Best bid and ask.
    case bookTicker

    /// Splits a stream name into the lower-case symbol and what it asks for; nil if the venue has no such
    /// stream.
    static func parse(_ name: String) -> (symbol: Substring, stream: VenueStream)? {
        let parts = name.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return nil }
        if parts.count == 3 && !["0ms", "100ms", "250ms", "500ms", "1000ms"].contains(parts[2]) {
            return nil
        }
        switch parts[1] {
        case "depth": return (parts[0], .depth)
        case "depth5": return (parts[0], .partialDepth(levelCount: 5))
        case "depth10": return (parts[0], .partialDepth(levelCount: 10))
        case "depth20": return (parts[0], .partialDepth(levelCount: 20))
        case "bookTicker": return parts.count == 2 ? (parts[0], .bookTicker) : nil
        default: return nil
        }
    }
}

/// One stream on one connection.
struct Subscription: Sendable {
    var connection: ConnectionID
    var stream: VenueStream
    /// The name as the client wrote it; the combined wrapper repeats it.
    var name: String
    /// Accepted, but does not deliver, or not any more.
    var isMute: Bool
}

/// A connection of the venue; never used twice.
public struct ConnectionID: Hashable, Sendable {
    var slot: Int
    var ordinal: Int
}

/// Why the venue refuses a connection or a subscription.
public enum VenueRefusal: Error, Hashable, Sendable {
    /// More connection attempts in five minutes than the venue allows: 300.
    case tooManyAttempts(retryAtUs: Int64)
    /// More streams than one connection may carry: 1024.
    case tooManyStreams
    /// More connections at a time than the simulation was configured for.
    case tooManyConnections
    /// No such connection, or not any more.
    case notConnected
}
