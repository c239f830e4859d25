// The server on its own thread: news from the shards goes to the topics, and clients' requests are answered
// from the same books.
//
// Every turn processes the taps' contents in order and sends their updates at once. What is generated here
// (partial depths, best prices, summaries for slower streams) is generated at the end of the turn, from the
// books as they then are, for the symbols that changed. Then the thread sleeps until a socket, a tap or a due
// time wakes it.
//
// Bounds: those of `BookServer.Options`; for addresses, those of `AddressBook`.

import BinanceServing
import BinanceVenue
import BookService
import BookSync
import FeedPlan
import LobHandoff
import LobTransport
import MarketData

/// A listening server. Thread: its loop's. It lives as long as its loop.
final class ServerMachine {
    let service: BookService
    let options: BookServer.Options
    let rules: ServingRules
    let shards: [ServedShard]
    /// Shard and slot of each symbol.
    let places: [(shard: Int, slot: Int)]
    let indices: [SymbolName: Int]
    /// The symbols' indices by their names in streams.
    let indicesOfStreams: [String: Int]
    let loop: EventLoop
    private(set) var port = 0
    let addresses = AddressBook()
    let access: AccessRules
    var pace = RequestPace()
    var counters = ServerCounters()
    var clients: [ObjectIdentifier: ServerClient] = [:]
    /// Compresses messages; nil without memory.
    let packer = MessagePacker()
    let shareRules: ShareRules
    /// Shares of WebSocket clients and of streams by owner.
    var clientShares = AddressShares()
    var streamShares = AddressShares()
    /// Clients of the WebSocket API.
    var queriers: [ObjectIdentifier: WebSocketPeer] = [:]
    /// Only topics with subscribers.
    var topics: [StreamTopic.Key: StreamTopic] = [:]
    /// Topics by symbol index.
    var topicsOfSymbol: [[StreamTopic]]
    /// Topics of all symbols together.
    var topicsOfAll: [StreamTopic] = []
    /// Properties of the symbols; empty until the venue's list has arrived.
    var facts: [SymbolName: SymbolInfo] = [:]
    /// The venue's original text about them.
    var texts = ListTexts()
    /// For times in ms, and in µs.
    var encoders: MessageEncoders
    var snapshot = DepthSnapshot()
    var depthAnswers = DepthAnswers()
    /// The stream of tops and changes of state.
    let events: EventHub
    /// Questions to the store; nil if there is none.
    let history: HistoryRequests?
    var rates: UpdateRates
    var latencies = ServerLatencies()
    var health = Health()
    /// Updates of this round, whose clients are served at its end.
    var unsent: [ServerLatencies.Update] = []
    /// Scratch for messages generated here and for those parsed again.
    var made = DepthUpdate(levelCapacity: 32)
    var parser = MessageParser()
    /// Symbols that may need a message.
    var dirty: [Int] = []
    var isDirty: [Bool]
    /// Topics whose interval is not over, and when the first of them is due.
    var waiting: [StreamTopic] = []
    var waitingDueNs = UInt64.max
    var news: [ShardNews] = []
    let lists = CommandQueue<ExchangeInfo>(capacity: 1)
    var listNotBeforeNs: UInt64 = 0
    var alarm = TurnAlarm()
    var publishedNs: UInt64 = 0
    var published = ServerCounters()
    var countersWriter: LatestValueWriter<ServerCounters>
    let counterReadings: LatestValueReader<ServerCounters>
    /// When shutdown began; nil before.
    private(set) var closingNs: UInt64?

    private static let closingNsMax: UInt64 = 3_000_000_000
    /// How often shutdown is checked while under way.
    private static let closingLookNs: UInt64 = 5_000_000

    init(
        _ service: BookService, _ shards: [ServedShard], _ options: BookServer.Options, on loop: EventLoop
    ) throws(TransportError) {
        (self.service, self.shards, self.options, self.loop) = (service, shards, options, loop)
        let market = service.configuration.endpoints.market
        rules = ServingRules(market)
        var places: [(shard: Int, slot: Int)] = []
        var indices: [SymbolName: Int] = [:]
        for (number, shard) in shards.enumerated() {
            for (slot, symbol) in shard.symbols.enumerated() {
                indices[symbol] = places.count
                places.append((number, slot))
            }
        }
        (self.places, self.indices) = (places, indices)
        indicesOfStreams = Dictionary(
            indices.map { ($0.key.lowercasedASCII, $0.value) }, uniquingKeysWith: { first, _ in first })
        topicsOfSymbol = [[StreamTopic]](repeating: [], count: places.count)
        isDirty = [Bool](repeating: false, count: places.count)
        access = AccessRules(options.tokens)
        shareRules = ShareRules(options)
        events = EventHub(
            shards.flatMap(\.symbols), bootNs: LoopClock.realtimeNs, shareRules)
        history = options.history.map { [shareRules, remote = loop.remote] in
            HistoryRequests($0, shareRules) { remote.wake() }
        }
        rates = UpdateRates(count: places.count, nowNs: LoopClock.monotonicNs)
        encoders = MessageEncoders(options.dialect ?? .current(market))
        let mailbox = LatestValue(ServerCounters())
        counterReadings = mailbox.reader
        countersWriter = mailbox.writer
        news = makeNews()
        port = try listen()
        for shard in shards { shard.wake.connect { [remote = loop.remote] in remote.wake() } }
    }

    private func listen() throws(TransportError) -> Int {
        let terms = rules.market.connectionTerms
        var listening = HTTPServer.Options()
        (listening.address, listening.port, listening.tls) = (options.address, options.port, options.tls)
        listening.connectionCountMax = options.connectionCountMax
        listening.peerCountMax = options.clientCountMax
        listening.addressPercentMax = shareRules.addressPercent
        listening.loopbackPercentMax = shareRules.loopbackPercent
        listening.answerLimitMs = options.answerLimitMs
        listening.stallLimitMs = options.stallLimitMs
        listening.messageBytesMax = options.messageBytesMax
        listening.pingIntervalMs = terms.pingIntervalMs
        listening.pongLimitMs = terms.pongDeadlineMs
        // Only the loop holds it, and it holds this object.
        var handlers = HTTPServer.Handlers(request: { self.answer($0) }, upgrade: { self.decide($0) })
        handlers.deflates = { [options, packer] in
            packer != nil && options.deflate.packs(for: $0.owner)
        }
        return try HTTPServer(on: loop, options: listening, handlers: handlers).port
    }

    /// The book of a symbol by its index.
    func book(_ index: Int) -> ServedBook { shards[places[index].shard].books[places[index].slot] }

    /// Why a symbol's book may not be shown; nil if it may.
    func refusal(of index: Int) -> String? {
        let (shard, slot) = places[index]
        let lagNs = shards[shard].lagNs(atNs: LoopClock.realtimeNs)
        if isTooLate(lagNs) { return "the server is \(lagNs / 1_000_000) ms behind" }
        return shards[shard].refusal(of: slot, news[shard])
    }

    /// The current standing of a symbol's book.
    func standing(of index: Int) -> Standing { standing(of: index, isServed: refusal(of: index) == nil) }

    /// The same as of this turn, for the event stream, which learns of every change of that verdict.
    func standingOfTurn(of index: Int) -> Standing { standing(of: index, isServed: isShown(index)) }

    private func standing(of index: Int, isServed: Bool) -> Standing {
        let (shard, slot) = places[index]
        let mark = shards[shard].mark(of: slot)
        if !isServed && mark?.state == .live && (shards[shard].holds(slot) || book(index).isShown) {
            return Standing(state: .stale, reason: Standing.backlog)
        }
        return Standing(state: mark?.state ?? .syncing, reason: mark?.reason.word, isServed: isServed)
    }

    /// Whether a shard shows data that is too old, by its lag behind the feed.
    ///
    /// Paused books cost a bridge each, so a shard that was too late must catch up to half the limit.
    func isTooLate(_ lagNs: Int64, wasLate: Bool = false) -> Bool {
        (wasLate ? lagNs &* 2 : lagNs) / 1_000_000 > Int64(options.lagMsMax)
    }

    /// Whether shutdown has begun: the books move no more, so nothing is answered from them.
    var isClosing: Bool { closingNs != nil }

    /// The work between two turns of the loop.
    ///
    /// - Returns: whether the thread may end; starts shutdown if requested.
    func turn(isStopping: Bool) -> Bool {
        if closingNs == nil { work() }
        return isOver(isStopping: isStopping)
    }

    private func isOver(isStopping: Bool) -> Bool {
        if !isStopping { return false }
        let nowNs = LoopClock.monotonicNs
        if closingNs == nil {
            closingNs = nowNs
            for client in clients.values { client.close(.goingAway) }
            for peer in queriers.values { peer.close(code: UInt16(ConnectionClose.goingAway.code)) }
            events.end()
        }
        // A stopped service answers no more.
        if nowNs - closingNs! > ServerMachine.closingNsMax { return true }
        let areGone = shards.map { $0.leave(service) }
        if clients.isEmpty && queriers.isEmpty && areGone.allSatisfy({ $0 }) { return true }
        alarm.set(atNs: nowNs + ServerMachine.closingLookNs, nowNs: nowNs, on: loop)
        return false
    }

    private func makeNews() -> [ShardNews] {
        var first = 0
        return shards.map { shard in
            let base = first
            first += shard.symbols.count
            return ShardNews(
                passed: { [unowned self] slot, update in passed(base + slot, update) },
                gap: { [unowned self] slot, update in gap(base + slot, update) },
                bridged: { [unowned self] slot in bridged(base + slot) },
                resumed: { [unowned self] slot in resumed(base + slot) },
                broken: { [unowned self] slot in broken(base + slot) },
                judged: { [unowned self] slot in events.note(base + slot) })
        }
    }
}
