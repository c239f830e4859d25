// What follows from a frame of a replay: a book that advanced, a requested snapshot, a body that can now be
// compared, ids that start over.

import BinanceVenue
import BookEngine
import Captures
import DepthBook
import MarketData

extension Replay {
    private mutating func book(_ symbol: SymbolName) -> ReplayedBook {
        if let book = books[symbol] { return book }
        let book = ReplayedBook()
        books[symbol] = book
        return book
    }

    /// The time of the last depth update, in microseconds.
    private func eventTimeUs(_ receivedAtNs: Int64) -> Int64 {
        let timeUs = engine.lastDepthUpdate.timeUs
        return timeUs > 0 ? timeUs : receivedAtNs / 1000
    }

    /// Whether the last depth update belongs to another session of its symbol; the symbol has then been
    /// reset, and the update must be stepped again.
    mutating func resetIfRestarted(at origin: @autoclosure () -> String) -> Bool {
        let update = engine.lastDepthUpdate
        guard let book = books[update.symbol], let last = book.watch.session.last, update.ids.last < last,
            book.watch.session.isOver(by: update.ids, timeUs: update.timeUs)
        else { return false }
        notes.note(
            "update ids of \(update.symbol) begin anew", at: "\(origin()): from \(last) to \(update.ids.last)"
        )
        engine.reset(update.symbol)
        book.watch = ReplayWatch()
        book.bodies.reset()
        book.loaded = nil
        heedRequests()
        return true
    }

    /// Called after a depth update was stepped.
    mutating func afterEvent(
        _ message: Span<UInt8>, receivedAtNs: Int64, _ comparesBodies: Bool,
        at origin: @autoclosure () -> String
    ) {
        let update = engine.lastDepthUpdate
        guard let mark = engine.mark(of: update.symbol) else { return }
        let book = book(update.symbol)
        let expected = book.watch.session.last
        let isAhead = book.watch.session.take(update.ids, timeUs: eventTimeUs(receivedAtNs))
        book.watch.look(mark, at: origin(), event: update.ids, expected: expected)
        book.bodies.eventCount += 1
        if isAhead {
            summary.holes.take(
                update.symbol, update.ids, after: expected, rule, atNs: receivedAtNs, origin: origin())
        }
        if isAhead { book.bodies.advancedAt = book.bodies.eventCount }
        if !comparesBodies || !isAhead { return }
        book.bodies.memory.append(update.ids, message)
        if book.bodies.waiting.isEmpty && book.bodies.deeper == nil { return }
        guard (try? parser.parse(message, market: market)) == .depthUpdate else { return }
        book.bodies.follow(parser.update)
        compare(update.symbol, book)
    }

    private func compare(_ symbol: SymbolName, _ book: ReplayedBook) {
        if book.bodies.waiting.isEmpty || engine.mark(of: symbol)?.state != .live { return }
        engine.withBook(symbol) { book.bodies.compare(with: $0) }
    }

    /// Takes a body of a symbol that has already been paced and recorded.
    mutating func receive(
        _ body: Span<UInt8>, _ bytes: [UInt8], of symbol: SymbolName, limit: Int, at origin: String
    ) {
        do throws(ParseError) {
            try parser.parseSnapshot(body)
        } catch {
            return notes.fault("a REST depth body: \(error.code.rawValue)", at: origin)
        }
        if engine.addSymbol(symbol) == nil {
            return notes.fault("more than \(engine.configuration.symbolCountMax) symbols", at: origin)
        }
        heedRequests()
        let book = book(symbol)
        let held = HeldBody(
            id: parser.snapshot.lastUpdateID, limit: limit, bytes: bytes, origin: origin,
            eventCount: book.bodies.eventCount)
        if book.bodies.isWanted {
            book.bodies.held = held
            offerHeld(symbol, book)
            return
        }
        if makesRoom(for: held, book) { book.bodies.hold(held) }
        check(symbol, book, at: origin)
    }

    /// Whether the kept bodies, including this one, stay within the limit.
    private mutating func makesRoom(for body: HeldBody, _ book: ReplayedBook) -> Bool {
        let others = heldBytes - (book.bodies.held?.bytes.count ?? 0)
        if others + body.bytes.count > Replay.heldBytesMax {
            notes.note("a body is not kept for a gap to come, too many are", at: body.origin)
            return false
        }
        heldBytes = others + body.bytes.count
        return true
    }

    /// Compares the body that the parser has read with the served book, now or when the book reaches its id.
    private mutating func check(_ symbol: SymbolName, _ book: ReplayedBook, at origin: String) {
        let check = BodyCheck(
            parser.snapshot, rule: rule,
            levelCountMax: engine.configuration.levelCountMax, origin: origin)
        let id = parser.snapshot.lastUpdateID
        for (ids, bytes) in book.bodies.memory.events where ids.last > id {
            guard (try? parser.parse(bytes.span, market: market)) == .depthUpdate else { continue }
            if check.take(parser.update) == .lost {
                book.bodies.uncomparedCount += 1
                return
            }
        }
        book.bodies.wait(check)
        compare(symbol, book)
    }

    private mutating func offerHeld(_ symbol: SymbolName, _ book: ReplayedBook) {
        guard var held = book.bodies.held, !held.isSpent else { return }
        let bytes = held.bytes
        heldBytes -= bytes.count
        held.bytes = []
        held.isSpent = true
        book.bodies.held = held
        book.bodies.isWanted = false
        offer(bytes, at: held.origin)
        if let mark = engine.mark(of: symbol) {
            book.watch.look(mark, at: held.origin, event: nil, expected: nil)
        }
        book.isCutAtLoad = held.limit > engine.configuration.levelCountMax
        book.loaded = engine.withBook(symbol) { ($0.provenBids, $0.provenAsks, $0.scales) }
    }

    /// Handles what the engine requests.
    mutating func heedRequests() {
        var asked: [SymbolName] = []
        engine.takeRequests { request in
            if case .ask(let symbol, _, _) = request { asked.append(symbol) }
        }
        for symbol in asked {
            let book = book(symbol)
            book.bodies.isWanted = true
            request(symbol)
            offerHeld(symbol, book)
        }
    }
}
