// Who holds thousands of books: the engine behind its ring, and the naive books behind a dictionary.
//
// The engine is given frames by a ring, a burst at a time, as the feed of a busy connection gives them, and
// publishes after each; best prices are read where any reader reads them, from the mailbox. A naive book gets
// the levels of a message from the engine's own parser, its symbol from a dictionary and its arrays ready
// made: all that is charged to it is the message, the lookup and the book.

import BinanceVenue
import BookEngine
import DepthBook
import LobHandoff
import MarketData

/// Books of many symbols under test.
protocol ScaleContender: ~Copyable {
    /// Takes the messages that are ready; `timed` gets the ticks of each, or nothing is timed inside.
    mutating func take(_ burst: [ScaleMessage], _ sources: [ScaleSource], timed: (Int, UInt64) -> Void)
    /// The same, with nothing timed inside; what it took of this thread's CPU.
    mutating func takeWhole(_ burst: [ScaleMessage], _ sources: [ScaleSource]) -> UInt64
    /// What readers have seen, so that nothing is left out.
    var touched: UInt64 { get }
    /// Whether each book is what it has to be.
    borrowing func digests() -> [UInt64]
}

/// One message on its way: whose, and which of its source.
struct ScaleMessage {
    var number: Int
    var source: Int
    var index: Int
}

/// The engine.
struct ScaleEngine: ~Copyable, ScaleContender {
    private var engine: BookEngine
    private var producer: FrameProducer
    private var consumer: FrameConsumer
    private var tops: [LatestValueReader<TopOfBook>] = []
    private var names: [SymbolName] = []
    private var message: [UInt8] = []
    private(set) var touched: UInt64 = 0

    /// An engine with the books of these symbols.
    init(_ symbols: [(number: Int, source: Int)], _ sources: [ScaleSource], ring: consuming FrameRing) throws
    {
        var configuration = EngineConfiguration(rules: sources[symbols[0].source].market.rules)
        configuration.symbolCountMax = symbols.count
        configuration.levelCountMax = 100_000
        engine = BookEngine(configuration)
        producer = ring.producer
        consumer = ring.consumer
        let startNs = ScaleSource.startMs * 1_000_000
        for symbol in symbols { names.append(sources[symbol.source].name(symbol.number)) }
        for name in names { engine.addSymbol(name) }
        engine.connect(receivedAtNs: startNs)
        var bodies: [Int: [UInt8]] = [:]
        for (name, symbol) in zip(names, symbols) {
            let body = try bodies[symbol.source] ?? sources[symbol.source].body()
            bodies[symbol.source] = body
            engine.receiveSnapshot(body.span, of: name, limit: nil, receivedAtNs: startNs)
        }
        engine.publish()
        engine.takeRequests { _ in }
        tops = names.compactMap { engine.tops(of: $0) }
    }

    private mutating func write(_ burst: [ScaleMessage], _ sources: [ScaleSource]) {
        for one in burst {
            // Its own bytes must not be lent while it is changed.
            var message: [UInt8] = []
            swap(&message, &self.message)
            sources[one.source].write(one.index, number: one.number, into: &message)
            let ms = ScaleSource.startMs + Int64(one.index) * ScaleSource.stepMs
            let isTaken = producer.write(
                .message, source: 0, receivedAtNs: ms * 1_000_000, message.span)
            precondition(isTaken, "the ring holds a burst")
            swap(&message, &self.message)
        }
    }

    mutating func take(_ burst: [ScaleMessage], _ sources: [ScaleSource], timed: (Int, UInt64) -> Void) {
        write(burst, sources)
        var top = TopOfBook()
        for place in burst.indices {
            let start = CycleTimer.ticks()
            engine.doWork(&consumer, limit: 1)
            _ = tops[burst[place].number].read(into: &top)
            touched &+= touch(top.bestBid, top.bestAsk)
            timed(place, CycleTimer.ticks() &- start)
        }
    }

    mutating func takeWhole(_ burst: [ScaleMessage], _ sources: [ScaleSource]) -> UInt64 {
        write(burst, sources)
        var top = TopOfBook()
        let start = CycleTimer.ticks()
        engine.doWork(&consumer, limit: burst.count)
        for one in burst {
            _ = tops[one.number].read(into: &top)
            touched &+= touch(top.bestBid, top.bestAsk)
        }
        return CycleTimer.ticks() &- start
    }

    borrowing func digests() -> [UInt64] {
        names.map { name in
            guard engine.status(name)?.state == .live else { return 0 }
            return engine.withBook(name) { $0.digest() } ?? 0
        }
    }
}

/// Naive books behind a dictionary.
struct ScaleBooks<Book: PeerBook>: ~Copyable, ScaleContender {
    private var books: [Book] = []
    private var places: [SymbolName: Int] = [:]
    private var parser = MessageParser()
    private var message: [UInt8] = []
    private let market: Market
    private(set) var touched: UInt64 = 0

    init(_ symbols: [(number: Int, source: Int)], _ sources: [ScaleSource]) {
        market = sources[symbols[0].source].market
        for symbol in symbols {
            places[sources[symbol.source].name(symbol.number)] = books.count
            var book = Book()
            book.load(sources[symbol.source].snapshot)
            books.append(book)
        }
    }

    private mutating func writeWindow(_ one: ScaleMessage, _ source: ScaleSource) {
        source.write(one.index, number: one.number, into: &message)
        for _ in 0..<MessageArena.readableAfterBytes { message.append(0) }
    }

    @inline(__always)
    private mutating func take(_ one: ScaleMessage, _ source: ScaleSource) {
        let message = message
        let kind = try? parser.parse(
            message.span, length: message.count - MessageArena.readableAfterBytes, market: market)
        if kind == .depthUpdate, let place = places[parser.update.symbol] {
            books[place].apply(source.lists[one.index])
            touched &+= touch(books[place].bestBid, books[place].bestAsk)
        }
    }

    mutating func take(_ burst: [ScaleMessage], _ sources: [ScaleSource], timed: (Int, UInt64) -> Void) {
        for (place, one) in burst.enumerated() {
            writeWindow(one, sources[one.source])
            let start = CycleTimer.ticks()
            take(one, sources[one.source])
            timed(place, CycleTimer.ticks() &- start)
        }
    }

    mutating func takeWhole(_ burst: [ScaleMessage], _ sources: [ScaleSource]) -> UInt64 {
        var ticks: UInt64 = 0
        for one in burst {
            writeWindow(one, sources[one.source])
            let start = CycleTimer.ticks()
            take(one, sources[one.source])
            ticks &+= CycleTimer.ticks() &- start
        }
        return ticks
    }

    borrowing func digests() -> [UInt64] { books.map { $0.digest() } }
}
