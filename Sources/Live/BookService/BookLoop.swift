// The book thread of a shard: it polls the ring, steps the engine, passes on what the engine requests, and
// answers questions about books between two frames. This is the loop that everything waits for, so it does
// nothing else.
//
// Invariants
// * The engine is touched by this thread alone.
// * A request is passed on in order and not lost: what the fetcher or the feed cannot take now is kept for
//   the next turn.
// * A question that was taken is answered.
// * When the feed is over, what is in the ring is still stepped before the loop ends, and readers see the
//   counters of the very end.
//
// A request goes with the rank of its symbol; while books wait for depth the fetcher is told the present
// ranks, a few symbols at a time: in twenty minutes of waiting a busy book loses what a quiet one keeps.
//
// Bounds: requests not passed on, a few for each symbol; questions, `CommandQueue.capacity`.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import LobHandoff
import MarketData

/// A question to the book thread, answered between two frames.
typealias BookWork = @Sendable (borrowing BookEngine) -> Void

/// The engine of a shard and the loop around it. Thread: the book thread's, once `run` is called.
final class BookLoop: @unchecked Sendable {
    /// What the loop is connected to.
    struct Wiring: Sendable {
        /// Market of all symbols.
        var market: Market
        /// Notified by the feed when there is news.
        var news: Signal
        /// Raised when the feed has ended.
        var feedIsOver: StopFlag
        /// Questions.
        var work: CommandQueue<BookWork>
        /// What to do when there is nothing to do.
        var idle: IdleStrategy
        /// Takes requests for snapshots; false if it cannot now.
        var want: @Sendable ([SnapshotFetcher.Request]) -> Bool
        /// Takes requests to resubscribe; false if it cannot now.
        var resubscribe: @Sendable ([SymbolName]) -> Bool
        /// Whether books wait for more depth.
        var isDepthWanted: @Sendable () -> Bool
        /// Levels a side to ask for.
        var levelCount: @Sendable (SnapshotPriority) -> Int
        /// Gets the engine at the end.
        var ended: BookWork
    }

    /// No sleep is longer: who asks a question need not notify.
    private static let sleepNsMax: Int64 = 50_000_000

    private var engine: BookEngine
    private var consumer: FrameConsumer
    private let wiring: Wiring
    private var said: [EngineRequest] = []
    private var wanted: [SnapshotFetcher.Request] = []
    private var silent: [SymbolName] = []
    private var ranks = RankRound()

    init(_ engine: consuming BookEngine, _ consumer: consuming FrameConsumer, _ wiring: Wiring) {
        self.engine = engine
        self.consumer = consumer
        self.wiring = wiring
    }

    /// Runs until the feed is over and the ring empty.
    func run() {
        var emptyTurnCount = 0
        while true {
            let ticket = wiring.news.ticket
            let isLastTurn = wiring.feedIsOver.isRaised
            let frameCount = engine.doWork(&consumer)
            for work in wiring.work.take() { work(engine) }
            passRequests()
            if frameCount > 0 {
                emptyTurnCount = 0
                continue
            }
            if isLastTurn { break }
            wiring.idle.idle(
                emptyTurnCount: emptyTurnCount, on: wiring.news, since: ticket,
                timeoutNs: BookLoop.sleepNsMax)
            emptyTurnCount += 1
        }
        for work in wiring.work.close() { work(engine) }
        engine.publishStatus()
        wiring.ended(engine)
    }

    private func passRequests() {
        engine.takeRequests { said.append($0) }
        for request in said {
            switch request {
            case .ask(let symbol, let priority, let attempt):
                wanted.append(
                    .want(
                        key(symbol), priority, levelCount: wiring.levelCount(priority), attempt: attempt,
                        rank: engine.snapshotRank(of: symbol)))
            case .cancel(let symbol): wanted.append(.cancel(key(symbol)))
            case .resubscribe(let symbol): silent.append(symbol)
            }
        }
        said.removeAll(keepingCapacity: true)
        if ranks.isDue(), wanted.isEmpty, wiring.isDepthWanted() {
            for symbol in ranks.next(of: engine.symbols) {
                wanted.append(.rank(key(symbol), engine.snapshotRank(of: symbol)))
            }
        }
        if !wanted.isEmpty && wiring.want(wanted) { wanted.removeAll(keepingCapacity: true) }
        if !silent.isEmpty && wiring.resubscribe(silent) { silent.removeAll(keepingCapacity: true) }
    }

    private func key(_ symbol: SymbolName) -> SnapshotKey {
        SnapshotKey(market: wiring.market, symbol: symbol)
    }
}
