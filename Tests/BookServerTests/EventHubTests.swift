// What the event stream looks at, without sockets.

import DepthBook
import MarketData
import Testing

@testable import BookServer

@Suite struct EventHubTests {
    private static let symbols: [SymbolName] = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"]
    private static let second: UInt64 = 1_000_000_000

    private func hub() -> EventHub { EventHub(Self.symbols, bootNs: 0, ShareRules(BookServer.Options())) }

    private func look(_ hub: EventHub, _ nowNs: UInt64) -> [Int] {
        var looked: [Int] = []
        hub.turn(nowNs: nowNs, timeMs: 0) { index in
            looked.append(index)
            return EventLog.Top()
        }
        return looked
    }

    /// Without a client nothing is looked at, and nothing is noted.
    @Test func nobodyListens() {
        let hub = hub()
        for step in 1...100 {
            hub.note(step % 4)
            #expect(look(hub, UInt64(step) * Self.second).isEmpty)
        }
        #expect(!hub.isAwake && hub.log.number == 0)
    }

    /// With one, only what has changed is looked at, each once.
    @Test func onlyChangesAreLookedAt() {
        let hub = hub()
        hub.wake()
        #expect(look(hub, Self.second) == [0, 1, 2, 3], "all of them first")
        #expect(look(hub, 2 * Self.second) == [])
        for index in [2, 1, 2, 2] { hub.note(index) }
        #expect(look(hub, 2 * Self.second + 1_000) == [], "not yet")
        #expect(look(hub, 3 * Self.second) == [2, 1])
        #expect(look(hub, 4 * Self.second) == [])
    }

    /// Some time behind the last client it sleeps; what happens then is lost to whoever comes back.
    @Test func itSleepsBehindTheLastClient() {
        let hub = hub()
        hub.wake()
        _ = look(hub, Self.second)
        let before = hub.log.number
        hub.note(3)
        #expect(look(hub, 2 * EventHub.keptNs) == [] && !hub.isAwake)
        hub.note(1)
        hub.wake()
        #expect(look(hub, 2 * EventHub.keptNs + Self.second) == [0, 1, 2, 3])
        var log = hub.log
        let text = String(decoding: log.events(after: before, boot: "x") { _ in true }, as: UTF8.self)
        #expect(text.hasPrefix("event: lost\n"))
    }

    /// Rates are those of the last whole window, also of a book that has fallen silent.
    @Test func ratesOfAWindow() {
        var rates = UpdateRates(count: 2, nowNs: 100)
        let at = { (seconds: Double) in 100 + UInt64(seconds * 1e9) }
        for step in 0..<5 { rates.note(0, nowNs: at(Double(step) * 0.1)) }
        #expect(rates.text(0, nowNs: at(1.9)) == nil, "no window is whole")
        #expect(rates.text(0, nowNs: at(2.1)) == "2.5" && rates.text(1, nowNs: at(2.1)) == "0.0")
        rates.note(0, nowNs: at(2.2))
        #expect(rates.text(0, nowNs: at(2.3)) == "2.5", "the window before")
        #expect(rates.text(0, nowNs: at(4)) == "0.5" && rates.text(0, nowNs: at(6)) == "0.0")
        rates.note(0, nowNs: at(9))
        #expect(rates.text(0, nowNs: at(9)) == "0.0")
    }
}
