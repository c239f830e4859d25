// Books over books: clients of the server, and services whose venue it is, while the venue above misbehaves.

import BinanceVenue
import BookService
import DepthBook
import LobTransport
import MarketData
import SimulatedExchange
import TestSupport
import Testing
import VenueSupport

@testable import BookServer

/// A client over sockets that checks nothing: REST once, then whatever comes.
private final class CarelessClient {
    let symbol: SymbolName
    private let listener: Listener
    private var parser = MessageParser()
    private let market: Market
    private var taken = 0
    private(set) var book = NaiveOrderBook()
    private(set) var lastID = UpdateID(0)
    private(set) var scales: SymbolScales?
    private(set) var unchainedCount = 0
    private var ranges = (bids: ProvenRange.nothing, asks: ProvenRange.nothing)

    init(_ stack: Stack, _ symbol: SymbolName, every interval: String = "100ms") throws {
        (self.symbol, market) = (symbol, stack.venue.setup.market)
        listener = try stack.listen("/ws/\(symbol.lowercasedASCII)@depth@\(interval)")
        stack.drive("an update") { [listener] in !listener.texts.isEmpty }
        let answer = try stack.depth(symbol)
        try parser.parseSnapshot(answer.body.span)
        book.apply(bids: parser.snapshot.bids.array(), asks: parser.snapshot.asks.array())
        (lastID, scales) = (parser.snapshot.lastUpdateID, parser.snapshot.scales)
        let limit = answer.headers["x-lob-depth-limit"].flatMap { Int($0) } ?? 1_000
        let (bids, asks) = (parser.snapshot.bids.array(), parser.snapshot.asks.array())
        ranges.bids = bids.count < limit ? .unbounded : .to(bids[limit - 1].price)
        ranges.asks = asks.count < limit ? .unbounded : .to(asks[limit - 1].price)
    }

    var isOpen: Bool { listener.end == nil }

    /// Applies one message; false if there is none.
    func step() throws -> Bool {
        if taken == listener.texts.count { return false }
        let kind = try parser.parse(Array(listener.texts[taken].utf8).span, market: market)
        taken += 1
        guard kind == .depthUpdate, parser.update.last > lastID else { return true }
        let isChained =
            market == .spot
            ? parser.update.first.value <= lastID.value + 1
            : parser.update.previousLast.map { $0 <= lastID } ?? false
        if !isChained { unchainedCount += 1 }
        book.apply(bids: parser.update.bids.array(), asks: parser.update.asks.array())
        lastID = parser.update.last
        return true
    }

    /// Whether it equals a copy at the same id, as far as both are known.
    func equals(_ copy: FullBook) -> Bool {
        guard copy.status.scales == scales else { return false }
        return Side.allCases.allSatisfy { side in
            let proven = side == .bid ? copy.status.provenBids : copy.status.provenAsks
            let own = side == .bid ? ranges.bids : ranges.asks
            let known = { (levels: [PriceLevel]) in
                levels.filter { proven.reaches($0.price, on: side) && own.reaches($0.price, on: side) }
            }
            return known(book.levels(side)) == known(side == .bid ? copy.bids : copy.asks)
        }
    }
}

/// What strikes between the venue and the service.
private var trouble: FaultPlan {
    var plan = FaultPlan.none
    plan[.lost] = 10_000_000
    plan[.duplicate] = 5_000_000
    plan[.reorder] = 5_000_000
    plan[.cut] = 20_000_000
    return plan
}

extension ServerTests {
    /// Losses, cuts and reordering above; no client below ever sees a hole or a wrong level.
    @Test(arguments: [Market.spot, .usdm]) func carelessClientsHoldOurBooks(_ market: Market) throws {
        let stack = try Stack(market, seed: 7)
        defer { stack.stop() }
        let clients = try stack.symbols.map { try CarelessClient(stack, $0) }
        stack.venue.setFaults(trouble)
        compare(stack, clients, comparisons: 60, bridges: 10)
        #expect(clients.allSatisfy { $0.isOpen && $0.unchainedCount == 0 })
    }

    /// Where holes are passed on, the streams that are summed up here have none all the same.
    @Test func summariesHaveNoHoles() throws {
        var options = BookServer.Options()
        options.passesGaps = true
        let stack = try Stack(.usdm, seed: 7, speed: 3, options: options)
        defer { stack.stop() }
        let raw = try CarelessClient(stack, stack.symbols[0])
        let clients = try stack.symbols.map { try CarelessClient(stack, $0, every: "250ms") }
        var plan = FaultPlan.none
        plan[.lost] = 100_000_000
        stack.venue.setFaults(plan)
        compare(stack, clients, comparisons: 3, bridges: 4)
        #expect(clients.allSatisfy { $0.isOpen && $0.unchainedCount == 0 })
        while try raw.step() {}
        #expect(stack.server.counters.gapCount > 0 && raw.isOpen)
    }

    /// Drives clients until so many of their books have been held against ours at the same id.
    private func compare(_ stack: Stack, _ clients: [CarelessClient], comparisons: Int, bridges: Int) {
        var compared: Set<String> = []
        var sought: [FullBook?] = clients.map { _ in nil }
        stack.drive(forAtMostMs: 60_000, "\(comparisons) comparisons and \(bridges) bridges") {
            for (index, client) in clients.enumerated() {
                if sought[index] == nil {
                    sought[index] = stack.copy(client.symbol, of: stack.service)
                    if sought[index]?.status.state != .live { sought[index] = nil }
                }
                while let copy = sought[index] {
                    if client.lastID > copy.status.lastUpdateID {
                        sought[index] = nil
                    } else if client.lastID == copy.status.lastUpdateID {
                        compared.insert("\(client.symbol) \(client.lastID)")
                        #expect(client.equals(copy), "\(client.symbol) at \(client.lastID)")
                        sought[index] = nil
                    } else if (try? client.step()) != true {
                        break
                    }
                }
                if sought[index] == nil { _ = try? client.step() }
            }
            return compared.count >= comparisons && stack.server.counters.bridgeCount >= bridges
        }
    }

    /// Venue, service, server, service, server, service: equal digests at equal ids.
    @Test(arguments: [Market.spot, .usdm]) func threeDeep(_ market: Market) throws {
        let stack = try Stack(market, seed: 11)
        defer { stack.stop() }
        let second = try BookService(quick(market, port: stack.server.port, stack.symbols))
        defer { _ = second.stop() }
        let secondServer = try BookServer(second)
        defer { secondServer.stop() }
        let third = try BookService(quick(market, port: secondServer.port, stack.symbols))
        defer { _ = third.stop() }
        let isLive = { (service: BookService) in
            stack.symbols.allSatisfy { service.readers(of: $0)?.views.latest(BookView()).state == .live }
        }
        stack.drive("all live") { isLive(second) && isLive(third) }
        stack.venue.setFaults(trouble)
        var seen: [UpdateID: [SymbolName: (depth: Int, book: FullBook)]] = [:]
        var comparisonCount = 0
        stack.drive(forAtMostMs: 90_000, "100 comparisons and 6 bridges") {
            for symbol in stack.symbols {
                for (depth, service) in [stack.service, second, third].enumerated() {
                    guard let copy = stack.copy(symbol, of: service), copy.status.state == .live else {
                        continue
                    }
                    let id = copy.status.lastUpdateID
                    if let other = seen[id]?[symbol] {
                        if other.depth == depth { continue }
                        #expect(isSame(copy, other.book), "\(symbol) at \(id), depth \(depth)")
                        comparisonCount += 1
                    } else {
                        seen[id, default: [:]][symbol] = (depth, copy)
                    }
                }
            }
            return comparisonCount >= 100 && stack.server.counters.bridgeCount >= 6
        }
        stack.venue.setFaults(.none)
        stack.drive("all live at the end") { isLive(second) && isLive(third) }
    }
}

/// Whether two books have the same digest as far as both are proven.
private func isSame(_ a: FullBook, _ b: FullBook) -> Bool {
    let digest = { (book: FullBook) in
        BookDigest.digest(
            bids: book.bids.filter {
                a.status.provenBids.reaches($0.price, on: .bid)
                    && b.status.provenBids.reaches($0.price, on: .bid)
            },
            asks: book.asks.filter {
                a.status.provenAsks.reaches($0.price, on: .ask)
                    && b.status.provenAsks.reaches($0.price, on: .ask)
            })
    }
    return digest(a) == digest(b)
}
