// A shard's book thread: it polls the ring, steps the engine, answers questions about books between two
// frames, and forwards the engine's requests. Everything waits for this loop, so it does nothing else.
// `ShardTurn` does what follows the frames of a turn; this file decides when the next turn starts.
//
// Invariants
// * The engine is touched by this thread alone.
// * After the feed has ended, the rest of the ring is still processed before the loop ends, and readers see
//   the final counters.

import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import LobHandoff
import LobMetrics
import LobTransport
import MarketData

/// The engine of a shard and the loop around it. Thread: the book thread, once `run` is called.
final class BookLoop: @unchecked Sendable {
    /// The loop's connections.
    struct Wiring: Sendable {
        /// Market of all symbols.
        var market: Market
        /// Notified by the feed when there is news.
        var news: Signal
        /// Raised when the feed has ended.
        var feedIsOver: StopFlag
        /// Questions to the book thread.
        var work: CommandQueue<BookWork>
        /// What to do when idle.
        var idle: IdleStrategy
        /// Accepts snapshot requests; false if it cannot now.
        var want: @Sendable ([SnapshotFetcher.Request]) -> Bool
        /// Accepts resubscription requests; false if it cannot now.
        var resubscribe: @Sendable ([SymbolName]) -> Bool
        /// Whether books wait for more depth.
        var isDepthWanted: @Sendable () -> Bool
        /// Levels per side to request.
        var levelCount: @Sendable (SnapshotPriority) -> Int
        /// Receives the engine at the end.
        var ended: BookWork
    }

    /// Longest sleep: a caller with a question need not notify.
    private static let sleepNsMax: Int64 = 50_000_000

    private var engine: BookEngine
    private var consumer: FrameConsumer
    private let wiring: Wiring
    private var turn: ShardTurn
    private var times: PublicationTimes

    init(
        _ engine: consuming BookEngine, _ consumer: consuming FrameConsumer, _ wiring: Wiring,
        _ times: consuming LatestValueWriter<LatencyHistogram>
    ) {
        self.times = PublicationTimes(times)
        self.engine = engine
        self.consumer = consumer
        self.wiring = wiring
        turn = ShardTurn(
            ShardTurn.Wiring(
                market: wiring.market, work: wiring.work, want: wiring.want,
                resubscribe: wiring.resubscribe,
                isDepthWanted: wiring.isDepthWanted, levelCount: wiring.levelCount,
                monotonicNs: { LoopClock.monotonicNs }))
    }

    /// Runs until the feed has ended and the ring is empty.
    func run() {
        var emptyTurnCount = 0
        while true {
            let ticket = wiring.news.ticket
            let isLastTurn = wiring.feedIsOver.isRaised
            let frameCount = engine.doWork(&consumer)
            if frameCount > 0 { times.turned(receivedAtNs: engine.lastReceivedAtNs) }
            turn.finish(&engine)
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
}
