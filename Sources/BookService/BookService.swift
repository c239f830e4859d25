// Books kept live: lanes of feed thread, ring and book thread, and one desk that fetches snapshots for all of
// them. This is what `lob run` starts, and what a program that wants live books on its own threads embeds.
//
//     let service = try BookService(configuration) { print($0) }
//     let views = service.readers(of: btcusdt)!.views
//     …
//     for book in service.stop() { print(book.status.symbol, book.digest) }
//
// Threads: two for each lane and one for the desk, made here and joined when it stops. Everything a service
// offers is for any thread, its own included.

import BinanceDepth
import BookEngine
import DepthBook
import DepthFeed
import Handoff
import MarketData
import Transport

/// Live books of the symbols of one market. Who drops it stops it.
public final class BookService: Sendable {
    private let machine: ServiceMachine

    /// What the service was told.
    public var configuration: ServiceConfiguration { machine.configuration }

    /// Starts all threads; connections are dialled at once.
    ///
    /// - Parameter report: what is worth a line in a log; called from several threads, those of the service.
    ///   The road of the messages waits for it, so it should hand over and return. It may call everything
    ///   here, `stop` too.
    /// - Throws: `ServiceError`; a field without a legal value is found before any thread is made, and after
    ///   any other error none is left.
    public init(
        _ configuration: ServiceConfiguration, report: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) throws(ServiceError) {
        machine = try ServiceMachine(configuration, report)
    }

    deinit { machine.stopLater() }

    /// Symbols, in the order of the configuration.
    public var symbols: [SymbolName] { configuration.symbols }

    /// Where views and status of a symbol appear; nil if the service does not keep it. For any thread.
    public func readers(of symbol: SymbolName) -> SymbolReaders? {
        machine.lane(of: symbol)?.readers[symbol]
    }

    /// Runs `question` with a book on its book thread, between two messages. For what is rare: the book waits
    /// meanwhile.
    ///
    /// - Returns: false if the service does not keep the symbol, too many questions wait, or it has stopped;
    ///   otherwise the question will be answered.
    public func ask(
        _ symbol: SymbolName, _ question: @escaping @Sendable (borrowing OrderBook, SymbolStatus) -> Void
    ) -> Bool {
        guard let lane = machine.lane(of: symbol) else { return false }
        return lane.ask { engine in
            guard let status = engine.status(symbol) else { return }
            _ = engine.withBook(symbol) { question($0, status) }
        }
    }

    /// Hands out the first contradiction of each kind between a book and what the venue says of its best
    /// levels. For people.
    ///
    /// - Parameter use: gets them, on the book thread.
    /// - Returns: as `ask`.
    public func disagreements(
        of symbol: SymbolName, _ use: @escaping @Sendable ([OracleDisagreement]) -> Void
    ) -> Bool {
        machine.lane(of: symbol)?.ask { use($0.disagreements(of: symbol)) } ?? false
    }

    /// Hands out a copy of all levels of a book. For checks and for the curious.
    ///
    /// - Parameter use: gets the copy, on the book thread.
    /// - Returns: as `ask`.
    public func copy(of symbol: SymbolName, _ use: @escaping @Sendable (BookCopy) -> Void) -> Bool {
        ask(symbol) { book, status in
            use(BookCopy(status: status, bids: book.levels(.bid), asks: book.levels(.ask)))
        }
    }

    /// Fetches the venue's list of symbols, within the budget of the snapshots.
    ///
    /// - Parameter use: gets the list, or why there is none, once, on the desk's thread.
    /// - Returns: false if the desk has too much to do, and it can be tried again, or if the service has
    ///   stopped; `use` is not called then.
    public func fetchExchangeInfo(
        _ use: @escaping @Sendable (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) -> Bool {
        machine.desk.fetchExchangeInfo(configuration.endpoints.market, use)
    }

    /// What each lane says of itself. For any thread.
    public var laneStatuses: [LaneStatus] { machine.lanes.map(LaneStatus.init) }

    /// What the desk says of itself. For any thread.
    public var deskStatus: DeskStatus { machine.deskStatus }

    /// Closes all connections, lets the books take what was received, and ends all threads. A few seconds at
    /// most, unless a callback does not return.
    ///
    /// It may be called from any thread and as often as one likes: of several callers one gets the books, and
    /// none returns before all has ended. From a thread of the service, that is inside `report` or the
    /// closure of a question, it cannot wait: the end begins, the call returns at once with nothing, and
    /// whoever calls next from outside waits for the end and gets the books.
    ///
    /// - Returns: the books as they were; none if another call has given them away, or from inside.
    @discardableResult
    public func stop() -> [ClosedBook] { machine.stop() }
}

/// All levels of a book at one update id.
public struct BookCopy: Sendable {
    /// Its status: id, decimals, trust, proven ranges.
    public var status: SymbolStatus
    /// All bids, best first.
    public var bids: [PriceLevel]
    /// All asks, best first.
    public var asks: [PriceLevel]
}

/// What a lane says of itself: every part is of the last second, not all of one instant.
public struct LaneStatus: Sendable {
    /// Symbols of the lane.
    public var symbolCount: Int
    /// Its connections.
    public var feed = FeedStatus()
    /// Its engine.
    public var engine = EngineCounters()
    /// Bytes in its ring.
    public var ringBytes: Int
    /// The most there have been.
    public var ringHighWaterBytes: Int
    /// The most there can be.
    public var ringCapacityBytes: Int
    /// Frames that the ring itself refused, as of now. Messages that were lost behind a frame that waited for
    /// room never got that far: all that were lost are in `feed.droppedMessages`.
    public var droppedFrames: Int

    init(_ lane: BookLane) {
        symbolCount = lane.symbols.count
        feed = lane.feedStatus.latest(FeedStatus())
        engine = lane.counters.latest(EngineCounters())
        ringBytes = lane.gauges.occupancyBytes
        ringHighWaterBytes = lane.gauges.highWaterBytes
        ringCapacityBytes = lane.gauges.capacityBytes
        droppedFrames = lane.gauges.droppedFrames
    }
}
