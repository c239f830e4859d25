// A shard of a market run: feed, ring, engine and the turns of a book thread, over a connection that opens at
// once, never fails and gets the updates of its symbols put into it.

import BinanceServing
import BinanceVenue
import BookEngine
import DepthFeed
import FeedPlan
import LobHandoff
import MarketData

/// One shard. There is only one thread.
final class MarketShard: SnapshotTaker, @unchecked Sendable {
    private static let ringBytes = 1 << 21
    /// A book thread checks once in this many turns whether it is time to report ranks.
    private static let turnsPerRound = 64

    private(set) var engine: BookEngine
    private(set) var feed: DepthFeed!
    private var consumer: FrameConsumer
    private let clock: VirtualClock
    private let market: Market
    private var link: MarketLink?
    private var turn: ShardTurn!
    private var unreadBytes = 0

    init(
        _ configuration: EngineConfiguration, _ symbols: [SymbolName], at endpoints: Endpoints,
        _ clock: VirtualClock
    ) throws {
        engine = BookEngine(configuration)
        for symbol in symbols { engine.addSymbol(symbol) }
        let ring = try FrameRing(capacityBytes: MarketShard.ringBytes)
        consumer = ring.consumer
        (self.clock, market) = (clock, endpoints.market)
        let feedConfiguration = DepthFeed.Configuration(endpoints: endpoints, symbols: symbols)
        feed = DepthFeed(
            feedConfiguration, clock: clock, producer: ring.producer,
            dial: { [unowned self] feed, connection in
                let made = MarketLink(connection, of: feed, clock, endpoints.market)
                link = made
                return made
            })
    }

    /// Makes the book thread; its messages reach the others a moment later.
    func connect(
        to fetcher: SnapshotFetcher, levelCount: @escaping @Sendable (SnapshotPriority) -> Int
    ) {
        let planned = fetcher.status
        turn = ShardTurn(
            ShardTurn.Wiring(
                market: market, work: CommandQueue(capacity: 1),
                want: { [clock] requests in
                    clock.alarm(atUs: 0) { fetcher.want(requests) }
                    return true
                },
                resubscribe: { [clock, unowned self] silent in
                    clock.alarm(atUs: 0) { [unowned self] in feed.resubscribe(silent) }
                    return true
                },
                isDepthWanted: {
                    planned.latest(SnapshotFetcherStatus()).queued[SnapshotPriority.deepen.rawValue] > 0
                },
                levelCount: levelCount, monotonicNs: { [clock] in clock.monotonicNs }))
    }

    /// Takes a message from the venue; one that finds no room in the ring shows up as a gap.
    func hear(_ message: [UInt8]) {
        link?.hear(message)
        unreadBytes += message.count
        if unreadBytes > MarketShard.ringBytes / 8 { consume() }
    }

    func deliver(_ delivery: SnapshotFetcher.Delivery) -> Bool {
        feed.deliver(delivery)
        consume()
        return true
    }

    /// Does as many turns of the book thread as there are between two reports of ranks.
    func turnAround() {
        consume()
        for _ in 0..<MarketShard.turnsPerRound { turn.finish(&engine) }
    }

    private func consume() {
        engine.doWork(&consumer, limit: .max)
        unreadBytes = 0
    }
}

/// The connection of a market run.
private final class MarketLink: FeedLink {
    private let connection: FeedConnection
    private let clock: VirtualClock
    private unowned let feed: DepthFeed
    private var encoder: MessageEncoder
    private var isOpen = false

    init(_ connection: FeedConnection, of feed: DepthFeed, _ clock: VirtualClock, _ market: Market) {
        (self.connection, self.feed, self.clock) = (connection, feed, clock)
        encoder = MessageEncoder(.classic(market))
        clock.alarm(atUs: 0) { [self] in
            isOpen = true
            feed.opened(connection, backend: "simulated")
        }
    }

    func hear(_ message: [UInt8]) {
        if !isOpen { return }
        feed.received(
            message.span, isFinal: true, on: connection, receivedAtNs: clock.realtimeNs)
    }

    /// Accepts every request.
    func send(_ text: String) {
        guard let request = try? ControlRequest(Array(text.utf8)) else { return }
        encoder.removeAll()
        guard (try? encoder.append(ControlResult.done, id: request.id)) != nil else { return }
        var reply: [UInt8] = []
        encoder.append(to: &reply)
        clock.alarm(atUs: 0) { [self, reply] in hear(reply) }
    }

    func ping() -> Bool {
        clock.alarm(atUs: 0) { [self] in feed.ponged(connection) }
        return true
    }

    func close() {
        isOpen = false
        clock.alarm(atUs: 0) { [self] in feed.ended(connection, LinkEnd()) }
    }

    func abort() { close() }
}
