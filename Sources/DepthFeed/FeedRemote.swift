// What other threads may do with a feed and a desk: hand commands to their loops' threads.

import BinanceDepth
import MarketData
import Transport

/// Names an object that only its loop's thread may touch.
final class LoopBound<Value: AnyObject>: @unchecked Sendable {
    private weak var value: Value?

    init(_ value: Value) { self.value = value }

    /// Runs `body` with the object on its loop's thread, if it still lives then.
    ///
    /// - Returns: false if the loop's queue is full or the loop closed; nothing will happen.
    func post(_ remote: LoopRemote, _ body: @escaping @Sendable (Value) -> Void) -> Bool {
        remote.post { [self] _ in if let value { body(value) } }
    }
}

/// A feed as seen from any thread. May be copied; may outlive the feed without harm.
///
/// Every call returns false if the loop's queue of commands is full, and it can be tried again, or if the
/// loop is closed; nothing happens then.
public struct FeedRemote: Sendable {
    private let loop: LoopRemote
    private let feed: LoopBound<DepthFeed>

    init(_ feed: DepthFeed) {
        loop = feed.loop.remote
        self.feed = LoopBound(feed)
    }

    /// Writes what a desk tells of a symbol; see `DepthFeed.deliverRequest`, `deliverSnapshot` and
    /// `deliverFailure`.
    public func deliver(_ delivery: SnapshotDesk.Delivery) -> Bool {
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

    /// See `DepthFeed.stop`.
    public func stop() -> Bool { feed.post(loop) { $0.stop() } }
}

/// A snapshot desk as seen from any thread. May be copied; may outlive the desk without harm.
public struct DeskRemote: Sendable {
    private let loop: LoopRemote
    private let desk: LoopBound<SnapshotDesk>

    init(_ desk: SnapshotDesk) {
        loop = desk.loop.remote
        self.desk = LoopBound(desk)
    }

    /// Hands wishes over, in their order.
    ///
    /// - Returns: false if the loop's queue of commands is full, and it can be tried again, or if the loop is
    ///   closed; nothing happens then.
    public func want(_ wishes: [SnapshotDesk.Wish]) -> Bool {
        desk.post(loop) { $0.want(wishes) }
    }

    /// See `SnapshotDesk.fetchExchangeInfo`; `use` is called on the loop's thread, but not if this returns
    /// false.
    public func fetchExchangeInfo(
        _ market: Market, _ use: @escaping @Sendable (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) -> Bool {
        desk.post(loop) { $0.fetchExchangeInfo(market, use) }
    }

    /// See `SnapshotDesk.stop`.
    public func stop() -> Bool { desk.post(loop) { $0.stop() } }
}
