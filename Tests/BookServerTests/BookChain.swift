// Books over books without sockets: a venue that moves at random, an engine over its stream, what is served
// of that engine's book, an engine over what is served, and so on.

import BinanceVenue
import BookSync
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine
@testable import BookServer

/// An engine that follows a stream, and what it serves itself.
final class ChainLink {
    private var engine: BookEngine
    let served: ServedBook
    private let symbol: SymbolName
    private let dialect: WireDialect
    private var random: SeededRandom
    private var lossNumber = 0
    /// Messages for those who follow each update, in order.
    private var sent: [[UInt8]] = []
    private var summary: UpdateSummary?
    /// A snapshot is wanted; one is on its way, to arrive in so many steps.
    private var isWanted = false
    private var underway: (body: [UInt8], stepsLeft: Int)?
    private(set) var bridgeCount = 0
    /// Bridges that told of a narrower range.
    private(set) var narrowingCount = 0

    init(_ symbol: SymbolName, _ dialect: WireDialect, levelCountMax: Int, seed: UInt64) {
        (self.symbol, self.dialect, random) = (symbol, dialect, SeededRandom(seed: seed))
        var configuration = EngineConfiguration(rules: dialect.market.rules)
        configuration.levelCountMax = levelCountMax
        configuration.provenLevelCountMin = 30
        configuration.auditEveryNs = 2_000_000_000
        engine = BookEngine(configuration)
        engine.addSymbol(symbol)
        served = ServedBook(symbol, isLinked: dialect.market != .spot, levelCountMax: levelCountMax)
    }

    var mark: BookMark { engine.mark(at: 0) }
    var status: SymbolStatus { engine.status(symbol)! }

    func levels(_ side: Side) -> [PriceLevel] { engine.withBook(at: 0) { $0.levels(side) } }

    /// A frame, and what follows from it for those who follow this book.
    func take(_ kind: FrameKind, _ body: [UInt8] = [], atNs: Int64) {
        let updateCount = engine.counters.depthUpdates
        let padded = body + [UInt8](repeating: 0x7B, count: 128)
        padded.withUnsafeBufferPointer { all in
            engine.step(
                Frame(
                    kind: kind, source: 1, receivedAtNs: atNs,
                    bytes: UnsafeBufferPointer(rebasing: all[..<body.count]), readableAfter: 128))
        }
        if engine.counters.depthUpdates != updateCount {
            engine.withLastUpdate { update, _ in
                let leadsOn =
                    mark.state == .live && mark.lastUpdateID == update.last
                    && engine.lossNumber(at: 0) == lossNumber && served.continues(update)
                if leadsOn && served.pass(update) { send(body, update) }
            }
        }
        settle()
    }

    private func send(_ message: [UInt8], _ update: borrowing DepthUpdate) {
        sent.append(message)
        summary?.add(update)
    }

    /// As `ServedShard` does it.
    private func settle() {
        if mark.state != .live { return served.pause() }
        let loss = engine.lossNumber(at: 0)
        if served.state == .live && loss == lossNumber && mark.lastUpdateID == served.book.lastUpdateID {
            return engine.withBook(at: 0) { served.deepen($0) }
        }
        lossNumber = loss
        switch engine.withBook(at: 0, { served.resume($0) }) {
        case .began: summary = UpdateSummary(since: served.ids.last, isLinked: served.isLinked)
        case .unchanged, .behind: break
        case .bridged:
            bridgeCount += 1
            if served.bridge.extras != nil { narrowingCount += 1 }
            let message = encoded { (encoder) throws(EncoderError) in try encoder.append(served.bridge) }
            send(message, served.bridge)
        }
    }

    /// The messages since the last call.
    func takeSent() -> [[UInt8]] {
        defer { sent = [] }
        return sent
    }

    /// One message for all that has changed since the last call; nil if nothing has, or nothing may be shown.
    func takeSummary() -> [UInt8]? {
        if !served.isShown || summary?.isEmpty != false { return nil }
        var message = DepthUpdate()
        summary?.take(&message, from: served)
        return encoded { (encoder) throws(EncoderError) in try encoder.append(message) }
    }

    /// An answer to somebody who asked for so many levels, in its envelope; nil if nothing may be shown.
    func answer(limit: Int) -> [UInt8]? {
        if !served.isShown { return nil }
        var snapshot = DepthSnapshot()
        let cut = served.answer(&snapshot, limit: limit)
        return SnapshotEnvelope(symbol: symbol, limit: cut).bytes
            + encoded { (encoder) throws(EncoderError) in try encoder.append(snapshot) }
    }

    func encoded(_ append: (inout MessageEncoder) throws(EncoderError) -> Void) -> [UInt8] {
        var encoder = MessageEncoder(dialect)
        var bytes: [UInt8] = []
        do {
            try append(&encoder)
            encoder.append(to: &bytes)
        } catch {
            Issue.record(error)
        }
        return bytes
    }

    /// Time passes; snapshots are asked for above, and arrive after a while.
    func tick(atNs: Int64, ask: (_ limit: Int) -> [UInt8]?) {
        take(.tick, atNs: atNs)
        engine.takeRequests { request in
            switch request {
            case .ask: isWanted = true
            case .cancel: (isWanted, underway) = (false, nil)
            case .resubscribe: break
            }
        }
        if isWanted && random.chance(0.4), let body = ask([5, 10, 25, 1_000][random.below(4)]) {
            (isWanted, underway) = (false, (body, random.below(4)))
        }
        guard let (body, stepsLeft) = underway else { return }
        underway = stepsLeft == 0 ? nil : (body, stepsLeft - 1)
        if stepsLeft == 0 { take(.depthSnapshot, body, atNs: atNs) }
    }
}

/// A venue and the links over it: the first over the venue, the second over the first, the third over the
/// second, and one over the summaries of the first.
struct BookChain: ~Copyable {
    static let symbol: SymbolName = "SIM0USDT"
    private var random: SeededRandom
    private let market: Market
    private(set) var truth = NaiveOrderBook()
    private var id = UpdateID(100)
    private var centre: Int64 = 5_000
    private var update = DepthUpdate()
    private var nowNs: Int64 = 1_700_000_000_000_000_000
    let links: [ChainLink]
    let summed: ChainLink
    /// Comparisons of books at the same id, and of those with a side that is not known as a whole.
    private(set) var counts = (compared: 0, bounded: 0)

    init(_ market: Market, isMicroseconds: Bool, levelCountMax: Int, seed: UInt64) {
        (random, self.market) = (SeededRandom(seed: seed), market)
        var dialect = WireDialect.current(market)
        dialect.writesMicroseconds = isMicroseconds
        let link = { (number: UInt64) in
            ChainLink(
                BookChain.symbol, dialect, levelCountMax: levelCountMax, seed: seed &* 31 &+ number)
        }
        links = (0..<3).map { link($0) }
        summed = link(3)
        for distance in 1...Int64(40 + random.below(60)) {
            truth.bids[centre - distance] = 1 + Int64(random.below(9))
            truth.asks[centre + distance] = 1 + Int64(random.below(9))
        }
        for link in links + [summed] { link.take(.connected, atNs: nowNs) }
    }

    /// The venue changes some levels; the book's middle may move.
    private mutating func move() {
        update.reset()
        update.symbol = BookChain.symbol
        update.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        (update.eventTimeUs, update.transactionTimeUs) = (nowNs / 1_000, nowNs / 1_000)
        centre += Int64(random.below(9)) - 4
        for price in truth.bids.keys where price >= centre { update.bids.append(PriceLevel(price, 0)) }
        for price in truth.asks.keys where price <= centre { update.asks.append(PriceLevel(price, 0)) }
        for _ in 0..<random.below(8) {
            let distance = 1 + Int64(random.below(random.chance(0.2) ? 120 : 20))
            let quantity = random.chance(0.3) ? 0 : 1 + Int64(random.below(9))
            if random.chance(0.5) {
                update.bids.append(PriceLevel(centre - distance, quantity))
            } else {
                update.asks.append(PriceLevel(centre + distance, quantity))
            }
        }
        truth.apply(bids: update.bids.array(), asks: update.asks.array())
        let before = id
        id = UpdateID(before.value + 1 + Int64(random.below(4)))
        (update.first, update.last) = (UpdateID(before.value + 1), id)
        update.previousLast = market == .spot ? nil : before
    }

    private func venueAnswer(limit: Int) -> [UInt8] {
        var snapshot = DepthSnapshot()
        (snapshot.symbol, snapshot.lastUpdateID) = (BookChain.symbol, id)
        snapshot.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        (snapshot.eventTimeUs, snapshot.transactionTimeUs) = (nowNs / 1_000, nowNs / 1_000)
        snapshot.bids.assign(Array(truth.levels(.bid).prefix(limit)))
        snapshot.asks.assign(Array(truth.levels(.ask).prefix(limit)))
        return SnapshotEnvelope(symbol: BookChain.symbol, limit: limit).bytes
            + links[0].encoded { (encoder) throws(EncoderError) in try encoder.append(snapshot) }
    }

    /// One update of the venue, which the first link may lose; everybody else gets what is sent, most of it.
    mutating func step() {
        nowNs += 100_000_000
        move()
        if !random.chance(0.03) {
            let message = links[0].encoded { (encoder) throws(EncoderError) in try encoder.append(update) }
            links[0].take(.message, message, atNs: nowNs)
        }
        links[0].tick(atNs: nowNs) { venueAnswer(limit: $0) }
        for index in 1..<links.count {
            deliver(links[index - 1].takeSent(), to: links[index])
            links[index].tick(atNs: nowNs) { links[index - 1].answer(limit: $0) }
        }
        if random.chance(0.3), let message = links[0].takeSummary() { deliver([message], to: summed) }
        summed.tick(atNs: nowNs) { links[0].answer(limit: $0) }
        for index in 1..<links.count { compare(links[index], over: links[index - 1]) }
        compare(summed, over: links[0])
    }

    private mutating func deliver(_ messages: [[UInt8]], to link: ChainLink) {
        for message in messages where !random.chance(0.005) { link.take(.message, message, atNs: nowNs) }
    }

    /// What a live book claims is true, and no more than what it follows claims at the same id.
    private mutating func compare(_ link: ChainLink, over upper: ChainLink) {
        let status = link.status
        guard status.state == .live else { return }
        for side in Side.allCases {
            let range = side == .bid ? status.provenBids : status.provenAsks
            if status.lastUpdateID == id {
                let claimed = { (levels: [PriceLevel]) in
                    levels.filter { range.reaches($0.price, on: side) }
                }
                #expect(claimed(link.levels(side)) == claimed(truth.levels(side)), "\(side) at \(id)")
            }
            guard upper.served.state == .live, upper.served.book.lastUpdateID == status.lastUpdateID else {
                continue
            }
            counts.compared += 1
            if upper.served.book.proven(side) != .unbounded { counts.bounded += 1 }
            #expect(
                upper.served.book.proven(side).covers(range, on: side),
                "\(side) at \(id): \(range) over \(upper.served.book.proven(side))")
        }
    }
}
