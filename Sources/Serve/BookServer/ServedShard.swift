// One shard of the service as the server follows it: a replica over a tap of the shard's frames, and the
// served books beside it.
//
// Every update of the stream is looked at right after the replica has taken it. Everything else that can
// change a book is looked at with the next tick: until then nothing of that symbol is passed on, and a
// request looks for itself.
//
// SAFETY: the bytes of a frame are copied out during the call that lends them.

import BinanceVenue
import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// What a shard has to tell. All calls come from inside `ServedShard.poll` and `ServedShard.settle`.
struct ShardNews {
    /// The next update of the stream of a symbol, as it came, without wrapper; the book has taken it.
    var passed: (Int, [UInt8]) -> Void
    /// A bridging update in `ServedBook.bridge` of this symbol; the book has taken it.
    var bridged: (Int) -> Void
    /// The stream of this symbol cannot go on from what the clients hold.
    var broken: (Int) -> Void
}

/// A replica of one shard and its served books. Thread: the server's.
final class ServedShard {
    let number: Int
    let symbols: [SymbolName]
    /// By the order of `symbols`.
    let books: [ServedBook]
    private var replica: ReplicaEngine
    private var consumer: FrameConsumer
    private let tap: FrameTap
    private let answers = CommandQueue<ReplicaAnswer>(capacity: 4)
    private let slots: [SymbolName: Int]
    /// Numbers of the last loss of each book that is taken into account.
    private var losses: [Int]
    /// Since when each book has been behind, in nanoseconds of the frames; 0 if it is not.
    private var behindSinceNs: [Int64]
    private var isTapped = false
    private var payload: [UInt8] = []

    /// What stands around the payload in the wrapper: before the stream's name, and between the two.
    private static let wrapperHead = Array("{\"stream\":\"".utf8)
    private static let wrapperMiddle = Array("\",\"data\":".utf8)
    /// A source that stays behind for longer counts anew.
    private static let behindNsMax: Int64 = 10_000_000_000

    init(_ number: Int, of service: BookService, ringBytes: Int) throws(FrameRingError) {
        let configuration = service.configuration.engine
        let ring = try FrameRing(capacityBytes: ringBytes)
        tap = FrameTap(ring.producer)
        consumer = ring.consumer
        replica = ReplicaEngine(configuration)
        (self.number, symbols) = (number, service.symbols(ofShard: number))
        let isLinked = configuration.rules.updatesAreLinked
        books = symbols.map {
            ServedBook($0, isLinked: isLinked, levelCountMax: configuration.levelCountMax)
        }
        slots = Dictionary(uniqueKeysWithValues: symbols.enumerated().map { ($1, $0) })
        losses = [Int](repeating: 0, count: symbols.count)
        behindSinceNs = [Int64](repeating: 0, count: symbols.count)
        for symbol in symbols { replica.addSymbol(symbol) }
    }

    /// Takes what has come.
    ///
    /// - Returns: number of frames taken.
    func poll(_ service: BookService, limit: Int, _ news: ShardNews) -> Int {
        if !isTapped { isTapped = service.add(tap, toShard: number) }
        for answer in answers.take() {
            replica.receive(answer)
            settleAll(news, nowNs: nil)
        }
        let count = consumer.poll(limit: limit) { take($0, news) }
        if let question = replica.takeQuestion(),
            !service.answer(question, byShard: number, { [answers] in _ = answers.post($0) })
        {
            replica.receive(nil)
        }
        return count
    }

    /// Where the replica's book of a symbol stands.
    func mark(of slot: Int) -> BookMark? { replica.engine.mark(of: symbols[slot]) }

    /// Ends the tap; false if the feed cannot be told now.
    func leave(_ service: BookService) -> Bool {
        if isTapped { isTapped = !service.remove(tap, fromShard: number) }
        return !isTapped
    }

    /// Why a book may not be shown; nil if it may.
    func refusal(of slot: Int, _ news: ShardNews) -> String? {
        settle(slot, news, nowNs: nil)
        if books[slot].isShown { return nil }
        guard let mark = replica.engine.mark(of: symbols[slot]) else { return "unknown" }
        switch mark.state {
        case .syncing: return "the book is syncing"
        case .stale: return "the book is stale: \(mark.reason)"
        case .live: return "the book is being bridged"
        }
    }

    private func take(_ frame: Frame, _ news: ShardNews) {
        let updateCount = replica.engine.counters.depthUpdates
        replica.step(frame)
        switch frame.kind {
        case .message:
            if replica.engine.counters.depthUpdates != updateCount { follow(frame, news) }
        case .depthSnapshot, .snapshotFailed, .snapshotRequested: return
        case .connected, .disconnected, .retired, .dropped: settleAll(news, nowNs: nil)
        case .tick: settleAll(news, nowNs: frame.receivedAtNs)
        }
    }

    private func follow(_ frame: Frame, _ news: ShardNews) {
        let slot: Int? = replica.engine.withLastUpdate { update, stream in
            guard let slot = slots[update.symbol] else { return nil }
            guard let mark = replica.engine.mark(of: update.symbol), mark.state == .live,
                mark.lastUpdateID == update.last,
                replica.engine.lossNumber(of: update.symbol) == losses[slot],
                copyPayload(frame, stream), books[slot].pass(update)
            else { return slot }
            news.passed(slot, payload)
            return nil
        }
        if let slot { settle(slot, news, nowNs: nil) }
    }

    /// Copies the message of a frame without its wrapper.
    ///
    /// - Returns: false if the wrapper is not of the usual form; the message is then encoded anew.
    private func copyPayload(_ frame: Frame, _ stream: Range<Int>?) -> Bool {
        payload.removeAll(keepingCapacity: true)
        guard let stream else {
            unsafe payload.append(contentsOf: frame.bytes)
            return true
        }
        let (head, middle) = (ServedShard.wrapperHead, ServedShard.wrapperMiddle)
        let start = stream.upperBound + middle.count
        let count = unsafe frame.bytes.count
        guard stream.lowerBound == head.count, start < count - 1,
            unsafe frame.bytes[0..<head.count].elementsEqual(head),
            unsafe frame.bytes[stream.upperBound..<start].elementsEqual(middle),
            unsafe frame.bytes[count - 1] == UInt8(ascii: "}")
        else { return false }
        unsafe payload.append(contentsOf: frame.bytes[start..<(count - 1)])
        return true
    }

    private func settleAll(_ news: ShardNews, nowNs: Int64?) {
        for slot in symbols.indices { settle(slot, news, nowNs: nowNs) }
    }

    /// Brings a served book in line with the replica's, wherever that stands.
    private func settle(_ slot: Int, _ news: ShardNews, nowNs: Int64?) {
        let (symbol, book) = (symbols[slot], books[slot])
        guard let mark = replica.engine.mark(of: symbol), mark.state == .live else {
            // What it was behind while it was live says nothing of what comes back.
            behindSinceNs[slot] = 0
            return book.pause()
        }
        let loss = replica.engine.lossNumber(of: symbol)
        if book.state == .live && loss == losses[slot] && mark.lastUpdateID == book.book.lastUpdateID {
            if nowNs == nil { return }
            return replica.engine.withBook(symbol) { book.deepen($0) } ?? ()
        }
        losses[slot] = loss
        let resumption = replica.engine.withBook(symbol) { book.resume($0) } ?? .behind
        if resumption != .behind { behindSinceNs[slot] = 0 }
        switch resumption {
        case .began, .unchanged: break
        case .bridged: news.bridged(slot)
        case .behind:
            guard let nowNs else { return }
            if behindSinceNs[slot] == 0 { behindSinceNs[slot] = nowNs }
            if nowNs - behindSinceNs[slot] < ServedShard.behindNsMax { return }
            behindSinceNs[slot] = 0
            book.forget()
            news.broken(slot)
        }
    }
}
