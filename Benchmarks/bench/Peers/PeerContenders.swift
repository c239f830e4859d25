// The naive books and Foundation's parsers under test, stage by stage, over the same workload as the engine.

import DepthBook
import Foundation
import MarketData

/// A book to compare with.
protocol PeerBook {
    static var implementation: Implementation { get }
    init()
    mutating func load(_ snapshot: LevelLists)
    mutating func apply(_ update: LevelLists)
    var bestBid: PriceLevel? { get }
    var bestAsk: PriceLevel? { get }
    /// The best levels of each side, best first.
    func best(_ count: Int) -> LevelLists
    /// All levels of each side, best first.
    func allLevels() -> LevelLists
}

extension PeerBook {
    func digest() -> UInt64 {
        let levels = allLevels()
        return BookDigest.digest(bids: levels.bids, asks: levels.asks)
    }
}

/// Wire bytes to levels.
struct PeerParse<Parser: PeerParser>: Contender {
    let workload: Workload
    private let parser: Parser
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) {
        self.workload = workload
        parser = Parser(workload)
    }

    var count: Int { workload.count }
    mutating func rewind() { touched = 0 }

    mutating func take(_ index: Int) {
        guard let message = try? parser.parse(workload.data[index]) else { return }
        touched &+= UInt64(message.levels.bids.count + message.levels.asks.count)
    }

    mutating func digest() throws -> UInt64 {
        var digest = MessageDigest()
        for data in workload.data {
            let message = try parser.parse(data)
            digest.add(
                first: message.firstUpdateID, last: message.lastUpdateID,
                bids: message.levels.bids, asks: message.levels.asks)
        }
        return digest.value
    }
}

/// Levels to book.
struct PeerApply<Book: PeerBook>: Contender {
    let workload: Workload
    private var book = Book()
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) { self.workload = workload }

    var count: Int { workload.count }

    mutating func rewind() {
        touched = 0
        book.load(workload.snapshotLists)
    }

    mutating func take(_ index: Int) {
        book.apply(workload.lists[index])
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() -> UInt64 { book.digest() }

    func best(_ count: Int) -> LevelLists { book.best(count) }
}

/// Wire bytes to book.
struct PeerUpdate<Parser: PeerParser, Book: PeerBook>: Contender {
    let workload: Workload
    private let parser: Parser
    private var book = Book()
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) {
        self.workload = workload
        parser = Parser(workload)
    }

    var count: Int { workload.count }

    mutating func rewind() {
        touched = 0
        book.load(workload.snapshotLists)
    }

    mutating func take(_ index: Int) {
        if let message = try? parser.parse(workload.data[index]) { book.apply(message.levels) }
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() -> UInt64 { book.digest() }
}

/// Parsed snapshot to book.
struct PeerLoad<Book: PeerBook>: Contender {
    let workload: Workload
    let count: Int
    private var book = Book()
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload, count: Int) {
        self.workload = workload
        self.count = count
    }

    mutating func rewind() { touched = 0 }

    mutating func take(_ index: Int) {
        book.load(workload.snapshotLists)
        touched &+= touch(book.bestBid, book.bestAsk)
    }

    mutating func digest() -> UInt64 { book.digest() }
}

/// Book to a copy of its best levels, after every update.
struct PeerPublish<Book: PeerBook>: Contender {
    private var apply: PeerApply<Book>
    private var view = LevelLists(bids: [], asks: [])
    private(set) var touched: UInt64 = 0

    init(_ workload: Workload) { apply = PeerApply(workload) }

    var count: Int { apply.count }

    mutating func rewind() {
        touched = 0
        apply.rewind()
    }

    mutating func prepare(_ index: Int) { apply.take(index) }

    mutating func take(_ index: Int) {
        view = apply.best(BookView.levelCountMax)
        touched &+= touch(view.bids.first, view.asks.first)
    }

    mutating func digest() -> UInt64 { BookDigest.digest(bids: view.bids, asks: view.asks) }
}
