// One shard: a feed thread, a ring, a book thread, and the symbols whose streams share a connection.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import FeedSockets
import LobHandoff
import LobMetrics
import LobTransport
import MarketData

/// A shard as seen by its service.
final class BookShard: Sendable {
    let symbols: [SymbolName]
    let readers: [SymbolName: SymbolReaders]
    let counters: LatestValueReader<EngineCounters>
    let gauges: FrameRingGauges
    let feedStatus: LatestValueReader<FeedStatus>
    /// How long frames took until readers could see them.
    let publicationTimes: LatestValueReader<LatencyHistogram>
    let feed: FeedHandle
    let work = CommandQueue<BookWork>(capacity: 256)
    private let news = Signal()
    private let isStopping = StopFlag()
    private let feedIsOver = StopFlag()
    private let closed = CommandQueue<[FinalBook]>(capacity: 1)
    private let feedThread: LoopThread<FeedExport>
    private let bookThread: PinnedThread

    private struct FeedExport: Sendable {
        var remote: FeedHandle
        var status: LatestValueReader<FeedStatus>
    }

    /// What the service provides to its shards.
    struct Service: Sendable {
        /// Accepts snapshot requests; false if it cannot now.
        var want: @Sendable ([SnapshotFetcher.Request]) -> Bool
        /// Whether books wait for more depth.
        var isDepthWanted: @Sendable () -> Bool
        /// Receives events.
        var report: @Sendable (ServiceEvent) -> Void
        /// Wakes tasks waiting for views.
        var waker: TaskWaker
    }

    init(
        _ number: Int, of shardCount: Int, _ symbols: [SymbolName], _ configuration: ServiceConfiguration,
        _ service: Service
    ) throws(ServiceError) {
        self.symbols = symbols
        let ring = try BookShard.makeRing(configuration.ringBytes(symbolCount: symbols.count))
        gauges = ring.gauges
        let bell = service.waker.makeBell()
        var engine = BookEngine(configuration.engine, bell: bell)
        var readers: [SymbolName: SymbolReaders] = [:]
        for symbol in symbols {
            engine.addSymbol(symbol)
            readers[symbol] = SymbolReaders(symbol, of: engine, bell, service.waker)
        }
        self.readers = readers
        counters = engine.counterReadings()

        feedThread = try BookShard.startFeed(
            number, configuration, configuration.feed(shard: number, of: shardCount, symbols),
            BookShard.Parts(
                producer: ring.producer, news: news, isStopping: isStopping, isOver: feedIsOver),
            service.report)
        feed = feedThread.remote.remote
        feedStatus = feedThread.remote.status

        let wiring = BookLoop.Wiring(
            market: configuration.endpoints.market, news: news, feedIsOver: feedIsOver, work: work,
            idle: configuration.idle, want: service.want,
            resubscribe: { [feed] in feed.resubscribe($0) },
            isDepthWanted: service.isDepthWanted, levelCount: { configuration.levelCount($0) },
            ended: { [closed] in
                bell.close()
                _ = closed.post(BookShard.close($0))
            })
        let times = LatestValue(LatencyHistogram())
        publicationTimes = times.reader
        let loop = BookLoop(engine, ring.consumer, wiring, times.writer)
        let cpu = configuration.cpu(2 * number + 1)
        do throws(ThreadError) {
            bookThread = try PinnedThread("book-\(number)") {
                BookShard.pin("book-\(number)", cpu, service.report)
                loop.run()
            }
        } catch {
            isStopping.raise()
            while !feed.stop() && !feedIsOver.isRaised {
                news.wait(since: news.ticket, timeoutNs: 1_000_000)
            }
            feedThread.join()
            throw .noThread(errno: error.errno)
        }
    }

    /// Tells the feed to end; the books follow once the ring is empty.
    func stop() {
        isStopping.raise()
        // A full queue empties within a turn; a feed without a connection may have ended already.
        while !feed.stop() && !feedIsOver.isRaised {
            news.wait(since: news.ticket, timeoutNs: 1_000_000)
        }
    }

    /// Waits until both threads have ended. Call once.
    func join() -> [FinalBook] {
        feedThread.join()
        bookThread.join()
        return closed.take().first ?? []
    }

    /// Whether the caller is one of the shard's threads.
    var isCurrent: Bool { feedThread.isCurrent || bookThread.isCurrent }

    /// Posts a question to the book thread.
    ///
    /// - Returns: false if too many are waiting or the shard has ended; it was not accepted.
    func ask(_ question: @escaping BookWork) -> Bool {
        let isTaken = work.post(question)
        news.notify()
        return isTaken
    }
}

extension BookShard {
    /// What the feed thread takes over from the shard. Not copyable, like the producer.
    fileprivate final class Parts: @unchecked Sendable {
        // Taken out once, by the feed thread.
        private var producer: FrameProducer?
        let news: Signal
        let isStopping: StopFlag
        let isOver: StopFlag

        init(producer: consuming FrameProducer, news: Signal, isStopping: StopFlag, isOver: StopFlag) {
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
        do throws(TransportError) {
            return try LoopThread(
                name, idle: configuration.idle, options: configuration.loop,
                prepare: { BookShard.pin(name, cpu, report) }
            ) { loop throws(TransportError) in
                let feed = try DepthFeed(
                    feedConfiguration, on: loop, socket: configuration.socket, producer: parts.takeProducer(),
                    signal: configuration.idle == .spin ? nil : parts.news,
                    report: { report(.feed(shard: number, $0)) })
                feed.start()
                return LoopThread.Resident(
                    remote: FeedExport(remote: FeedHandle(feed, on: loop), status: feed.status),
                    isOver: { parts.isStopping.isRaised && feed.isStopped && feed.openCount == 0 },
                    ended: {
                        parts.isOver.raise()
                        parts.news.notify()
                    })
            }
        } catch {
            throw .transport(error)
        }
    }

    private static func pin(
        _ thread: String, _ cpu: Int?, _ report: @Sendable (ServiceEvent) -> Void
    ) {
        guard let cpu else { return }
        let failure = PinnedThread.pin(cpu)
        if failure != 0 { report(.notPinned(thread: thread, cpu: cpu, errno: failure)) }
    }

    private static func close(_ engine: borrowing BookEngine) -> [FinalBook] {
        var books: [FinalBook] = []
        for symbol in engine.symbols {
            guard let status = engine.status(symbol) else { continue }
            let book = engine.withBook(symbol) { book in
                FinalBook(
                    status: status, state: status.state, reason: status.reason, bidCount: book.bids.count,
                    askCount: book.asks.count,
                    bestBid: book.bestBid, bestAsk: book.bestAsk, digest: book.digest())
            }
            if let book { books.append(book) }
        }
        return books
    }
}
