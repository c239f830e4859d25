// The server on its own thread: what comes from the shards goes to the topics, and what clients ask is
// answered from the same books.
//
// Every turn takes what the taps hold, in order, and sends the updates in it at once. Partial depths and best
// prices are made at the end of the turn, from the books as they are then, for the symbols that changed.
//
// Bounds: those of `BookServer.Options`; of addresses, those of `AddressBook`.

import BinanceServing
import BinanceVenue
import BookService
import BookSync
import FeedPlan
import LobHandoff
import LobTransport
import MarketData

/// A server that listens. Thread: its loop's. It lives as long as its loop.
final class ServerMachine {
    let service: BookService
    let options: BookServer.Options
    let rules: ServingRules
    let shards: [ServedShard]
    /// Of each symbol: its shard and its slot there.
    let places: [(shard: Int, slot: Int)]
    let indices: [SymbolName: Int]
    /// The same by the names that streams have.
    let indicesOfStreams: [String: Int]
    let loop: EventLoop
    private(set) var port = 0
    let addresses = AddressBook()
    var counters = ServerCounters()
    var clients: [ServerClient] = []
    /// By name; only those that somebody listens to.
    var topics: [String: StreamTopic] = [:]
    /// By index of symbol.
    var topicsOfSymbol: [[StreamTopic]]
    /// What is known of the symbols; empty until the venue's list is there.
    var facts: [SymbolName: SymbolInfo] = [:]
    var encoder: MessageEncoder
    var snapshot = DepthSnapshot()
    private var partial = DepthUpdate(levelCapacity: 32)
    private var news: [ShardNews] = []
    private var dirty: [Int] = []
    private var isDirty: [Bool]
    private let lists = CommandQueue<ExchangeInfo>(capacity: 1)
    private var isListAsked = false
    private var listNotBeforeNs: UInt64 = 0
    private var publishedNs: UInt64 = 0
    private var countersWriter: LatestValueWriter<ServerCounters>
    let counterReadings: LatestValueReader<ServerCounters>
    /// When the end began; nil before.
    private var closingNs: UInt64?

    private static let framesPerTurn = 1_024
    private static let closingNsMax: UInt64 = 3_000_000_000

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
        encoder = MessageEncoder(options.dialect ?? .current(market))
        let mailbox = LatestValue(ServerCounters())
        counterReadings = mailbox.reader
        countersWriter = mailbox.writer
        news = makeNews()
        let terms = market.connectionTerms
        var listening = HTTPServer.Options()
        (listening.address, listening.port, listening.tls) = (options.address, options.port, options.tls)
        listening.peerCountMax = options.clientCountMax
        listening.messageBytesMax = options.messageBytesMax
        listening.pingIntervalMs = terms.pingIntervalMs
        listening.pongLimitMs = terms.pongDeadlineMs
        // Only the loop holds it: it holds this object.
        port = try HTTPServer(
            on: loop, options: listening,
            handlers: HTTPServer.Handlers(request: { self.answer($0) }, upgrade: { self.decide($0) })
        ).port
        turn()
    }

    /// The book of a symbol by its index.
    func book(_ index: Int) -> ServedBook { shards[places[index].shard].books[places[index].slot] }

    /// Why the book of a symbol may not be shown; nil if it may.
    func refusal(of index: Int) -> String? {
        let (shard, slot) = places[index]
        return shards[shard].refusal(of: slot, news[shard])
    }

    /// Whether the thread may end; begins the end if it is to.
    func isOver(isStopping: Bool) -> Bool {
        if !isStopping { return false }
        let nowNs = LoopClock.monotonicNs
        if closingNs == nil {
            closingNs = nowNs
            for client in clients { client.close(.goingAway) }
        }
        // A service that has stopped answers no more.
        if nowNs - closingNs! > ServerMachine.closingNsMax { return true }
        let areGone = shards.map { $0.leave(service) }
        return clients.isEmpty && areGone.allSatisfy { $0 }
    }

    private func makeNews() -> [ShardNews] {
        var first = 0
        return shards.map { shard in
            let base = first
            first += shard.symbols.count
            return ShardNews(
                passed: { [unowned self] slot, payload in
                    counters.passedCount += 1
                    changed(base + slot, payload)
                },
                bridged: { [unowned self] slot in
                    counters.bridgeCount += 1
                    bridged(base + slot)
                },
                broken: { [unowned self] slot in broken(base + slot) })
        }
    }
}

// From the shards to the topics.
extension ServerMachine {
    private func turn() {
        var isBusy = false
        for (number, shard) in shards.enumerated() where closingNs == nil {
            let count = shard.poll(service, limit: ServerMachine.framesPerTurn, news[number])
            if count == ServerMachine.framesPerTurn { isBusy = true }
        }
        let nowNs = LoopClock.monotonicNs
        flush(nowNs)
        takeList(nowNs)
        if nowNs - publishedNs >= 10_000_000 {
            publishedNs = nowNs
            counters.clientCount = clients.count
            countersWriter.publish(counters)
        }
        loop.after(isBusy ? 0 : options.pollUs * 1_000) { [self] in turn() }
    }

    /// Sends an update to those who follow its symbol.
    private func changed(_ index: Int, _ payload: [UInt8]) {
        let nowNs = LoopClock.monotonicNs
        for topic in topicsOfSymbol[index] where topic.content == .depth {
            topic.send(payload, nowNs: nowNs, &counters)
        }
        note(index)
    }

    private func bridged(_ index: Int) {
        guard
            let bytes = encoded({ (encoder) throws(EncoderError) in try encoder.append(book(index).bridge) })
        else {
            book(index).forget()
            return broken(index)
        }
        changed(index, bytes)
    }

    /// What a client holds of this symbol leads nowhere: it must begin anew.
    private func broken(_ index: Int) {
        counters.brokenCount += 1
        for topic in topicsOfSymbol[index] where topic.content == .depth {
            for client in topic.clients { client.close(.goingAway) }
        }
    }

    /// The streams that show the state of a symbol have something to show.
    func note(_ index: Int) {
        if isDirty[index] || topicsOfSymbol[index].allSatisfy({ !$0.isConflated }) { return }
        isDirty[index] = true
        dirty.append(index)
    }

    /// Makes what is due of partial depths and best prices.
    private func flush(_ nowNs: UInt64) {
        if dirty.isEmpty { return }
        var early: [Int] = []
        for index in dirty {
            isDirty[index] = false
            if !book(index).isShown { continue }
            var isEarly = false
            for topic in topicsOfSymbol[index] where topic.isConflated {
                if nowNs - topic.sentNs < topic.intervalNs {
                    isEarly = true
                } else if let bytes = message(of: topic) {
                    topic.send(bytes, nowNs: nowNs, &counters)
                }
            }
            if isEarly { early.append(index) }
        }
        dirty = early
        for index in early { isDirty[index] = true }
    }

    /// The present message of a partial depth or of best prices; nil if it has been sent.
    private func message(of topic: StreamTopic) -> [UInt8]? {
        let book = book(topic.symbol)
        switch topic.content {
        case .depth: return nil
        case .partialDepth(let levelCount):
            book.fill(&snapshot, limit: levelCount)
            if rules.market == .spot {
                return encoded { (encoder) throws(EncoderError) in try encoder.append(snapshot) }
            }
            book.fill(&partial, from: snapshot)
            return encoded { (encoder) throws(EncoderError) in try encoder.append(partial) }
        case .bookTicker:
            let best = BestLevels(bid: book.book.bestBid, ask: book.book.bestAsk)
            if topic.shown == best { return nil }
            topic.shown = best
            return encoded { (encoder) throws(EncoderError) in try encoder.append(book.ticker) }
        }
    }

    /// The bytes of one message; nil if it cannot be printed.
    func encoded(_ append: (inout MessageEncoder) throws(EncoderError) -> Void) -> [UInt8]? {
        encoder.removeAll()
        do { try append(&encoder) } catch { return nil }
        var bytes: [UInt8] = []
        encoder.append(to: &bytes)
        return bytes
    }

    /// Asks for the venue's list of symbols until it is there.
    private func takeList(_ nowNs: UInt64) {
        if let list = lists.take().first {
            for info in list.symbols where indices[info.symbol] != nil { facts[info.symbol] = info }
        }
        if isListAsked || nowNs < listNotBeforeNs { return }
        listNotBeforeNs = nowNs + 1_000_000_000
        isListAsked = service.fetchExchangeInfo { [lists] result in
            if case .success(let list) = result { _ = lists.post(list) }
        }
    }
}
