// The engine under test, stage by stage. Nothing here but the calls an embedding program would make.

import BinanceVenue
import DepthBook
import MarketData

/// What a reader does after each message: one sum over the best bid and ask.
@inline(__always)
func touch(_ bid: PriceLevel?, _ ask: PriceLevel?) -> UInt64 {
    var sum: Int64 = 0
    if let bid { sum = bid.price.mantissa &+ bid.quantity.mantissa }
    if let ask { sum = sum &+ 3 &* ask.price.mantissa &- ask.quantity.mantissa }
    return UInt64(bitPattern: sum)
}

/// A digest over everything a parser must find in a run of messages.
struct MessageDigest {
    private(set) var value: UInt64 = 0x6C6F_6270_6172_7365

    mutating func add(first: Int64, last: Int64, bids: [PriceLevel], asks: [PriceLevel]) {
        mix(UInt64(bitPattern: first))
        mix(UInt64(bitPattern: last))
        mix(BookDigest.digest(bids: bids, asks: asks))
    }

    private mutating func mix(_ x: UInt64) {
        value = (value ^ x) &* 0x9E37_79B9_7F4A_7C15
        value ^= value &>> 32
    }
}

/// Levels that no scenario exceeds, so that nothing is evicted and every book ends equal.
private let levelCountMax = 100_000

/// Wire bytes to levels.
struct EngineParse: ~Copyable, Contender {
    let workload: Workload
    private let messages: MessageView
    private let market: Market
    private var parser = MessageParser()
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) {
        self.workload = workload
        messages = workload.messages.view
        market = workload.market
    }

    var count: Int { workload.count }
    mutating func rewind() { touched = 0 }

    @inline(__always)
    mutating func take(_ index: Int) {
        let kind = try? parser.parse(
            messages[index], market: market, readableAfter: MessageArena.readableAfterBytes)
        if kind == .depthUpdate { touched &+= UInt64(truncatingIfNeeded: parser.update.levelCount) }
    }

    mutating func digest() throws -> UInt64 {
        var digest = MessageDigest()
        for index in 0..<count {
            take(index)
            digest.add(
                first: parser.update.first.value, last: parser.update.last.value,
                bids: parser.update.bids.array(), asks: parser.update.asks.array())
        }
        return digest.value
    }
}

/// Levels to book.
struct EngineApply: ~Copyable, Contender {
    let workload: Workload
    private let updates: UpdateView
    private var book = OrderBook(levelCountMax: levelCountMax)
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) {
        self.workload = workload
        updates = workload.updates.view
    }

    var count: Int { workload.count }

    mutating func rewind() {
        touched = 0
        book.load(workload.snapshot, limit: nil)
    }

    @inline(__always)
    mutating func take(_ index: Int) {
        try? book.apply(updates[index])
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() throws -> UInt64 { book.digest() }
}

/// Wire bytes to book.
struct EngineUpdate: ~Copyable, Contender {
    let workload: Workload
    private let messages: MessageView
    private let market: Market
    private var parser = MessageParser()
    private var book = OrderBook(levelCountMax: levelCountMax)
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) {
        self.workload = workload
        messages = workload.messages.view
        market = workload.market
    }

    var count: Int { workload.count }

    mutating func rewind() {
        touched = 0
        book.load(workload.snapshot, limit: nil)
    }

    @inline(__always)
    mutating func take(_ index: Int) {
        let kind = try? parser.parse(
            messages[index], market: market, readableAfter: MessageArena.readableAfterBytes)
        if kind == .depthUpdate { try? book.apply(parser.update) }
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() throws -> UInt64 { book.digest() }
}

/// Parsed snapshot to book.
struct EngineLoad: ~Copyable, Contender {
    let workload: Workload
    let count: Int
    private var book = OrderBook(levelCountMax: levelCountMax)
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload, count: Int) {
        self.workload = workload
        self.count = count
    }

    mutating func rewind() { touched = 0 }

    @inline(__always)
    mutating func take(_ index: Int) {
        book.load(workload.snapshot, limit: nil)
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() throws -> UInt64 { book.digest() }
}

/// Book to view, after every update.
struct EnginePublish: ~Copyable, Contender {
    private var apply: EngineApply
    private var view = BookView()
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) { apply = EngineApply(workload) }

    var count: Int { apply.count }

    mutating func rewind() {
        touched = 0
        apply.rewind()
    }

    @inline(__always)
    mutating func prepare(_ index: Int) { apply.take(index) }

    @inline(__always)
    mutating func take(_ index: Int) {
        apply.publish(into: &view)
        touched &+= touch(view.bestBid, view.bestAsk)
    }

    mutating func digest() throws -> UInt64 {
        BookDigest.digest(
            bids: (0..<Int(view.bidCount)).map { view.bids[$0] },
            asks: (0..<Int(view.askCount)).map { view.asks[$0] })
    }
}

extension EngineApply {
    @inline(__always)
    borrowing func publish(into view: inout BookView) { book.publish(into: &view) }
}
