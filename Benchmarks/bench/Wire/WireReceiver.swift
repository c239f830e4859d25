// The receiving side of `bench --wire`: a feed thread, a ring and a book thread, put together as a service
// does it, without the service's fetcher: the engine's requests are answered on the spot.
//
// Latency is taken by the book thread behind each turn, of the last message of the turn, when its view is
// published: no thread more has to run for it.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import FeedSockets
import Foundation
import LobHandoff
import LobTransport
import MarketData
import Synchronization

/// What one thread used between two marks.
struct WireUse: Sendable {
    var userNs: UInt64 = 0
    var systemNs: UInt64 = 0

    static func now() -> WireUse {
        let use = ThreadUse.now()
        return WireUse(userNs: use.userNs, systemNs: use.systemNs)
    }

    static func - (a: WireUse, b: WireUse) -> WireUse {
        WireUse(userNs: a.userNs &- b.userNs, systemNs: a.systemNs &- b.systemNs)
    }
}

/// What a run came to.
struct WireOutcome: Sendable {
    var messageCount = 0
    var turnCount = 0
    var book = WireUse()
    var feed = WireUse()
    var latency = LatencyHistogram(highestTrackableValue: 1 << 36, numberOfSignificantValueDigits: .three)
    var liveCount = 0
    var lostCount = 0
}

/// A feed and its books.
final class WireReceiver: @unchecked Sendable {
    private struct FeedParts: @unchecked Sendable {
        var handle: FeedHandle
        var loop: LoopHandle
    }

    /// 0 warming up, 1 measuring, 2 over.
    private let phase = Atomic<Int>(0)
    /// Whether updates come.
    private let isFlowing = StopFlag()
    private let news = Signal()
    private let isStopping = StopFlag()
    private let symbols: [SymbolName]
    private let idle: IdleStrategy
    private let engine: Mutex<BookEngine?>
    private let consumer: Mutex<FrameConsumer?>
    private var feed: LoopThread<FeedParts>?
    private let outcome = Mutex(WireOutcome())

    init(_ order: WireOrder, port: Int, idle: IdleStrategy, authorityPath: String?) throws {
        self.idle = idle
        let names = (0..<order.symbolCount).map { SymbolName(WireMessage.symbol($0))! }
        symbols = names
        let ring = try FrameRing(capacityBytes: 1 << 23)
        var configuration = EngineConfiguration(rules: Market.spot.rules)
        configuration.symbolCountMax = names.count
        var made = BookEngine(configuration)
        for name in names { made.addSymbol(name) }
        engine = Mutex(consume made)
        consumer = Mutex(ring.consumer)
        let base = "\(authorityPath == nil ? "ws" : "wss")://127.0.0.1:\(port)"
        let endpoints = Endpoints(market: .spot, streamBase: base, restBase: "http://127.0.0.1:\(port)")
        let producer = Mutex<FrameProducer?>(ring.producer)
        var options = EventLoop.Options()
        options.authorityPath = authorityPath
        let (news, isStopping) = (news, isStopping)
        feed = try LoopThread("feed", idle: idle, options: options) { loop throws(TransportError) in
            let feed = try DepthFeed(
                DepthFeed.Configuration(endpoints: endpoints, symbols: names), on: loop,
                producer: producer.withLock { $0.take()! }, signal: idle == .spin ? nil : news)
            feed.start()
            return LoopThread.Resident(
                remote: FeedParts(handle: FeedHandle(feed, on: loop), loop: loop.remote),
                isOver: { isStopping.isRaised && feed.isStopped && feed.openCount == 0 })
        }
    }

    /// Runs the books on a thread of their own, and measures for this long.
    func run(warmUpNs: UInt64, forNs: UInt64) throws -> WireOutcome {
        let thread = try PinnedThread("book") { [self] in keepBooks() }
        let startNs = CycleTimer.monotonicNs()
        while !isFlowing.isRaised && CycleTimer.monotonicNs() - startNs < 30_000_000_000 { wait(10_000_000) }
        wait(warmUpNs)
        let start = feedUse()
        phase.store(1, ordering: .releasing)
        wait(forNs)
        phase.store(2, ordering: .releasing)
        let end = feedUse()
        isStopping.raise()
        news.notify()
        thread.join()
        _ = feed?.remote.handle.stop()
        feed?.join()
        var result = outcome.withLock { $0 }
        result.feed = end - start
        return result
    }

    private func wait(_ ns: UInt64) { usleep(UInt32(ns / 1000)) }

    private func feedUse() -> WireUse {
        let use = Mutex(WireUse())
        let done = DispatchSemaphore(value: 0)
        let isPosted = feed?.remote.loop.post { _ in
            use.withLock { $0 = .now() }
            done.signal()
        }
        if isPosted == true { done.wait() }
        return use.withLock { $0 }
    }

    private func keepBooks() {
        var engine = self.engine.withLock { $0.take()! }
        var consumer = self.consumer.withLock { $0.take()! }
        var (own, top) = (WireOutcome(), TopOfBook())
        let tops = symbols.map { engine.tops(of: $0)! }
        let places = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, $0) })
        let body = Array(WireMessage.snapshot.utf8)
        var (start, startCount, measured, empty) = (WireUse(), 0, 0, 0)
        while true {
            let ticket = news.ticket
            let now = phase.load(ordering: .acquiring)
            if now != measured {
                measured = now
                if now == 1 { (start, startCount) = (.now(), engine.counters.depthUpdates) }
                if now == 2 { break }
            }
            let taken = engine.doWork(&consumer)
            if taken == 0 {
                idle.idle(emptyTurnCount: empty, on: news, since: ticket, timeoutNs: 50_000_000)
                empty += 1
                continue
            }
            empty = 0
            if measured == 0 && engine.counters.depthUpdates > 0 { isFlowing.raise() }
            if measured == 1, let place = places[engine.lastUpdate.symbol] {
                let nowNs = CycleTimer.monotonicNs()
                _ = tops[place].read(into: &top)
                let sentNs = (top.bestBid?.quantity.mantissa ?? 0) &- WireMessage.stampBase
                if sentNs > 0 { own.latency.record(nowNs &- UInt64(sentNs)) }
                own.turnCount += 1
            }
            var asked: [SymbolName] = []
            engine.takeRequests { if case .ask(let symbol, _, _) = $0 { asked.append(symbol) } }
            for symbol in asked {
                engine.receiveSnapshot(
                    body.span, of: symbol, limit: nil, receivedAtNs: Int64(Date().timeIntervalSince1970 * 1e9)
                )
            }
        }
        own.book = WireUse.now() - start
        own.messageCount = engine.counters.depthUpdates - startCount
        own.liveCount = symbols.count { engine.status($0)?.state == .live }
        own.lostCount = engine.counters.dropped
        outcome.withLock { $0 = own }
    }
}
