// A whole shard as a process runs it: feed thread, fetcher thread and book thread, against a simulated venue
// behind real sockets, its books compared with the true ones.

import BinanceVenue
import BookEngine
import DepthBook
import FeedPlan
import FeedSockets
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange
import Synchronization
import Testing

@testable import DepthFeed

/// A simulated venue behind the sockets of a test venue; its time is the real one.
private final class LiveVenue {
    let front: TestVenue
    private var venue: Venue
    private let beginNs = LoopClock.monotonicNs
    private let startUs: Int64
    private var ids: [Int: ConnectionID] = [:]
    private var answers: [(atUs: Int64, response: VenueResponse, body: [UInt8])] = []

    init(_ symbols: [SymbolName]) throws {
        front = try TestVenue()
        var configuration = VenueConfiguration(
            market: .spot, symbols: symbols.map { VenueSymbol($0, .spotBTC) }, seed: 5)
        configuration.streamLatencyUs = 100...2000
        configuration.requestLatencyUs = 100...2000
        configuration.snapshotLagUs = 0...2000
        configuration.snapshotCacheUs = 1000
        startUs = configuration.startUs
        venue = Venue(configuration)
        front.onRequest = { [unowned self] link, request in
            guard let id = try? ids[link.number] ?? venue.connect([], isCombined: true) else { return }
            ids[link.number] = id
            switch request.method {
            case "SUBSCRIBE":
                try? venue.subscribe(request.streams, on: id, requestID: .integer(Int64(request.id)))
            default:
                try? venue.unsubscribe(request.streams, on: id, requestID: .integer(Int64(request.id)))
            }
        }
        front.rest = { [unowned self] _, query in
            let answer = venue.requestDepth(symbol: query["symbol"]!, limit: Int(query["limit"]!)!)
            return HTTPResponse(
                status: answer.status,
                headers: answer.headers.compactMap { HTTPHeader($0.name, $0.value) }, body: answer.body)
        }
    }

    func turn() {
        venue.advance(toUs: startUs + Int64(LoopClock.monotonicNs - beginNs) / 1000)
        for link in front.links where link.end == nil {
            guard let id = ids[link.number] else { continue }
            venue.poll(id) { _, delivery, bytes in
                if delivery == .text { _ = link.peer.send(text: bytes) }
            }
        }
        for link in front.links where link.end != nil {
            if let id = ids.removeValue(forKey: link.number) { venue.disconnect(id) }
        }
        front.loop.turn(waitAtMostNs: 1_000_000)
    }

    /// Whether a book is the true one at its id, on both sides, as far as it is proven.
    func isTrue(_ book: borrowing OrderBook, _ symbol: SymbolName) -> Bool? {
        let levels = Side.allCases.map { side in
            book.levels(side).filter { book.isProven(side, $0.price) }
        }
        return venue.withTruth(of: symbol, at: book.lastUpdateID) { truth in
            Side.allCases.allSatisfy { side in
                let own = levels[side == .bid ? 0 : 1]
                return (0..<own.count).allSatisfy { truth[side].level(rank: $0) == own[$0] }
            }
        }
    }
}

/// The book thread: frames in, requests out, asleep while there is nothing.
private final class BookThread: @unchecked Sendable {
    var engine: BookEngine
    private var consumer: FrameConsumer
    private let signal: Signal
    private let feed: FeedHandle
    private let fetcher: SnapshotFetcherHandle
    let isStopping = Atomic<Bool>(false)
    let isDone = Atomic<Bool>(false)
    let liveCount = Atomic<Int>(0)

    init(
        _ symbols: [SymbolName], _ consumer: consuming FrameConsumer, _ signal: Signal, _ feed: FeedHandle,
        _ fetcher: SnapshotFetcherHandle
    ) {
        var configuration = EngineConfiguration(rules: Market.spot.rules)
        configuration.auditEveryNs = 500_000_000
        engine = BookEngine(configuration)
        for symbol in symbols { engine.addSymbol(symbol) }
        self.consumer = consumer
        (self.signal, self.feed, self.fetcher) = (signal, feed, fetcher)
    }

    func run() {
        var wants: [SnapshotFetcher.Request] = []
        var silent: [SymbolName] = []
        while !isStopping.load(ordering: .acquiring) {
            let ticket = signal.ticket
            if engine.doWork(&consumer) == 0 { signal.wait(since: ticket, timeoutNs: 100_000_000) }
            engine.takeRequests { request in
                switch request {
                case .ask(let symbol, let priority, let attempt):
                    let key = SnapshotKey(market: .spot, symbol: symbol)
                    wants.append(.want(key, priority, levelCount: 100, attempt: attempt))
                case .cancel(let symbol): wants.append(.cancel(SnapshotKey(market: .spot, symbol: symbol)))
                case .resubscribe(let symbol): silent.append(symbol)
                }
            }
            if !wants.isEmpty && fetcher.want(wants) { wants = [] }
            if !silent.isEmpty && feed.resubscribe(silent) { silent = [] }
            let live = engine.symbols.count { engine.status($0)?.state == .live }
            liveCount.store(live, ordering: .relaxed)
        }
        isDone.store(true, ordering: .releasing)
    }
}

/// Carries what belongs to another thread.
private final class Carried<Value: ~Copyable>: @unchecked Sendable {
    var value: Value?
    init(_ value: consuming Value) { self.value = consume value }
}

/// The remotes and statuses of a shard whose loops run on threads of their own.
private final class RunningShard: @unchecked Sendable {
    let ready = Atomic<Int>(0)
    let isEnding = Atomic<Bool>(false)
    let ended = Atomic<Int>(0)
    var feed: FeedHandle?
    var fetcher: SnapshotFetcherHandle?
    var status: LatestValueReader<FeedStatus>?

    func feedThread(
        _ configuration: DepthFeed.Configuration, _ producer: Carried<FrameProducer>, _ signal: Signal
    ) {
        Thread {
            let loop = try! EventLoop()
            let feed = try! DepthFeed(
                configuration, on: loop, producer: producer.value.take()!, signal: signal)
            (self.feed, self.status) = (FeedHandle(feed, on: loop), feed.status)
            self.ready.add(1, ordering: .releasing)
            feed.start()
            loop.run { self.isEnding.load(ordering: .acquiring) && feed.isStopped && feed.openCount == 0 }
            loop.close()
            self.ended.add(1, ordering: .releasing)
        }.start()
    }

    func fetcherThread(_ endpoints: Endpoints, _ feed: FeedHandle) {
        Thread {
            let loop = try! EventLoop()
            let fetcher = try! SnapshotFetcher(
                [endpoints], on: loop, deliver: { feed.deliver($0) })
            self.fetcher = SnapshotFetcherHandle(fetcher, on: loop)
            self.ready.add(1, ordering: .releasing)
            loop.run {
                self.isEnding.load(ordering: .acquiring) && fetcher.isStopped && fetcher.openCount == 0
            }
            loop.close()
            self.ended.add(1, ordering: .releasing)
        }.start()
    }
}

extension FeedSocketTests {
    @Suite struct WholeShard {
        @Test func threeThreads() throws {
            let symbols = (0..<4).map { SymbolName("SIM\($0)USDT")! }
            let venue = try LiveVenue(symbols)
            func drive(atMostMs: Int = 8000, _ what: Comment, until condition: () -> Bool) {
                let endNs = LoopClock.monotonicNs + UInt64(atMostMs) * 1_000_000
                while !condition() && LoopClock.monotonicNs < endNs { venue.turn() }
                #expect(condition(), what)
            }
            let endpoints = Endpoints(
                market: .spot, streamBase: venue.front.streamBase, restBase: venue.front.restBase)
            var configuration = DepthFeed.Configuration(endpoints: endpoints, symbols: symbols)
            configuration.streams.partialLevelCount = 20
            configuration.supervisor.overlapMs = 500
            let ring = try FrameRing()
            let gauges = ring.gauges
            let signal = Signal()
            let shard = RunningShard()
            shard.feedThread(configuration, Carried(ring.producer), signal)
            drive("feed") { shard.ready.load(ordering: .acquiring) == 1 }
            shard.fetcherThread(endpoints, shard.feed!)
            drive("fetcher") { shard.ready.load(ordering: .acquiring) == 2 }
            let book = BookThread(symbols, ring.consumer, signal, shard.feed!, shard.fetcher!)
            Thread { book.run() }.start()

            drive("live") { book.liveCount.load(ordering: .relaxed) == symbols.count }
            venue.front.link.shutDown()
            drive("renewed") { venue.front.links.count == 2 && venue.front.links[0].end != nil }
            drive("live after the renewal") { book.liveCount.load(ordering: .relaxed) == symbols.count }
            venue.front.link.peer.abort()
            drive("reconnected") { venue.front.links.count == 3 }
            drive("live again") { book.liveCount.load(ordering: .relaxed) == symbols.count }
            let endNs = LoopClock.monotonicNs + 1_200_000_000
            drive("audited") { LoopClock.monotonicNs > endNs }

            book.isStopping.store(true, ordering: .releasing)
            drive("book thread") { book.isDone.load(ordering: .acquiring) }
            for symbol in symbols {
                let counters = book.engine.status(symbol)!.counters
                // The renewal cost nothing; the cut cost every book its trust once.
                #expect(counters.resyncs == 1 && counters.gaps <= 1, "\(symbol): \(counters)")
                #expect(counters.tickersCompared > 0 && counters.tickersAgreed == counters.tickersCompared)
                #expect(counters.partialsAgreed == counters.partialsCompared && counters.partialsCompared > 0)
                #expect(
                    counters.auditsAgreed == counters.auditsCompared && counters.auditsCompared > 0,
                    "\(counters)")
                #expect(book.engine.withBook(symbol) { venue.isTrue($0, symbol) } == true)
            }
            #expect(book.engine.counters.malformed == 0 && gauges.droppedFrames == 0)
            var status = FeedStatus()
            _ = shard.status!.read(into: &status)
            #expect(status.state == .connected && status.attempts == 3 && status.replacements == 1)
            shard.isEnding.store(true, ordering: .releasing)
            #expect(shard.feed!.stop() && shard.fetcher!.stop())
            drive("ended") { shard.ended.load(ordering: .acquiring) == 2 }
            drive("sockets left behind") { venue.front.loop.remote.counters.open == 0 }
            venue.front.loop.close()
        }
    }
}
