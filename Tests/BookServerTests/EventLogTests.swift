// The event stream without sockets.

import DepthBook
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct EventLogTests {
    private static let symbols: [SymbolName] = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    private static let scales = SymbolScales(priceDecimals: 2, quantityDecimals: 1)

    private func top(_ price: Int64?, _ state: BookState = .live, _ reason: StaleReason = .none)
        -> EventLog.Top
    {
        var top = EventLog.Top()
        top.standing = Standing(state: state, reason: reason.word, isServed: state == .live)
        (top.updateID, top.scales) = (UpdateID(7), Self.scales)
        top.best = BestLevels(bid: price.map { PriceLevel($0, 15) }, ask: nil)
        return top
    }

    private func text(_ log: inout EventLog, after cursor: UInt64?) -> String {
        String(decoding: log.events(after: cursor, boot: "x") { _ in true }, as: UTF8.self)
    }

    @Test func aTopIsToldOnceAndCarriesTheNumber() {
        var log = EventLog(Array(Self.symbols.prefix(1)))
        log.show(0, top(100), timeMs: 5)
        let first = text(&log, after: nil)
        #expect(
            first == """
                event: top
                data: {"symbol":"AUSDT","state":"live","reason":null,"isServed":true,"lastUpdateId":7,\
                "bid":{"price":"1.00","quantity":"1.5"},"ask":null}
                id: x-1


                """)
        #expect(text(&log, after: 1) == "")
        var later = top(100)
        later.updateID = UpdateID(8)
        log.show(0, later, timeMs: 6)
        #expect(text(&log, after: 1) == "", "the update id alone is no news")
        #expect(EventLog.cursor(of: "x-1", boot: "x") == 1 && EventLog.cursor(of: "y-1", boot: "x") == nil)
        #expect(EventLog.cursor(of: "x-", boot: "x") == nil && EventLog.cursor(of: "", boot: "x") == nil)
    }

    @Test func changesOfStateAreToldOneByOne() {
        var log = EventLog(Array(Self.symbols.prefix(1)))
        log.show(0, top(100), timeMs: 5)
        log.show(0, top(100, .stale, .gap), timeMs: 6)
        log.show(0, top(101), timeMs: 7)
        let events = text(&log, after: 1).split(separator: "\n\n").map(String.init)
        #expect(events.count == 3)
        #expect(events[0].contains(#""state":"stale","reason":"gap","before":"live","timeMs":6"#))
        #expect(events[1].contains(#""state":"live","reason":null,"before":"stale","timeMs":7"#))
        #expect(events[2].hasPrefix("event: top") && events[2].contains("id: x-3"))
    }

    /// Prices of a book that may not be shown do not appear, whatever it holds.
    @Test func aBookThatIsNotServedShowsNoPrice() {
        var log = EventLog(Array(Self.symbols.prefix(1)))
        log.show(0, top(100, .stale, .silent), timeMs: 5)
        #expect(text(&log, after: nil).contains(#""bid":null,"ask":null"#))
    }

    @Test func whoWasAwayForTooLongIsTold() {
        var log = EventLog(Array(Self.symbols.prefix(1)))
        for round in 0..<(EventLog.changeCountMax + 2) {
            log.show(0, round % 2 == 0 ? top(100) : top(100, .stale, .gap), timeMs: Int64(round))
        }
        #expect(text(&log, after: 1).hasPrefix("event: lost\n"))
        let recent = log.number - UInt64(EventLog.changeCountMax)
        #expect(!text(&log, after: recent).contains("event: lost"))
        #expect(!text(&log, after: nil).contains("event: state"), "a new client gets no history")
    }

    /// Who follows a quiet symbol has missed nothing, however much others change.
    @Test func lossesOfOthersAreNoLosses() {
        var log = EventLog(Array(Self.symbols.prefix(2)))
        log.show(0, top(100), timeMs: 0)
        log.show(1, top(100), timeMs: 0)
        for round in 0..<(EventLog.changeCountMax + 2) {
            log.show(1, round % 2 == 0 ? top(100, .stale, .gap) : top(100), timeMs: Int64(round))
        }
        let events = { (index: Int) in
            String(decoding: log.events(after: 2, boot: "x") { $0 == index }, as: UTF8.self)
        }
        #expect(events(0) == "")
        #expect(events(1).hasPrefix("event: lost\n"))
    }

    /// Clients that come, go and come back with the number they had end with what everybody has.
    @Test(arguments: [1, 2, 3] as [UInt64]) func clientsEndWithTheSameTops(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var log = EventLog(Self.symbols)
        var shown = [EventLog.Top](repeating: EventLog.Top(), count: Self.symbols.count)
        var clients = (0..<3).map { _ in (cursor: UInt64?.none, tops: [String: String](), changes: 0) }
        var changeCount = 0
        for index in Self.symbols.indices { log.show(index, shown[index], timeMs: 0) }
        for step in 0..<600 {
            let index = random.below(Self.symbols.count)
            let states: [(BookState, StaleReason)] = [(.live, .none), (.live, .none), (.stale, .gap)]
            let (state, reason) = states[random.below(3)]
            let next = top(Int64(random.below(5)) + 1, state, reason)
            if next.standing.state != shown[index].standing.state { changeCount += 1 }
            shown[index] = next
            log.show(index, next, timeMs: Int64(step))
            for place in clients.indices where random.chance(0.15) || step == 599 {
                let text = text(&log, after: clients[place].cursor)
                for event in text.split(separator: "\n\n") {
                    let lines = event.split(separator: "\n").map(String.init)
                    if lines[0] == "event: state" { clients[place].changes += 1 }
                    if lines[0] == "event: top" {
                        clients[place].tops[String(lines[1].split(separator: "\"")[3])] = lines[1]
                    }
                    if let id = lines.first(where: { $0.hasPrefix("id: ") }) {
                        clients[place].cursor = EventLog.cursor(of: String(id.dropFirst(4)), boot: "x")
                    }
                }
            }
        }
        for client in clients {
            #expect(client.tops == clients[0].tops && client.tops.count == Self.symbols.count)
            #expect(client.changes <= changeCount && client.changes > 0)
        }
    }
}
