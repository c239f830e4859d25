// What a book thread does in every turn after the frames: it answers questions about books, and passes on
// what the engine requests.
//
// Invariants
// * Requests are passed on in order and not lost: what the fetcher or the feed cannot accept now is kept for
//   the next turn.
// * An accepted question is answered, between two frames.
//
// A request carries the rank of its symbol. While books wait for depth the fetcher is updated on ranks, a few
// symbols at a time: in twenty minutes of waiting a busy book loses the levels that a quiet one keeps.
//
// Bounds: requests not passed on, a few for each symbol; questions, the capacity of their queue.

import BinanceVenue
import BookEngine
import FeedPlan
import LobHandoff
import MarketData

/// A question to the book thread, answered between two frames.
package typealias BookWork = @Sendable (borrowing BookEngine) -> Void

/// The turns of one shard's book thread. Used by that thread alone.
package struct ShardTurn {
    /// What the thread is connected to.
    package struct Wiring {
        /// Market of all symbols.
        package var market: Market
        /// Questions.
        package var work: CommandQueue<BookWork>
        /// Takes requests for snapshots; false if it cannot now.
        package var want: ([SnapshotFetcher.Request]) -> Bool
        /// Takes requests to resubscribe; false if it cannot now.
        package var resubscribe: ([SymbolName]) -> Bool
        /// Whether books wait for more depth.
        package var isDepthWanted: () -> Bool
        /// Levels a side to request.
        package var levelCount: (SnapshotPriority) -> Int
        /// Nanoseconds of a clock that only goes forward.
        package var monotonicNs: () -> UInt64

        /// A thread connected to these.
        package init(
            market: Market, work: CommandQueue<BookWork>, want: @escaping ([SnapshotFetcher.Request]) -> Bool,
            resubscribe: @escaping ([SymbolName]) -> Bool, isDepthWanted: @escaping () -> Bool,
            levelCount: @escaping (SnapshotPriority) -> Int, monotonicNs: @escaping () -> UInt64
        ) {
            self.market = market
            (self.work, self.want, self.resubscribe) = (work, want, resubscribe)
            (self.isDepthWanted, self.levelCount) = (isDepthWanted, levelCount)
            self.monotonicNs = monotonicNs
        }
    }

    private let wiring: Wiring
    private var said: [EngineRequest] = []
    private var wanted: [SnapshotFetcher.Request] = []
    private var silent: [SymbolName] = []
    private var ranks = RankRound()

    /// A thread that has not started.
    package init(_ wiring: Wiring) { self.wiring = wiring }

    /// The rest of a turn, when the frames at hand have been stepped.
    package mutating func finish(_ engine: inout BookEngine) {
        for work in wiring.work.take() { work(engine) }
        passRequests(&engine)
    }

    private mutating func passRequests(_ engine: inout BookEngine) {
        engine.takeRequests { said.append($0) }
        let market = wiring.market
        for request in said {
            switch request {
            case .ask(let symbol, let priority, let attempt):
                wanted.append(
                    .want(
                        SnapshotKey(market: market, symbol: symbol), priority,
                        levelCount: wiring.levelCount(priority), attempt: attempt,
                        rank: engine.snapshotRank(of: symbol)))
            case .cancel(let symbol): wanted.append(.cancel(SnapshotKey(market: market, symbol: symbol)))
            case .resubscribe(let symbol): silent.append(symbol)
            }
        }
        said.removeAll(keepingCapacity: true)
        if ranks.isDue(wiring.monotonicNs), wanted.isEmpty, wiring.isDepthWanted() {
            for symbol in ranks.next(of: engine.symbols) {
                let key = SnapshotKey(market: market, symbol: symbol)
                wanted.append(.rank(key, engine.snapshotRank(of: symbol)))
            }
        }
        if !wanted.isEmpty && wiring.want(wanted) { wanted.removeAll(keepingCapacity: true) }
        if !silent.isEmpty && wiring.resubscribe(silent) { silent.removeAll(keepingCapacity: true) }
    }
}
