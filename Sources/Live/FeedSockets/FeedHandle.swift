// What other threads may do with a feed: post commands to its loop's thread.

import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// A feed as seen from any thread. May be copied; may outlive the feed without harm.
///
/// Every call returns false, with no effect, if the loop's command queue is full (retry) or the loop is
/// closed.
/// loop is closed; nothing happens then.
package struct FeedHandle: SnapshotTaker {
    private let loop: LoopHandle
    private let feed: LoopConfined<DepthFeed>

    /// The handle of a feed on this loop. Thread: the loop's.
    package init(_ feed: DepthFeed, on loop: EventLoop) {
        self.loop = loop.remote
        self.feed = LoopConfined(feed)
    }

    /// See `DepthFeed.deliver`.
    package func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        feed.post(loop) { $0.deliver(delivery) }
    }

    /// See `DepthFeed.resubscribe`.
    package func resubscribe(_ symbols: [SymbolName]) -> Bool {
        feed.post(loop) { $0.resubscribe(symbols) }
    }

    /// See `DepthFeed.add`. The tap is the feed's from now on, unless this returns false.
    package func add(_ tap: FrameTap) -> Bool { feed.post(loop) { $0.add(tap) } }

    /// See `DepthFeed.remove`.
    package func remove(_ tap: FrameTap) -> Bool { feed.post(loop) { $0.remove(tap) } }

    /// See `DepthFeed.stop`.
    package func stop() -> Bool { feed.post(loop) { $0.stop() } }
}
