// What a service reports.

import BinanceVenue
import BookEngine
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// Something a service reports for people, from any of its threads.
@nonexhaustive
public enum ServiceEvent: Sendable {
    /// The feed of a shard.
    case feed(shard: Int, FeedEvent)
    /// The snapshot fetcher.
    case fetcher(FeedEvent)
    /// A thread could not be pinned; it runs anywhere.
    case notPinned(thread: String, cpu: Int, errno: Int32)
}

extension ServiceEvent: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .feed(let shard, let event): "shard \(shard): \(event)"
        case .fetcher(let event): "\(event)"
        case .notPinned(let thread, let cpu, let errno):
            "thread \(thread) cannot run on CPU \(cpu) alone (error \(errno))"
        }
    }
}
