// The server's machine step by step: what it keeps and says between two turns.

import BinanceVenue
import BookSync
import LobHandoff
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

extension ServerTests {
    /// While a client keeps a closing server waiting, its books stand still: they are shown to nobody.
    @Test func aClosingServerShowsNothing() throws {
        let server = try DrivenServer()
        defer { server.stop() }
        server.begin()
        let client = server.client("/ws/sim0usdt@depth@100ms")
        server.drive("an update") { client.read().contains("depthUpdate") }
        #expect(!server.machine.turn(isStopping: true))
        let port = server.machine.port
        for target in ["/api/v3/depth?symbol=SIM0USDT", "/v1/books/SIM0USDT", "/ready"] {
            let answer = try server.stack.get(target, port: port)
            #expect(answer.status == 503 && answer.text.contains("closing"), "\(target)")
            #expect(answer.headers["retry-after"] == "1")
        }
        let late = server.client("/ws/sim0usdt@depth@100ms")
        server.stack.drive("refused") { late.read().hasPrefix("HTTP/1.1 503") }
        #expect(!client.hasServerHungUp)
    }

    /// A symbol of another status than the one asked for is refused, or left out of several.
    @Test func statusesAreCompared() throws {
        let server = try DrivenServer()
        defer { server.stop() }
        server.drive("books") { server.machine.isShown(0) && server.machine.isShown(1) }
        server.machine.facts["SIM0USDT"] = SymbolInfo(
            symbol: "SIM0USDT", market: .spot, status: "HALT", tickSize: nil, stepSize: nil)
        let get = { (target: String) in
            try server.stack.get("/api/v3/" + target, port: server.machine.port).text
        }
        for path in ["depth", "ticker/bookTicker"] {
            let shown = try get("\(path)?symbol=SIM0USDT&symbolStatus=HALT")
            #expect(shown.contains("SIM0USDT") || shown.contains("lastUpdateId"), "\(path): \(shown)")
            for query in ["symbol=SIM0USDT&symbolStatus=TRADING", "symbol=SIM1USDT&symbolStatus=HALT"] {
                let refusal = try get("\(path)?\(query)")
                #expect(refusal.hasPrefix("{\"code\":-1220,"), "\(path): \(refusal)")
            }
        }
        for path in ["exchangeInfo", "ticker/bookTicker"] {
            let text = try get("\(path)?symbolStatus=HALT")
            #expect(text.contains("SIM0USDT") && !text.contains("SIM1USDT"), "\(path): \(text)")
        }
    }

    /// A shard that lags too far passes nothing on; when it has caught up, one bridge leads to its book.
    @Test func aLateShardPauses() throws {
        let stack = try stack(symbolCount: 1) { _ in }
        defer { stack.stop() }
        let service = stack.service
        let shard = try ServedShard(
            0, of: service, ringBytes: 1 << 20, passesGaps: false, wake: WakeSwitch())
        var (passed, bridged): ([UpdateID], [UpdateID]) = ([], [])
        let news = ShardNews(
            passed: { _, update in passed.append(update.last) },
            gap: { _, _ in },
            bridged: { _ in bridged.append(shard.books[0].bridge.first) },
            resumed: { _ in }, broken: { _ in }, judged: { _ in })
        func poll(until condition: () -> Bool) {
            stack.drive {
                _ = shard.poll(service, limit: 1_024, news)
                return condition()
            }
        }
        poll { passed.count > 3 }
        shard.judge(isLate: true, news)
        let held = shard.books[0].book.lastUpdateID
        (passed, bridged) = ([], [])
        poll {
            let mark = shard.mark(of: 0)
            return mark?.state == .live && mark!.lastUpdateID.value > held.value + 100
        }
        #expect(passed.isEmpty && bridged.isEmpty)
        #expect(!shard.books[0].isShown && shard.refusal(of: 0, news) != nil)
        #expect(shard.books[0].book.lastUpdateID == held)
        shard.judge(isLate: false, news)
        #expect(passed.isEmpty && bridged.isEmpty && !shard.books[0].isShown)
        #expect(shard.poll(service, limit: 0, news) > 0)
        #expect(passed.isEmpty && bridged == [UpdateID(held.value + 1)])
        #expect(shard.books[0].isShown && shard.refusal(of: 0, news) == nil)
        #expect(shard.books[0].book.lastUpdateID == shard.mark(of: 0)?.lastUpdateID)
        poll { passed.count > 3 }
        #expect(bridged.count == 1)
        stack.drive { shard.leave(service) }
    }

    /// The books of a shard that was late go on one by one, in the time there is for it; those that still
    /// wait are bridged neither by a request nor by an update.
    @Test func booksGoOnOneByOne() throws {
        let stack = try stack(symbolCount: 12) { _ in }
        defer { stack.stop() }
        let service = stack.service
        let shard = try ServedShard(
            0, of: service, ringBytes: 1 << 20, passesGaps: false, wake: WakeSwitch())
        let count = shard.books.count
        var bridged: [Int] = []
        let news = ShardNews(
            passed: { _, _ in }, gap: { _, _ in }, bridged: { bridged.append($0) }, resumed: { _ in },
            broken: { _ in }, judged: { _ in })
        func poll(until condition: () -> Bool) {
            stack.drive {
                _ = shard.poll(service, limit: 1_024, news)
                return condition()
            }
        }
        poll { shard.books.allSatisfy(\.isShown) }
        shard.judge(isLate: true, news)
        let held = shard.books.map { $0.book.lastUpdateID }
        poll {
            (0..<count).allSatisfy { slot in
                let mark = shard.mark(of: slot)
                return mark?.state == .live && mark!.lastUpdateID.value > held[slot].value + 20
            }
        }
        bridged = []
        shard.judge(isLate: false, news)
        for slot in 0..<count { #expect(shard.refusal(of: slot, news) != nil && shard.holds(slot)) }
        #expect(bridged.isEmpty)
        for done in 1...count {
            _ = shard.poll(service, limit: 0, endNs: 0, news)
            #expect(bridged == Array(0..<done))
            #expect(shard.refusal(of: done - 1, news) == nil)
            if done < count { #expect(shard.refusal(of: done, news) != nil) }
        }
        #expect(!shard.holds(count - 1))
        stack.drive { shard.leave(service) }
    }

    /// By the literal rule of the futures' page a first update has U <= lastUpdateId <= u. Whoever joins
    /// before there is a book, or while it may not be shown, gets an update without levels that ends at the
    /// id of the next answer; what follows continues it.
    @Test func joinsAreAnchored() throws {
        let server = try DrivenServer(.usdm)
        defer { server.stop() }
        let path = "/public/ws/sim0usdt@depth@100ms"
        let early = try server.stack.listen(path, port: server.machine.port)
        server.stack.drive("open") { early.isOpen }
        #expect(server.machine.book(0).state == .empty && early.texts.isEmpty)
        server.drive("updates") { early.texts.count > 3 }
        try expectAnchor(early)
        server.machine.book(0).pause()
        let id = server.machine.book(0).ids.last
        let joined = try server.stack.listen(path, port: server.machine.port)
        server.stack.drive("an update at once") { !joined.texts.isEmpty }
        server.drive("updates") { joined.texts.count > 3 }
        #expect(try expectAnchor(joined) == id)
    }

    /// A book that has stood still for a while is told with the present time.
    @Test func anchorsAreOfNow() throws {
        let server = try DrivenServer(.usdm)
        defer { server.stop() }
        server.begin()
        server.machine.book(0).pause()
        let heldUs = server.machine.book(0).eventTimeUs
        let end = ContinuousClock.now + .milliseconds(700)
        server.stack.drive { ContinuousClock.now > end }
        let joined = try server.stack.listen("/public/ws/sim0usdt@depth@100ms", port: server.machine.port)
        server.stack.drive("an update at once") { !joined.texts.isEmpty }
        var parser = MessageParser()
        _ = try parser.parse(Array(joined.texts[0].utf8).span, market: .usdm)
        #expect(parser.update.eventTimeUs - heldUs > 500_000 && parser.update.levelCount == 0)
    }

    /// After having been too late, a shard must be well within the limit before its books go on; and a thread
    /// that was held up finds that it is late before it passes anything on.
    @Test func latenessHasTwoLimits() throws {
        let server = try DrivenServer { $0.lagMsMax = 300 }
        defer { server.stop() }
        server.begin()
        let client = server.client("/ws/sim0usdt@depth@100ms")
        server.drive("updates") { client.read().contains("depthUpdate") }
        for (lagMs, isLate, staysLate) in [(100, false, false), (160, false, true), (310, true, true)] {
            let lagNs = Int64(lagMs) * 1_000_000
            #expect(server.machine.isTooLate(lagNs) == isLate, "\(lagMs)")
            #expect(server.machine.isTooLate(lagNs, wasLate: true) == staysLate, "\(lagMs)")
        }
        let lateCount = server.machine.counters.lateCount
        let end = ContinuousClock.now + .milliseconds(600)
        server.stack.drive { ContinuousClock.now > end }
        _ = server.machine.turn(isStopping: false)
        #expect(server.machine.counters.lateCount == lateCount + 1)
        server.drive("a bridge") { server.machine.isShown(0) && server.machine.counters.bridgeCount > 0 }
    }

    /// - Returns: the id of the anchor.
    @discardableResult
    private func expectAnchor(_ listener: Listener) throws -> UpdateID {
        var parser = MessageParser()
        var last: UpdateID?
        for text in listener.texts {
            #expect(try parser.parse(Array(text.utf8).span, market: .usdm) == .depthUpdate)
            let update = UpdateRange(parser.update)
            if let last {
                #expect(update.previousLast == last && update.last > last, "\(text)")
            } else {
                #expect(update.first == update.last && parser.update.levelCount == 0, "\(text)")
                #expect(update.previousLast == UpdateID(update.last.value - 1), "\(text)")
                #expect(parser.update.eventTimeUs > 1_000_000_000_000_000, "\(text)")
            }
            last = update.last
        }
        _ = try parser.parse(Array(listener.texts[0].utf8).span, market: .usdm)
        return parser.update.last
    }

    /// The last summary of a stream whose ids begin anew is not repeated to those who join it afterwards.
    @Test func aBrokenStreamRepeatsNothing() throws {
        let server = try DrivenServer()
        defer { server.stop() }
        server.begin()
        let client = server.client("/ws/sim0usdt@depth@1000ms")
        server.drive("a summary") { client.read().contains("depthUpdate") }
        let topic = try #require(server.machine.topicsOfSymbol[0].first)
        #expect(topic.kind == .summaries && !topic.message.isEmpty)
        server.machine.book(0).forget()
        server.machine.broken(0)
        // The client has not gone yet, so the stream is still there.
        #expect(topic.hasClients && topic.message.isEmpty)
    }
}
