// One lane: a feed thread, a ring, a book thread, and the symbols whose streams share a connection.

import BinanceDepth
import BookEngine
import DepthBook
import DepthFeed
import Handoff
import MarketData
import Transport

/// A book as it was when its lane ended.
public struct ClosedBook: Sendable {
    /// What the engine knew of it when all was over.
    public var status: SymbolStatus
    /// How far it could be trusted when the service was told to stop; what followed was the stop.
    public var state: BookState
    /// Why it was stale then.
    public var reason: StaleReason
    /// Levels of each side.
    public var bidCount: Int
    /// See `bidCount`.
    public var askCount: Int
    /// Best levels, nil where there is none.
    public var bestBid: PriceLevel?
    /// See `bestBid`.
    public var bestAsk: PriceLevel?
    /// Digest of all levels.
    public var digest: UInt64
    /// How much later than usual its last event had arrived, in nanoseconds; see `BookView.lagNs`.
    public var lagNs: Int64 = 0
    /// When its connection was last known to deliver; see `BookView.checkedAtNs`.
    public var checkedAtNs: Int64 = 0
}

/// Where the readers of one symbol look.
public struct SymbolReaders: Sendable {
    /// Best levels and trust, after every message.
    public let views: LatestValueReader<BookView>
    /// Status and counters, once a second.
    public let statuses: LatestValueReader<SymbolStatus>
}

/// A lane as its service sees it.
final class BookLane: Sendable {
    let symbols: [SymbolName]
    let readers: [SymbolName: SymbolReaders]
    let counters: LatestValueReader<EngineCounters>
    let gauges: FrameRingGauges
    let feedStatus: LatestValueReader<FeedStatus>
    let feed: FeedRemote
    let work = Inbox<BookWork>(capacity: 256)
    private let news = Signal()
    private let isStopping = Latch()
    private let feedIsOver = Latch()
    private let closed = Inbox<[ClosedBook]>(capacity: 1)
    private let feedThread: LoopThread<FeedExport>
    private let bookThread: Worker

    private struct FeedExport: Sendable {
        var remote: FeedRemote
        var status: LatestValueReader<FeedStatus>
    }

    /// What the service does for its lanes.
    struct Service: Sendable {
        /// Takes wishes for snapshots; false if it cannot now.
        var want: @Sendable ([SnapshotDesk.Wish]) -> Bool
        /// Whether books wait for more depth.
        var isDepthWanted: @Sendable () -> Bool
        /// Is told what happens.
        var report: @Sendable (ServiceEvent) -> Void
    }

    init(
        _ number: Int, of laneCount: Int, _ symbols: [SymbolName], _ configuration: ServiceConfiguration,
        _ service: Service
    ) throws(ServiceError) {
        self.symbols = symbols
        let ring = try BookLane.makeRing(configuration.ringBytes(symbolCount: symbols.count))
        gauges = ring.gauges
        var engine = BookEngine(configuration.engine)
        var readers: [SymbolName: SymbolReaders] = [:]
        for symbol in symbols {
            engine.addSymbol(symbol)
            readers[symbol] = SymbolReaders(
                views: engine.views(of: symbol)!, statuses: engine.statuses(of: symbol)!)
        }
        self.readers = readers
        counters = engine.counterReadings()

        feedThread = try BookLane.startFeed(
            number, configuration, configuration.feed(lane: number, of: laneCount, symbols),
            BookLane.Parts(
                producer: ring.producer, news: news, isStopping: isStopping, isOver: feedIsOver),
            service.report)
        feed = feedThread.remote.remote
        feedStatus = feedThread.remote.status

        let wiring = BookLoop.Wiring(
            news: news, feedIsOver: feedIsOver, work: work, idle: configuration.idle, want: service.want,
            resubscribe: { [feed] in feed.resubscribe($0) },
            isDepthWanted: service.isDepthWanted, levelCount: { configuration.levelCount($0) },
            ended: { [closed] in _ = closed.post(BookLane.close($0)) })
        let loop = BookLoop(engine, ring.consumer, wiring)
        let cpu = configuration.cpu(2 * number + 1)
        do throws(ServiceError) {
            bookThread = try Worker("book-\(number)") {
                BookLane.pin("book-\(number)", cpu, service.report)
                loop.run()
            }
        } catch {
            isStopping.raise()
            while !feed.stop() && !feedIsOver.isRaised {
                news.wait(since: news.ticket, timeoutNs: 1_000_000)
            }
            feedThread.join()
            throw error
        }
    }

    /// Asks the feed to end; the books follow when the ring is empty.
    func stop() {
        isStopping.raise()
        // A full queue empties itself within a turn; a feed without a connection may be over already.
        while !feed.stop() && !feedIsOver.isRaised {
            news.wait(since: news.ticket, timeoutNs: 1_000_000)
        }
    }

    /// Waits until both threads have ended. Once.
    func join() -> [ClosedBook] {
        feedThread.join()
        bookThread.join()
        return closed.take().first ?? []
    }

    /// Whether the caller is one of the lane's threads.
    var isCurrent: Bool { feedThread.isCurrent || bookThread.isCurrent }

    /// Hands a question to the book thread.
    ///
    /// - Returns: false if too many wait or the lane has ended; it was not taken.
    func ask(_ question: @escaping BookWork) -> Bool {
        let isTaken = work.post(question)
        news.notify()
        return isTaken
    }
}

extension BookLane {
    /// What the feed thread gets of the lane. Not copyable, as the producer is not.
    fileprivate final class Parts: @unchecked Sendable {
        // Taken out once, by the feed thread.
        private var producer: FrameProducer?
        let news: Signal
        let isStopping: Latch
        let isOver: Latch

        init(producer: consuming FrameProducer, news: Signal, isStopping: Latch, isOver: Latch) {
            self.producer = consume producer
            (self.news, self.isStopping, self.isOver) = (news, isStopping, isOver)
        }

        func takeProducer() -> FrameProducer { producer.take()! }
    }

    private static func makeRing(_ capacityBytes: Int) throws(ServiceError) -> FrameRing {
        do throws(FrameRingError) {
            return try FrameRing(capacityBytes: capacityBytes)
        } catch {
            throw .ring(error)
        }
    }

    private static func startFeed(
        _ number: Int, _ configuration: ServiceConfiguration, _ feedConfiguration: DepthFeed.Configuration,
        _ parts: Parts, _ report: @escaping @Sendable (ServiceEvent) -> Void
    ) throws(ServiceError) -> LoopThread<FeedExport> {
        let name = "feed-\(number)"
        let cpu = configuration.cpu(2 * number)
        return try LoopThread(
            name, idle: configuration.idle, options: configuration.loop,
            prepare: { BookLane.pin(name, cpu, report) }
        ) { loop throws(ServiceError) in
            let feed: DepthFeed
            do throws(TransportError) {
                feed = try DepthFeed(
                    feedConfiguration, on: loop, producer: parts.takeProducer(),
                    signal: configuration.idle == .spin ? nil : parts.news,
                    report: { report(.feed(lane: number, $0)) })
            } catch {
                throw .transport(error)
            }
            feed.start()
            return LoopThread.Inhabitant(
                remote: FeedExport(remote: feed.remote, status: feed.status),
                isOver: { parts.isStopping.isRaised && feed.isStopped && feed.openCount == 0 },
                ended: {
                    parts.isOver.raise()
                    parts.news.notify()
                })
        }
    }

    private static func pin(
        _ thread: String, _ cpu: Int?, _ report: @Sendable (ServiceEvent) -> Void
    ) {
        guard let cpu else { return }
        let failure = Worker.pin(cpu)
        if failure != 0 { report(.notPinned(thread: thread, cpu: cpu, errno: failure)) }
    }

    private static func close(_ engine: borrowing BookEngine) -> [ClosedBook] {
        var books: [ClosedBook] = []
        for symbol in engine.symbols {
            guard let status = engine.status(symbol) else { continue }
            let book = engine.withBook(symbol) { book in
                ClosedBook(
                    status: status, state: status.state, reason: status.reason, bidCount: book.bids.count,
                    askCount: book.asks.count,
                    bestBid: book.bestBid, bestAsk: book.bestAsk, digest: book.digest())
            }
            if let book { books.append(book) }
        }
        return books
    }
}
