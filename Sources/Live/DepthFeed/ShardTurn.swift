// What a book thread does in every turn after the frames: answers questions about books, and forwards the
// engine's requests.
//
// Invariants
// * Requests are forwarded in order and never lost: what the fetcher or the feed cannot accept now is kept
//   for the next turn.
// * An accepted question is answered, between two frames.
//
// A request carries its symbol's rank. While books wait for depth, the fetcher is updated on ranks, a few
// symbols at a time: in twenty minutes of waiting, a busy book loses levels that a quiet one keeps.
//
// Bounds: requests not yet forwarded, a few per symbol; questions, the capacity of their queue.

import BinanceVenue
import BookEngine
import FeedPlan
import LobHandoff
import MarketData

/// A question to the book thread, answered between two frames.
package typealias BookWork = @Sendable (borrowing BookEngine) -> Void

/// The turns of one shard's book thread. Used by that thread alone.
package struct ShardTurn {
    /// The thread's connections.
    package struct Wiring {
        /// Market of all symbols.
        package var market: Market
        /// Questions to the book thread.
        package var work: CommandQueue<BookWork>
        /// Accepts snapshot requests; false if it cannot now.
        package var want: ([SnapshotFetcher.Request]) -> Bool
        /// Accepts resubscription requests; false if it cannot now.
        package var resubscribe: ([SymbolName]) -> Bool
        /// Whether books wait for more depth.
        package var isDepthWanted: () -> Bool
        /// Levels per side to request.
        package var levelCount: (SnapshotPriority) -> Int
        /// Monotonic time in nanoseconds.
        package var monotonicNs: () -> UInt64

        /// Wiring with these connections.
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

    /// Turns of a thread that has not started.
    package init(_ wiring: Wiring) { self.wiring = wiring }

    /// The rest of a turn, after the frames have been processed.
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
