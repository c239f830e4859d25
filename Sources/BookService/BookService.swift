// Books kept live: lanes of feed thread, ring and book thread, and one desk that fetches snapshots for all of
// them. This is what `lob run` starts, and what a program that wants live books on its own threads embeds.
//
//     let service = try BookService(configuration) { print($0) }
//     let views = service.readers(of: btcusdt)!.views
//     …
//     for book in service.stop() { print(book.status.symbol, book.digest) }
//
// Threads: two for each lane and one for the desk, made here and joined by `stop`. Readers are for any
// thread; `stop` is for one.

import BinanceDepth
import BookEngine
import DepthBook
import DepthFeed
import Handoff
import MarketData
import Transport

/// Live books of the symbols of one market.
public final class BookService: Sendable {
    /// What the service was told.
    public let configuration: ServiceConfiguration
    private let lanes: [BookLane]
    private let laneOfSymbol: [SymbolName: Int]
    private let deskThread: LoopThread<DeskExport>
    private let isStopping: Latch

    private struct DeskExport: Sendable {
        var remote: DeskRemote
        var status: LatestValueReader<DeskStatus>
    }

    /// Where bodies go; filled once the lanes are there, which is before anybody wishes for one.
    private final class Routes: @unchecked Sendable {
        private let lanes = Inbox<[SymbolName: FeedRemote]>(capacity: 1)
        private var known: [SymbolName: FeedRemote] = [:]

        func set(_ routes: [SymbolName: FeedRemote]) { _ = lanes.post(routes) }

        /// Thread: the desk's.
        func deliver(_ delivery: SnapshotDesk.Delivery) -> Bool {
            if let routes = lanes.take().first { known = routes }
            return known[delivery.key.symbol]?.deliver(delivery) ?? false
        }
    }

    /// Starts all threads; connections are dialled at once.
    ///
    /// - Parameter report: what is worth a line in a log; called from several threads.
    /// - Throws: `ServiceError`; then no thread is left.
    public init(
        _ configuration: ServiceConfiguration, report: @escaping @Sendable (ServiceEvent) -> Void = { _ in }
    ) throws(ServiceError) {
        if configuration.symbols.isEmpty { throw .noSymbols }
        if configuration.symbols.count > ServiceConfiguration.symbolCountMax {
            throw .tooManySymbols(most: ServiceConfiguration.symbolCountMax)
        }
        var configuration = configuration
        var seen = Set<SymbolName>()
        configuration.symbols.removeAll { !seen.insert($0).inserted }
        self.configuration = configuration
        let isStopping = Latch()
        self.isStopping = isStopping
        let routes = Routes()
        let deskThread = try BookService.startDesk(configuration, routes, isStopping, report)
        self.deskThread = deskThread
        let split = LaneSplit.lanes(
            configuration.symbols, streamsPerSymbol: configuration.streams.streamsPerSymbol,
            streamCountMax: configuration.life.terms.streamCountMax, laneCountMin: configuration.laneCountMin)
        let desk = deskThread.remote.remote
        let deskStatus = deskThread.remote.status
        let service = BookLane.Service(
            want: { desk.want($0) },
            isDepthWanted: { deskStatus.latest(DeskStatus()).queued[SnapshotPriority.deepen.rawValue] > 0 },
            report: report)
        var lanes: [BookLane] = []
        do throws(ServiceError) {
            for (number, symbols) in split.enumerated() {
                lanes.append(try BookLane(number, of: split.count, symbols, configuration, service))
            }
        } catch {
            isStopping.raise()
            for lane in lanes { lane.stop() }
            for lane in lanes { _ = lane.join() }
            BookService.stop(desk)
            deskThread.join()
            throw error
        }
        self.lanes = lanes
        var laneOfSymbol: [SymbolName: Int] = [:]
        for (number, lane) in lanes.enumerated() {
            for symbol in lane.symbols { laneOfSymbol[symbol] = number }
        }
        self.laneOfSymbol = laneOfSymbol
        routes.set(laneOfSymbol.mapValues { lanes[$0].feed })
    }

    /// Symbols, in the order of the configuration.
    public var symbols: [SymbolName] { configuration.symbols }

    /// Where views and status of a symbol appear; nil if the service does not keep it. For any thread.
    public func readers(of symbol: SymbolName) -> SymbolReaders? {
        laneOfSymbol[symbol].flatMap { lanes[$0].readers[symbol] }
    }

    /// Runs `question` with a book on its book thread, between two messages. For what is rare: the book waits
    /// meanwhile.
    ///
    /// - Returns: false if the service does not keep the symbol, too many questions wait, or it has stopped;
    ///   otherwise the question will be answered.
    public func ask(
        _ symbol: SymbolName, _ question: @escaping @Sendable (borrowing OrderBook, SymbolStatus) -> Void
    ) -> Bool {
        guard let lane = laneOfSymbol[symbol] else { return false }
        return lanes[lane].ask { engine in
            guard let status = engine.status(symbol) else { return }
            _ = engine.withBook(symbol) { question($0, status) }
        }
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
        deskThread.remote.remote.fetchExchangeInfo(configuration.endpoints.market, use)
    }

    /// What each lane says of itself. For any thread.
    public var laneStatuses: [LaneStatus] { lanes.map(LaneStatus.init) }

    /// What the desk says of itself. For any thread.
    public var deskStatus: DeskStatus {
        deskThread.remote.status.latest(DeskStatus())
    }

    /// Closes all connections, lets the books take what was received, and ends all threads.
    ///
    /// - Returns: the books as they were; none if it was stopped before.
    public func stop() -> [ClosedBook] {
        if isStopping.isRaised { return [] }
        let before = symbols.map { symbol in
            (symbol, readers(of: symbol)?.views.latest(BookView()) ?? BookView())
        }
        let views = Dictionary(before, uniquingKeysWith: { first, _ in first })
        isStopping.raise()
        for lane in lanes { lane.stop() }
        var books = lanes.flatMap { $0.join() }
        for index in books.indices {
            guard let view = views[books[index].status.symbol] else { continue }
            let end = books[index]
            // What the stop itself took from a live book is no finding.
            if view.state == .live && end.state == .stale && end.reason == .disconnected {
                books[index].status.counters.resyncs -= 1
            }
            (books[index].state, books[index].reason) = (view.state, view.reason)
        }
        BookService.stop(deskThread.remote.remote)
        deskThread.join()
        return books
    }

    private static func stop(_ desk: DeskRemote) {
        let pause = Signal()
        while !desk.stop() { pause.wait(since: pause.ticket, timeoutNs: 1_000_000) }
    }

    private static func startDesk(
        _ configuration: ServiceConfiguration, _ routes: Routes, _ isStopping: Latch,
        _ report: @escaping @Sendable (ServiceEvent) -> Void
    ) throws(ServiceError) -> LoopThread<DeskExport> {
        try LoopThread("desk", idle: .park, options: configuration.loop) { loop throws(ServiceError) in
            let desk: SnapshotDesk
            do throws(TransportError) {
                desk = try SnapshotDesk(
                    [configuration.endpoints], on: loop, options: configuration.deskOptions,
                    deliver: { routes.deliver($0) }, report: { report(.desk($0)) })
            } catch {
                throw .transport(error)
            }
            return LoopThread.Inhabitant(
                remote: DeskExport(remote: desk.remote, status: desk.status),
                isOver: { isStopping.isRaised && desk.isStopped && desk.openCount == 0 })
        }
    }
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
