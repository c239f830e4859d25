// Keeps books live: shards, each a feed thread, a ring and a book thread, and one snapshot fetcher for all of
// them. `lob run` starts this, and so do programs that want live books on their own threads.
//
//     let service = try BookService(configuration) { print($0) }
//     let views = service.readers(of: btcusdt)!.views
//     …
//     for book in service.stop() { print(book.status.symbol, book.digest) }
//
// Threads: two per shard, one for the fetcher and one that wakes tasks, created here and joined when it
// stops. The service's interface is safe on any thread, its own included.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobMetrics
import LobTransport
import MarketData

/// Live books of the symbols of one market. Releasing it stops it.
public final class BookService: Sendable {
    let machine: ServiceMachine

    /// The configuration.
    public var configuration: ServiceConfiguration { machine.configuration }

    /// Starts all threads; connections are dialled at once.
    ///
    /// - Parameters:
    ///   - configuration: validated before anything is started.
    ///   - report: receives loggable events, on several threads of the service. The message path waits for
    ///     it, so it should hand the event over and return. It may call everything here, even `stop`.
    /// - Throws: `ServiceError`; an illegal field is found before any thread is created, and after any other
    ///   error none is left.
    public init(
        _ configuration: ServiceConfiguration, report: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) throws(ServiceError) {
        machine = try ServiceMachine(configuration, report)
    }

    deinit { machine.stopLater() }

    /// Symbols, in the order of the configuration.
    public var symbols: [SymbolName] { configuration.symbols }

    /// Mailboxes of a symbol's views, tops and status; nil if the service does not keep it. For any thread.
    public func readers(of symbol: SymbolName) -> SymbolReaders? {
        machine.shard(of: symbol)?.readers[symbol]
    }

    /// Runs `question` with a book on its book thread, between two messages. For infrequent use: the book
    /// waits meanwhile.
    ///
    /// - Returns: false if the service does not keep the symbol, too many questions are waiting, or it has
    ///   stopped; otherwise the question will be answered.
    public func ask(
        _ symbol: SymbolName, _ question: @escaping @Sendable (borrowing OrderBook, SymbolStatus) -> Void
    ) -> Bool {
        guard let shard = machine.shard(of: symbol) else { return false }
        return shard.ask { engine in
            guard let status = engine.status(symbol) else { return }
            _ = engine.withBook(symbol) { question($0, status) }
        }
    }

    /// Delivers the first contradiction of each kind between a book and the venue's own best levels. For
    /// display.
    ///
    /// - Parameters:
    ///   - symbol: the symbol.
    ///   - use: receives them, on the book thread.
    /// - Returns: as `ask`.
    public func mismatches(
        of symbol: SymbolName, _ use: @escaping @Sendable ([VenueMismatch]) -> Void
    ) -> Bool {
        machine.shard(of: symbol)?.ask { use($0.mismatches(of: symbol)) } ?? false
    }

    /// Delivers both sides of the last failed audit, on the book thread; nil if there was none. For display.
    ///
    /// - Parameters:
    ///   - symbol: the symbol.
    ///   - use: receives them.
    /// - Returns: as `ask`.
    package func auditSides(
        of symbol: SymbolName, _ use: @escaping @Sendable (AuditSides?) -> Void
    ) -> Bool {
        machine.shard(of: symbol)?.ask { use($0.auditSides(of: symbol)) } ?? false
    }

    /// Delivers a copy of all levels of a book. For checks and inspection.
    ///
    /// - Parameters:
    ///   - symbol: the symbol.
    ///   - use: receives the copy, on the book thread.
    /// - Returns: as `ask`.
    public func copy(of symbol: SymbolName, _ use: @escaping @Sendable (FullBook) -> Void) -> Bool {
        ask(symbol) { book, status in
            use(FullBook(status: status, bids: book.levels(.bid), asks: book.levels(.ask)))
        }
    }

    /// Fetches the venue's symbol list, within the snapshot budget.
    ///
    /// - Parameter use: receives the list, or why there is none, once, on the fetcher's thread.
    /// - Returns: false if the fetcher is too busy (retry) or the service has stopped; `use` is then not
    ///   called.
    public func fetchExchangeInfo(
        _ use: @escaping @Sendable (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) -> Bool {
        machine.fetcher.fetchExchangeInfo(configuration.endpoints.market, use)
    }

    /// The same, keeping the venue's original text of this service's symbols.
    ///
    /// - Parameter use: receives the list, or why there is none, once, on the fetcher's thread.
    /// - Returns: as `fetchExchangeInfo`.
    package func fetchListTexts(
        _ use: @escaping @Sendable (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) -> Bool {
        machine.fetcher.fetchExchangeInfo(
            configuration.endpoints.market, keeping: Set(configuration.symbols), use)
    }

    /// The status of each shard. For any thread.
    public var shardStatuses: [ShardStatus] { machine.shards.map(ShardStatus.init) }

    /// How long frames took from the socket until readers could see their book, over all shards; sampled. For
    /// any thread.
    package var publicationTimes: LatencyHistogram {
        var times = LatencyHistogram()
        for shard in machine.shards { times.add(shard.publicationTimes.latest(LatencyHistogram())) }
        return times
    }

    /// The status of the fetcher. For any thread.
    public var fetcherStatus: SnapshotFetcherStatus { machine.fetcherStatus }

    /// Closes all connections, lets the books process what was received, and ends all threads. Takes a few
    /// seconds at most, unless a callback does not return.
    ///
    /// Callable from any thread any number of times: one caller gets the books, and none returns before
    /// everything has ended. From a thread of the service (inside `report` or the closure of a question) it
    /// cannot wait: stopping starts, the call returns nothing at once, and the next caller from outside waits
    /// for the end and gets the books.
    ///
    /// - Returns: the final books; none if another call has returned them, or from inside.
    @discardableResult
    public func stop() -> [FinalBook] { machine.stop() }

    /// Starts stopping without waiting; a later call of `stop` waits for the end and gets the books.
    public func beginStop() { machine.stopLater() }
}
