// The threads of a service, and how they end. It is apart from `BookService` because the end may be asked for
// by one of these threads, or when nobody holds the service any more: then a thread of its own ends the
// others and holds the machine until that is done.
//
// | phase    | stop, from outside                     | stop, from inside       | stopLater           |
// | -------- | -------------------------------------- | ----------------------- | ------------------- |
// | running  | ending: ends all, gives the books      | ending: an ender begins | as from inside      |
// | ending   | waits, gives the books if there are    | nothing                 | nothing             |
// | ended    | gives the books if there are           | nothing                 | nothing             |
//
// If the system gives no thread for the ender, the phase is `owed`, and the next `stop` from outside ends
// all.
//
// Invariants
// * All threads are joined exactly once, by one that is none of them.
// * The books are given away once.

import BinanceDepth
import BookEngine
import DepthBook
import DepthFeed
import Handoff
import MarketData
import Synchronization
import Transport

/// The lanes and the desk of a service.
final class ServiceMachine: Sendable {
    let configuration: ServiceConfiguration
    let lanes: [BookLane]
    private let laneOfSymbol: [SymbolName: Int]
    private let deskThread: LoopThread<DeskExport>
    private let isStopping: Latch
    private let end = Mutex(End())
    private let news = Signal()

    private struct DeskExport: Sendable {
        var remote: DeskRemote
        var status: LatestValueReader<DeskStatus>
    }

    private enum Phase: Sendable {
        case running, owed, ending, ended
    }

    private struct End: Sendable {
        var phase = Phase.running
        var books: [ClosedBook] = []
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

    init(
        _ told: ServiceConfiguration, _ report: @escaping @Sendable (ServiceEvent) -> Void
    ) throws(ServiceError) {
        let configuration = try ServiceMachine.checked(told)
        self.configuration = configuration
        let isStopping = Latch()
        self.isStopping = isStopping
        let routes = Routes()
        let deskThread = try ServiceMachine.startDesk(configuration, routes, isStopping, report)
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
            ServiceMachine.stop(desk)
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

    /// The configuration with every symbol once, if all of it is legal.
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

    func lane(of symbol: SymbolName) -> BookLane? { laneOfSymbol[symbol].map { lanes[$0] } }

    var desk: DeskRemote { deskThread.remote.remote }

    var deskStatus: DeskStatus { deskThread.remote.status.latest(DeskStatus()) }

    /// See `BookService.stop`.
    func stop() -> [ClosedBook] {
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
            let books = end.withLock { end -> [ClosedBook]? in
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

    /// Begins the end, if it has not begun, and waits for nothing.
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
        do throws(ServiceError) {
            let ender = try Worker("ender") { [self] in endAll() }
            ender.detach()
        } catch {
            // Nothing new begins; what is under way waits for whoever stops it from outside.
            isStopping.raise()
            end.withLock { $0.phase = .owed }
        }
    }

    /// Whether the caller is a thread of the service.
    private var isInside: Bool { deskThread.isCurrent || lanes.contains(where: \.isCurrent) }

    /// Thread: none of the service's. Once.
    private func endAll() {
        let before = configuration.symbols.map { symbol in
            (symbol, lane(of: symbol)?.readers[symbol]?.views.latest(BookView()) ?? BookView())
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
            (books[index].lagNs, books[index].checkedAtNs) = (view.lagNs, view.checkedAtNs)
        }
        ServiceMachine.stop(desk)
        deskThread.join()
        let closed = books
        end.withLock { end in
            end.phase = .ended
            end.books = closed
        }
        news.notify()
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
