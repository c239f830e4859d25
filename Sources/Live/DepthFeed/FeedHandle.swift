// What other threads may do with a feed and a fetcher: hand commands to their loops' threads.

import BinanceVenue
import LobHandoff
import LobTransport
import MarketData

/// A feed as seen from any thread. May be copied; may outlive the feed without harm.
///
/// Every call returns false if the loop's queue of commands is full, and it can be tried again, or if the
/// loop is closed; nothing happens then.
public struct FeedHandle: Sendable {
    private let loop: LoopHandle
    private let feed: LoopConfined<DepthFeed>

    init(_ feed: DepthFeed) {
        loop = feed.loop.remote
        self.feed = LoopConfined(feed)
    }

    /// Writes what a fetcher tells of a symbol; see `DepthFeed.deliverRequest`, `deliverSnapshot` and
    /// `deliverFailure`.
    public func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        let symbol = delivery.key.symbol
        return feed.post(loop) { feed in
            switch delivery.news {
            case .requested(let frame): feed.deliverRequest(frame, of: symbol)
            case .snapshot(let frame): feed.deliverSnapshot(frame, of: symbol)
            case .failed: feed.deliverFailure(of: symbol)
            }
        }
    }

    /// See `DepthFeed.resubscribe`.
    public func resubscribe(_ symbols: [SymbolName]) -> Bool {
        feed.post(loop) { $0.resubscribe(symbols) }
    }

    /// See `DepthFeed.add`. The tap is the feed's from now on, unless this returns false.
    public func add(_ tap: FrameTap) -> Bool { feed.post(loop) { $0.add(tap) } }

    /// See `DepthFeed.remove`.
    public func remove(_ tap: FrameTap) -> Bool { feed.post(loop) { $0.remove(tap) } }

    /// See `DepthFeed.stop`.
    public func stop() -> Bool { feed.post(loop) { $0.stop() } }
}
