// Streams of the venue: what a subscription name asks for, and who has asked.
//
// Every stream that ever shows something is a topic with a number. The streams of a symbol are `@depth`,
// `@depth5|10|20` and `@bookTicker`; the depth streams take an optional speed, for which
// Venue+Paces.swift has the rules. Any other name is accepted and stays silent, as the venue does with names
// it does not know, upper-case symbols among them.

/// The streams of one symbol.
enum SymbolStream: Int, CaseIterable, Sendable {
    case depth
    case depth5
    case depth10
    case depth20
    case bookTicker

    /// All but the best prices.
    static let depths: [SymbolStream] = [.depth, .depth5, .depth10, .depth20]

    /// Topics of a symbol lie side by side.
    func topic(of index: Int) -> Int { index * SymbolStream.allCases.count + rawValue }

    /// Levels a side of a partial depth; nil for the others.
    var levelCount: Int? {
        switch self {
        case .depth5: 5
        case .depth10: 10
        case .depth20: 20
        case .depth, .bookTicker: nil
        }
    }
}

/// A stream whose messages come from outside.
public struct VenueTopic: Hashable, Sendable {
    let index: Int
}

/// One stream on one connection.
struct Subscription: Sendable {
    var connection: ConnectionID
    /// The name as the client wrote it.
    var name: String
    /// What the combined wrapper puts in front of a message; it repeats the client's name.
    var wrapper: [UInt8]
    /// Accepted, but does not deliver, or not any more.
    var isMute: Bool

    init(_ connection: ConnectionID, name: String, isMute: Bool) {
        self.connection = connection
        self.name = name
        wrapper = Array("{\"stream\":\"\(name)\",\"data\":".utf8)
        self.isMute = isMute
    }
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
