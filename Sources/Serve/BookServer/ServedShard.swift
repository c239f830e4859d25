// One shard of the service as the server follows it: a replica over a tap of the shard's frames, with the
// served books beside it.
//
// Every frame may change books; those it changed are looked at right after it. An update in the stream of a
// live book is passed on unchanged; any other change to a book is bridged.
//
// The ticks in the tap show how far the server itself lags: the feed writes them with its time. While that is
// too far, nothing is passed on, so that no stream shows what REST refuses: the books pause, and once the
// server has caught up, one bridge each leads to where they then are, a few books at a time.
//
// SAFETY: the bytes of a frame are copied during the call that lends them.

import BinanceVenue
import BookEngine
import BookService
import DepthBook
import LobHandoff
import LobTransport
import MarketData

/// Callbacks of a shard. All are called from inside `ServedShard.poll` and `ServedShard.refusal`.
struct ShardNews {
    /// The next update in a symbol's stream; the book has taken it, and its `message` is the original.
    var passed: (Int, borrowing DepthUpdate) -> Void
    /// An update that does not continue the book, where gaps are passed on; `message` is the original.
    var gap: (Int, borrowing DepthUpdate) -> Void
    /// A bridging update in this symbol's `ServedBook.bridge`; the book has taken it.
    var bridged: (Int) -> Void
    /// This symbol's book may be shown, for the first time or again at the same id.
    var resumed: (Int) -> Void
    /// This symbol's stream cannot continue what the clients hold.
    var broken: (Int) -> Void
    /// The verdict on this symbol's book may have changed.
    var judged: (Int) -> Void
}

/// A replica of one shard and its served books. Thread: the server's.
final class ServedShard {
    let number: Int
    let symbols: [SymbolName]
    /// In the order of `symbols`, which is that of the replica's slots.
    let books: [ServedBook]
    /// The ring of its tap.
    let gauges: FrameRingGauges
    /// Notified when there is something to process.
    let wake: WakeSwitch
    private let passesGaps: Bool
    private var replica: ReplicaEngine
    private var consumer: FrameConsumer
    private let tap: FrameTap
    private let answers = CommandQueue<ReplicaAnswer>(capacity: 4)
    /// The number of each book's last loss that has been handled.
    private var losses: [Int]
    /// Since when each book has been behind, in nanoseconds of the frames; 0 if it is not.
    private var behindSinceNs: [Int64]
    /// Slots changed by the current frame.
    private var changed: [Int] = []
    /// Slots that are behind, to be looked at with every tick.
    private var waiting: [Int] = []
    private var isWaiting: [Bool]
    private(set) var isTapped = false
    /// Whether it lags too far.
    private(set) var isLate = false
    /// The books that have not gone on since it did.
    private var queue: BridgeQueue
    /// When the feed wrote the last tick processed; nil before the first.
    private var tickNs: Int64?
    /// The venue's time in the last update processed, and when the feed received it.
    private(set) var heard: (eventTimeUs: Int64, receivedAtNs: Int64)?
    private var clock = VenueClock()

    /// The wrapper around the payload: before the stream's name, and between the two.
    private static let wrapperHead = Array("{\"stream\":\"".utf8)
    private static let wrapperMiddle = Array("\",\"data\":".utf8)
    /// Message memory kept for the symbol's next one.
    private static let keptBytesMax = 1 << 13
    /// Frames between two looks at the clock.
    private static let framesPerStep = 16
    /// A source that stays behind for longer has restarted its ids.
    private static let behindNsMax: Int64 = 10_000_000_000

    init(
        _ number: Int, of service: BookService, ringBytes: Int, passesGaps: Bool, wake: WakeSwitch
    ) throws(FrameRingError) {
        var configuration = service.configuration.engine
        configuration.publication = .conflated
        let ring = try FrameRing(capacityBytes: ringBytes)
        tap = FrameTap(ring.producer, wake: wake)
        gauges = ring.gauges
        consumer = ring.consumer
        replica = ReplicaEngine(configuration)
        (self.number, self.wake, self.passesGaps) = (number, wake, passesGaps)
        symbols = service.symbols(ofShard: number)
        queue = BridgeQueue(count: symbols.count)
        let isLinked = configuration.rules.updatesAreLinked
        books = symbols.map {
            ServedBook($0, isLinked: isLinked, levelCountMax: configuration.levelCountMax)
        }
        losses = [Int](repeating: 0, count: symbols.count)
        behindSinceNs = [Int64](repeating: 0, count: symbols.count)
        isWaiting = [Bool](repeating: false, count: symbols.count)
        for symbol in symbols { replica.addSymbol(symbol) }
    }

    /// Processes what has arrived.
    ///
    /// - Parameters:
    ///   - limit: most frames.
    ///   - endNs: when to stop, monotonic; a few frames and one waiting book are processed in any case.
    /// - Returns: number of frames, answers and waiting books processed.
    func poll(_ service: BookService, limit: Int, endNs: UInt64 = .max, _ news: ShardNews) -> Int {
        if !isTapped { isTapped = service.add(tap, toShard: number) }
        var count = 0
        for answer in answers.take() {
            count += 1
            replica.take(answer)
            settleChanged(news)
        }
        count += pollFrames(limit: limit, endNs: endNs, news) + goOn(endNs: endNs, news)
        if let question = replica.takeQuestion(),
            !service.answer(
                question, byShard: number,
                { [answers, wake] in
                    _ = answers.post($0)
                    wake.notify()
                })
        {
            replica.take(nil)
        }
        return count
    }

    private func pollFrames(limit: Int, endNs: UInt64, _ news: ShardNews) -> Int {
        var count = 0
        while count < limit {
            let most = min(limit - count, ServedShard.framesPerStep)
            let step = consumer.poll(limit: most) { take($0, news) }
            count += step
            if step < most || LoopClock.monotonicNs >= endNs { break }
        }
        return count
    }

    /// Lets waiting books go on.
    ///
    /// - Returns: how many.
    private func goOn(endNs: UInt64, _ news: ShardNews) -> Int {
        var count = 0
        while let slot = queue.takeFirst() {
            let isSame = books[slot].state == .live
            settle(slot, news, nowNs: nil)
            // It has begun meanwhile.
            if isSame && books[slot].isShown { news.resumed(slot) }
            news.judged(slot)
            count += 1
            if LoopClock.monotonicNs >= endNs { break }
        }
        return count
    }

    /// State of the replica's book of a symbol.
    func mark(of slot: Int) -> BookMark? { replica.engine.mark(at: slot) }

    /// How far what is shown lags what the feed has received, at a time in nanoseconds since 1970; 0 before
    /// the first tick.
    func lagNs(atNs: Int64) -> Int64 { tickNs.map { max(0, atNs &- $0) } ?? 0 }

    /// The venue's present time; nil before its first message.
    var venueTimeUs: Int64? { clock.timeUs(nowNs: LoopClock.monotonicNs) }

    /// The server's verdict on this shard's lag: pauses all books, or lets them continue one after the other.
    func judge(isLate: Bool, _ news: ShardNews) {
        if isLate == self.isLate { return }
        self.isLate = isLate
        if !isLate { return queue.fill() }
        queue.clear()
        for slot in books.indices { settle(slot, news, nowNs: nil) }
    }

    /// Whether a book pauses because of the shard's lag.
    func holds(_ slot: Int) -> Bool { isLate || queue.holds(slot) }

    /// Ends the tap; false if the feed cannot be told now.
    func leave(_ service: BookService) -> Bool {
        if isTapped { isTapped = !service.remove(tap, fromShard: number) }
        return !isTapped
    }

    /// Why a book may not be shown; nil if it may.
    func refusal(of slot: Int, _ news: ShardNews) -> String? {
        settle(slot, news, nowNs: nil)
        if books[slot].isShown { return nil }
        let mark = replica.engine.mark(at: slot)
        switch mark.state {
        case .syncing: return "the book is syncing"
        case .stale: return "the book is stale: \(mark.reason)"
        case .live: return "the book is being bridged"
        }
    }

    private func take(_ frame: Frame, _ news: ShardNews) {
        let updateCount = replica.engine.counters.depthUpdates
        replica.step(frame)
        if frame.kind == .message && replica.engine.counters.depthUpdates != updateCount {
            follow(frame, news)
        }
        settleChanged(news)
        guard frame.kind == .tick else { return }
        tickNs = frame.receivedAtNs
        let due = waiting
        waiting.removeAll(keepingCapacity: true)
        for slot in due {
            isWaiting[slot] = false
            settle(slot, news, nowNs: frame.receivedAtNs)
            news.judged(slot)
        }
    }

    private func follow(_ frame: Frame, _ news: ShardNews) {
        replica.engine.withLastUpdate { update, stream in
            let slot = replica.engine.place(of: update.symbol)
            if slot < 0 { return }
            if update.eventTimeUs > 0 {
                heard = (update.eventTimeUs, frame.receivedAtNs)
                clock.hear(
                    update.eventTimeUs, receivedAtNs: frame.receivedAtNs, nowNs: LoopClock.monotonicNs)
            }
            if holds(slot) {
                books[slot].nextID = nil
                changed.append(slot)
                return
            }
            let mark = replica.engine.mark(at: slot)
            let leadsOn =
                mark.state == .live && mark.lastUpdateID == update.last
                && replica.engine.lossNumber(at: slot) == losses[slot] && books[slot].continues(update)
            books[slot].nextID = leadsOn ? update.last : nil
            guard leadsOn, books[slot].pass(update) else {
                let isNewer = update.last > books[slot].ids.last && update.last.value > 0
                if passesGaps && !leadsOn && isNewer {
                    copyMessage(of: frame, stream, to: books[slot])
                    news.gap(slot, update)
                }
                changed.append(slot)
                return
            }
            copyMessage(of: frame, stream, to: books[slot])
            news.passed(slot, update)
        }
    }

    /// Keeps a frame's message without its wrapper; nothing if the wrapper has an unusual form, in which case
    /// the message must be encoded anew.
    private func copyMessage(of frame: Frame, _ stream: Range<Int>?, to book: ServedBook) {
        book.message.removeAll(keepingCapacity: book.message.capacity <= ServedShard.keptBytesMax)
        guard let stream else {
            unsafe book.message.append(contentsOf: frame.bytes)
            return
        }
        let (head, middle) = (ServedShard.wrapperHead, ServedShard.wrapperMiddle)
        let start = stream.upperBound + middle.count
        let count = unsafe frame.bytes.count
        guard stream.lowerBound == head.count, start < count - 1,
            unsafe frame.bytes[0..<head.count].elementsEqual(head),
            unsafe frame.bytes[stream.upperBound..<start].elementsEqual(middle),
            unsafe frame.bytes[count - 1] == UInt8(ascii: "}")
        else { return }
        unsafe book.message.append(contentsOf: frame.bytes[start..<(count - 1)])
    }

    private func settleChanged(_ news: ShardNews) {
        replica.takeChanged { changed.append($0) }
        if changed.isEmpty { return }
        var slots: [Int] = []
        swap(&slots, &changed)
        for slot in slots {
            settle(slot, news, nowNs: nil)
            news.judged(slot)
        }
        slots.removeAll(keepingCapacity: true)
        if changed.isEmpty { swap(&slots, &changed) }
    }

    /// Brings a served book in line with the replica's, whatever its state. O(1) if it is already.
    private func settle(_ slot: Int, _ news: ShardNews, nowNs: Int64?) {
        let book = books[slot]
        let mark = replica.engine.mark(at: slot)
        if mark.state != .live || (holds(slot) && book.state != .empty) {
            // What it was behind while it was live says nothing about what comes back.
            behindSinceNs[slot] = 0
            return book.pause()
        }
        let loss = replica.engine.lossNumber(at: slot)
        if book.state == .live && loss == losses[slot] && mark.lastUpdateID == book.book.lastUpdateID {
            return replica.engine.withBook(at: slot) { book.deepen($0) }
        }
        if loss != losses[slot] { book.sourceWasLost = true }
        losses[slot] = loss
        let nowUs = venueTimeUs ?? LoopClock.realtimeNs / 1_000
        let resumption = replica.engine.withBook(at: slot) { book.resume($0, nowUs: nowUs) }
        if resumption != .behind { behindSinceNs[slot] = 0 }
        switch resumption {
        case .began, .unchanged: news.resumed(slot)
        case .bridged: news.bridged(slot)
        case .behind: waitFor(slot, news, nowNs)
        }
    }

    /// A book is behind: for a while, or for good.
    private func waitFor(_ slot: Int, _ news: ShardNews, _ nowNs: Int64?) {
        if let nowNs {
            if behindSinceNs[slot] == 0 { behindSinceNs[slot] = nowNs }
            if nowNs - behindSinceNs[slot] >= ServedShard.behindNsMax {
                behindSinceNs[slot] = 0
                books[slot].forget()
                news.broken(slot)
            }
        }
        if isWaiting[slot] { return }
        isWaiting[slot] = true
        waiting.append(slot)
    }
}
