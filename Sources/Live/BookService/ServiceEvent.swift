// Events reported by a service.

import BinanceVenue
import BookEngine
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// An event reported by a service, from any of its threads.
@nonexhaustive
public enum ServiceEvent: Sendable {
    /// From the feed of a shard.
    case feed(shard: Int, FeedEvent)
    /// From the snapshot fetcher.
    case fetcher(FeedEvent)
    /// A thread could not be pinned; it runs on any CPU.
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
