// The threads of a service, and how they end. Separate from `BookService` because the end may be requested by
// one of these threads, or when nothing holds the service any more: then an extra thread ends the others and
// keeps the machine alive until that is done.
//
// | phase    | stop, from outside                     | stop, from inside       | stopLater           |
// | -------- | -------------------------------------- | ----------------------- | ------------------- |
// | running  | ending: ends all, returns the books    | ending: an ender starts | as from inside      |
// | ending   | waits, returns the books if there are  | nothing                 | nothing             |
// | ended    | returns the books if there are any     | nothing                 | nothing             |
//
// If the system refuses a thread for the ender, the phase is `owed`, and the next `stop` from outside ends
// everything.
//
// Invariants
// * All threads are joined exactly once, by a thread that is none of them.
// * The books are returned once.

import BookEngine
import DepthBook
import DepthFeed
import FeedPlan
import FeedSockets
import LobHandoff
import LobTransport
import MarketData
import Synchronization

/// The shards and the fetcher of a service.
final class ServiceMachine: Sendable {
    let configuration: ServiceConfiguration
    let shards: [BookShard]
    private let shardOfSymbol: [SymbolName: Int]
    private let fetcherThread: LoopThread<FetcherExport>
    private let waker: TaskWaker
    private let isStopping: StopFlag
    private let end = Mutex(End())
    private let news = Signal()

    private struct FetcherExport: Sendable {
        var remote: SnapshotFetcherHandle
        var status: LatestValueReader<SnapshotFetcherStatus>
    }

    private enum Phase: Sendable {
        case running, owed, ending, ended
    }

    private struct End: Sendable {
        var phase = Phase.running
        var books: [FinalBook] = []
    }

    /// Routes of snapshots to the shards.
    private typealias Routes = SnapshotRoutes<FeedHandle>

    init(
        _ told: ServiceConfiguration, _ report: @escaping @Sendable (ServiceEvent) -> Void
    ) throws(ServiceError) {
        let configuration = try ServiceMachine.checked(told)
        self.configuration = configuration
        let isStopping = StopFlag()
        self.isStopping = isStopping
        let waker = try ServiceMachine.startWaker()
        self.waker = waker
        let routes = Routes()
        let fetcherThread = try ServiceMachine.startFetcher(configuration, routes, isStopping, report)
        self.fetcherThread = fetcherThread
        let split = ShardPlan.shards(
            configuration.symbols, streamsPerSymbol: configuration.streams.streamsPerSymbol,
            streamCountMax: configuration.supervisor.terms.streamCountMax,
            shardCountMin: configuration.shardCountMin)
        let fetcher = fetcherThread.remote.remote
        let fetcherStatus = fetcherThread.remote.status
        let service = BookShard.Service(
            want: { fetcher.want($0) },
            isDepthWanted: {
                fetcherStatus.latest(SnapshotFetcherStatus()).queued[SnapshotPriority.deepen.rawValue] > 0
            },
            report: report, waker: waker)
        var shards: [BookShard] = []
        do throws(ServiceError) {
            for (number, symbols) in split.enumerated() {
                shards.append(try BookShard(number, of: split.count, symbols, configuration, service))
            }
        } catch {
            isStopping.raise()
            for shard in shards { shard.stop() }
            for shard in shards { _ = shard.join() }
            ServiceMachine.stop(fetcher)
            fetcherThread.join()
            throw error
        }
        self.shards = shards
        var shardOfSymbol: [SymbolName: Int] = [:]
        for (number, shard) in shards.enumerated() {
            for symbol in shard.symbols { shardOfSymbol[symbol] = number }
        }
        self.shardOfSymbol = shardOfSymbol
        routes.set(shardOfSymbol.mapValues { shards[$0].feed })
    }

    /// The configuration with duplicate symbols removed, if all of it is legal.
    private static func checked(_ told: ServiceConfiguration) throws(ServiceError) -> ServiceConfiguration {
        if told.symbols.isEmpty { throw .noSymbols }
        if told.symbols.count > ServiceConfiguration.symbolCountMax {
            throw .tooManySymbols(most: ServiceConfiguration.symbolCountMax)
        }
        do throws(ConfigurationError) {
            try told.validate()
        } catch {
            throw .configuration(error)
        }
        do throws(TransportError) {
            try told.validateAddresses()
        } catch {
            throw .transport(error)
        }
        var configuration = told
        var seen = Set<SymbolName>()
        configuration.symbols.removeAll { !seen.insert($0).inserted }
        return configuration
    }

    func shard(of symbol: SymbolName) -> BookShard? { shardOfSymbol[symbol].map { shards[$0] } }

    var fetcher: SnapshotFetcherHandle { fetcherThread.remote.remote }

    var fetcherStatus: SnapshotFetcherStatus { fetcherThread.remote.status.latest(SnapshotFetcherStatus()) }

    /// See `BookService.stop`.
    func stop() -> [FinalBook] {
        if isInside {
            stopLater()
            return []
        }
        let isOurs = end.withLock { end in
            switch end.phase {
            case .running, .owed:
                end.phase = .ending
                return true
            case .ending, .ended: return false
            }
        }
        if isOurs { endAll() }
        while true {
            let ticket = news.ticket
            let books = end.withLock { end -> [FinalBook]? in
                switch end.phase {
                case .running, .owed, .ending: return nil
                case .ended:
                    defer { end.books = [] }
                    return end.books
                }
            }
            if let books { return books }
            news.wait(since: ticket, timeoutNs: 1_000_000_000)
        }
    }

    /// Starts the end, if it has not started, without waiting.
    func stopLater() {
        let isOurs = end.withLock { end in
            switch end.phase {
            case .running:
                end.phase = .ending
                return true
            case .owed, .ending, .ended: return false
            }
        }
        if !isOurs { return }
        do throws(ThreadError) {
            let ender = try PinnedThread("ender") { [self] in endAll() }
            ender.detach()
        } catch {
            // Nothing new starts; the rest waits for a caller that stops it from outside.
            isStopping.raise()
            end.withLock { $0.phase = .owed }
        }
    }

    /// Whether the caller is a thread of the service.
    private var isInside: Bool {
        fetcherThread.isCurrent || waker.isCurrent || shards.contains(where: \.isCurrent)
    }

    /// Thread: none of the service's. Call once.
    private func endAll() {
        let before = configuration.symbols.map { symbol in
            (symbol, shard(of: symbol)?.readers[symbol]?.views.latest(BookView()) ?? BookView())
        }
        let views = Dictionary(before, uniquingKeysWith: { first, _ in first })
        isStopping.raise()
        for shard in shards { shard.stop() }
        var books = shards.flatMap { $0.join() }
        for index in books.indices {
            guard let view = views[books[index].status.symbol] else { continue }
            let end = books[index]
            // A live book made stale by the stop itself is not a finding.
            if view.state == .live && end.state == .stale && end.reason == .disconnected {
                books[index].status.counters.resyncs -= 1
            }
            (books[index].state, books[index].reason) = (view.state, view.reason)
            (books[index].lagNs, books[index].checkedAtNs) = (view.lagNs, view.checkedAtNs)
        }
        // The bells are closed, so every waiting reader has seen the last value or sees it now.
        waker.stop()
        ServiceMachine.stop(fetcher)
        fetcherThread.join()
        let closed = books
        end.withLock { end in
            end.phase = .ended
            end.books = closed
        }
        news.notify()
    }

    private static func stop(_ fetcher: SnapshotFetcherHandle) {
        let pause = Signal()
        while !fetcher.stop() { pause.wait(since: pause.ticket, timeoutNs: 1_000_000) }
    }

    private static func startWaker() throws(ServiceError) -> TaskWaker {
        do throws(ThreadError) {
            return try TaskWaker()
        } catch {
            throw .noThread(errno: error.errno)
        }
    }

    private static func startFetcher(
        _ configuration: ServiceConfiguration, _ routes: Routes, _ isStopping: StopFlag,
        _ report: @escaping @Sendable (ServiceEvent) -> Void
    ) throws(ServiceError) -> LoopThread<FetcherExport> {
        do throws(TransportError) {
            return try LoopThread("fetcher", idle: .park, options: configuration.loop) {
                loop throws(TransportError) in
                let fetcher = try SnapshotFetcher(
                    [configuration.endpoints], on: loop, options: configuration.fetcherOptions,
                    deliver: { routes.deliver($0) }, report: { report(.fetcher($0)) })
                return LoopThread.Resident(
                    remote: FetcherExport(
                        remote: SnapshotFetcherHandle(fetcher, on: loop), status: fetcher.status),
                    isOver: { isStopping.isRaised && fetcher.isStopped && fetcher.openCount == 0 })
            }
        } catch {
            throw .transport(error)
        }
    }
}
