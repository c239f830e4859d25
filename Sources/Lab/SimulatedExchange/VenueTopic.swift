// Streams of the venue: what a subscription name means, and who has subscribed.
//
// Every stream that ever shows something is a numbered topic. The streams of a symbol are `@depth`,
// `@depth5|10|20` and `@bookTicker`; the depth streams take an optional interval. Any other name is accepted
// and stays silent, as on the real venue.

import BinanceServing

/// The streams of one symbol.
enum SymbolStream: Int, CaseIterable, Sendable {
    case depth
    case depth5
    case depth10
    case depth20
    case bookTicker

    /// All except the best prices.
    static let depths: [SymbolStream] = [.depth, .depth5, .depth10, .depth20]

    /// Topics of a symbol are contiguous.
    func topic(of index: Int) -> Int { index * SymbolStream.allCases.count + rawValue }

    /// The content that names of the stream denote.
    var content: StreamName.Content {
        switch self {
        case .depth: .depth
        case .depth5: .partialDepth(levelCount: 5)
        case .depth10: .partialDepth(levelCount: 10)
        case .depth20: .partialDepth(levelCount: 20)
        case .bookTicker: .bookTicker
        }
    }

    /// Levels per side of a partial depth; nil for the others.
    var levelCount: Int? {
        if case .partialDepth(let levelCount) = content { levelCount } else { nil }
    }
}

/// A stream with messages from outside.
package struct VenueTopic: Hashable, Sendable {
    let index: Int
}

/// One stream on one connection.
struct Subscription: Sendable {
    var connection: ConnectionID
    /// The name as the client wrote it.
    var name: String
    /// What the combined wrapper puts before a message; it repeats the name as the client wrote it.
    var wrapper: [UInt8]
    /// Whether it is accepted but does not deliver, or does not any more.
    var isMute: Bool

    init(_ connection: ConnectionID, name: String, isMute: Bool) {
        self.connection = connection
        self.name = name
        wrapper = StreamWrapper.opening(name)
        self.isMute = isMute
    }
}

/// A connection of the venue; never used twice.
package struct ConnectionID: Hashable, Sendable {
    var slot: Int
    var ordinal: Int
}
