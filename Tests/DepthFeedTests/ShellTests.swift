// Feed and fetcher without sockets: a clock and a link of the test's own.

import BinanceVenue
import BookEngine
import FeedPlan
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed

/// A clock that only notes what is asked of it.
private final class NotedClock: ShellClock {
    var realtimeNs: Int64 = 1_790_000_000_000_000_000
    var monotonicNs: UInt64
    var delaysNs: [UInt64] = []

    init(monotonicNs: UInt64) { self.monotonicNs = monotonicNs }

    func alarm(afterNs delayNs: UInt64, _ action: @escaping () -> Void) -> ShellTimer {
        delaysNs.append(delayNs)
        return ShellTimer(number: UInt64(delaysNs.count))
    }

    func cancel(_ timer: ShellTimer) {}
}

private final class NotedLink: FeedLink {
    var texts: [String] = []
    var isClosed = false

    func send(_ text: String) { texts.append(text) }
    func ping() -> Bool { true }
    func close() { isClosed = true }
    func abort() { isClosed = true }
}

@Suite struct ShellTests {
    private static func feed(
        _ clock: NotedClock, _ link: NotedLink, _ told: @escaping (FeedConnection) -> Void
    )
        throws -> DepthFeed
    {
        let endpoints = Endpoints(market: .spot)!
        let configuration = DepthFeed.Configuration(
            endpoints: endpoints, symbols: [SymbolName("BTCUSDT")])
        let ring = try FrameRing(capacityBytes: 1 << 16)
        return DepthFeed(
            configuration, clock: clock, producer: ring.producer,
            dial: {
                told($1)
                return link
            })
    }

    /// Only differences of the clock that never goes back mean anything: a zero forty years ago is as good as
    /// one a minute ago.
    @Test(arguments: [0, 60_000_000_000, 1_262_304_000_500_000_000] as [UInt64])
    func theZeroOfTheClockIsOfNoMatter(_ monotonicNs: UInt64) throws {
        let clock = NotedClock(monotonicNs: monotonicNs)
        let feed = try Self.feed(clock, NotedLink()) { _ in }
        feed.start()
        let dialLimitMs = UInt64(feed.configuration.supervisor.dialLimitMs)
        #expect(clock.delaysNs == [100_000_000, dialLimitMs * 1_000_000])
    }

    /// What a link reports after the feed has closed it changes nothing but the number of open ones.
    @Test func aRetiredConnectionIsNotHeard() throws {
        let (clock, link) = (NotedClock(monotonicNs: 1), NotedLink())
        var dialled: FeedConnection?
        let feed = try Self.feed(clock, link) { dialled = $0 }
        feed.start()
        let connection = try #require(dialled)
        feed.opened(connection, backend: "noted")
        #expect(link.texts.count == 1 && feed.openCount == 1)
        feed.stop()
        #expect(link.isClosed)
        let before = feed.counted
        feed.opened(connection, backend: "noted")
        feed.received(Array("{}".utf8).span, isFinal: true, on: connection, receivedAtNs: 1)
        feed.pinged(connection)
        feed.probed(connection)
        feed.ended(connection, LinkEnd(error: "lost"))
        #expect(feed.openCount == 0 && link.texts.count == 1)
        #expect(feed.counted.messages == before.messages && feed.counted.losses == before.losses)
        #expect(feed.counted.pings == 0 && feed.counted.probes == 0)
    }

    /// A policy close by a server that is asked too much is a refusal; because of a slow reader it is none.
    @Test func whatAnEndMeans() {
        #expect(LinkEnd(peerCode: 1008, peerReason: "Too many requests").loss == .refused)
        #expect(LinkEnd(peerCode: 1008, peerReason: "Pong timeout").loss == .lost)
        #expect(LinkEnd(error: "refused", refusedStatus: 429).loss == .refused)
        #expect(LinkEnd(error: "refused", refusedStatus: 502).loss == .lost)
        #expect(LinkEnd().line == "closed")
    }
}

/// What a book thread passes on.
@Suite struct ShardTurnTests {
    /// A queue that is full: nothing is lost, nothing is said twice, and the order stays.
    @Test func refusedRequestsAreKept() {
        let names: [SymbolName] = ["AUSDT", "BUSDT", "CUSDT"]
        var engine = BookEngine(EngineConfiguration(rules: Market.spot.rules))
        for name in names { engine.addSymbol(name) }
        var isTaking = false
        var offers: [[SnapshotFetcher.Request]] = []
        var turn = ShardTurn(
            ShardTurn.Wiring(
                market: .spot, work: CommandQueue(capacity: 1),
                want: {
                    offers.append($0)
                    return isTaking
                }, resubscribe: { _ in true }, isDepthWanted: { false }, levelCount: { _ in 100 },
                monotonicNs: { 0 }))
        turn.finish(&engine)
        #expect(offers.isEmpty)
        engine.connect(source: 1, receivedAtNs: 1)
        turn.finish(&engine)
        turn.finish(&engine)
        let wanted = names.map { name in
            SnapshotFetcher.Request.want(
                SnapshotKey(market: .spot, symbol: name), .initial, levelCount: 100, attempt: 0,
                rank: engine.snapshotRank(of: name))
        }
        #expect(offers == [wanted, wanted])
        isTaking = true
        turn.finish(&engine)
        turn.finish(&engine)
        #expect(offers == [wanted, wanted, wanted])
    }

    /// Questions are answered once.
    @Test func questionsAreAnswered() {
        var engine = BookEngine(EngineConfiguration(rules: Market.spot.rules))
        let work = CommandQueue<BookWork>(capacity: 2)
        let answers = CommandQueue<Int>(capacity: 2)
        var turn = ShardTurn(
            ShardTurn.Wiring(
                market: .spot, work: work, want: { _ in true }, resubscribe: { _ in true },
                isDepthWanted: { false },
                levelCount: { _ in 100 }, monotonicNs: { 0 }))
        #expect(work.post { _ = answers.post($0.symbols.count) })
        for _ in 0..<3 { turn.finish(&engine) }
        #expect(answers.take() == [0])
    }
}
