// When a busy connection that says nothing is doubted; and whose messages a full ring lost.

import LobTransport
import MarketData
import Testing

@testable import DepthFeed

@Suite struct BusySilenceTests {
    /// A watch that is looked at every quarter of a second.
    private struct Run {
        var watch: BusyWatch
        var nowMs: Int64 = 1_000_000
        var messages = 0
        var heard = 0

        init(_ adjust: (inout BusySilence) -> Void = { _ in }) {
            var limits = BusySilence()
            adjust(&limits)
            watch = BusyWatch(limits, nowMs: nowMs)
        }

        /// Messages at this rate; what was done.
        mutating func hear(perSecond: Double, forMs: Int64) -> [BusyWatch.Action] {
            var actions: [BusyWatch.Action] = []
            var due = 0.0
            for _ in 0..<forMs / 250 {
                nowMs += 250
                due += perSecond / 4
                messages += Int(due)
                heard += Int(due)
                due -= due.rounded(.down)
                if let action = watch.look(heard: heard, messages: messages, nowMs: nowMs) {
                    actions.append(action)
                }
            }
            return actions
        }

        /// Nothing for a while: what was done, with its time in ms from here.
        mutating func beSilent(forMs: Int64) -> [String] {
            let beginMs = nowMs
            var actions: [String] = []
            while nowMs < beginMs + forMs {
                nowMs += 250
                if let action = watch.look(heard: heard, messages: messages, nowMs: nowMs) {
                    actions.append("\(action) \(nowMs - beginMs)")
                }
            }
            return actions
        }
    }

    @Test(arguments: [6.0, 20, 1_000, 50_000]) func busyAndThenSilent(_ perSecond: Double) {
        var run = Run()
        #expect(run.hear(perSecond: perSecond, forMs: 20_000).isEmpty)
        #expect(run.beSilent(forMs: 60_000) == ["ping 1000", "replace 3000", "giveUp 9000"])
    }

    /// A pong, or anything else, and all is well; silence after that begins anew.
    @Test func aPongComes() {
        var run = Run()
        _ = run.hear(perSecond: 100, forMs: 20_000)
        #expect(run.beSilent(forMs: 1_500) == ["ping 1000"])
        run.heard += 1
        #expect(run.beSilent(forMs: 1_000).isEmpty)
        #expect(run.beSilent(forMs: 2_500) == ["ping 250", "replace 2250"])
    }

    /// Pings are answered, and nothing else comes: replaced once, until messages come again.
    @Test(arguments: [6.0, 100]) func onlyPongsCome(_ perSecond: Double) {
        var run = Run()
        for _ in 0..<2 {
            #expect(run.hear(perSecond: perSecond, forMs: 120_000).isEmpty)
            var actions: [String] = []
            for second in 1...100 {
                actions += run.beSilent(forMs: 1_000).map { "\(second): \($0)" }
                run.heard += 1
            }
            #expect(actions.filter { $0.contains("replace") } == ["10: replace 1000"])
            #expect(!actions.contains { $0.contains("giveUp") })
        }
    }

    /// A market that rests now and then, however busy between, is not replaced for that.
    @Test func aRestIsNotEmptiness() {
        var run = Run()
        for _ in 0..<10 {
            var actions = run.hear(perSecond: 50, forMs: 20_000).map { "\($0)" }
            for _ in 0..<20 {
                actions += run.beSilent(forMs: 1_000)
                run.heard += 1
            }
            #expect(!actions.contains { $0.hasPrefix("replace") }, "\(actions)")
        }
    }

    /// A quiet market is silent for long; its connection is left to the socket's own watch.
    @Test(arguments: [0.0, 0.1, 0.5, 1.5]) func quietMarkets(_ perSecond: Double) {
        var run = Run()
        #expect(run.hear(perSecond: perSecond, forMs: 120_000).isEmpty)
        #expect(run.beSilent(forMs: 600_000).isEmpty)
    }

    /// Bursts with long pauses are no steady traffic.
    @Test func bursts() {
        var run = Run()
        for _ in 0..<50 {
            #expect(run.hear(perSecond: 20, forMs: 250).isEmpty)
            #expect(run.beSilent(forMs: 4_000).isEmpty)
        }
    }

    /// This process stood still itself: a ping comes first, and time for an answer.
    @Test func theProcessStoodStill() {
        var run = Run()
        _ = run.hear(perSecond: 100, forMs: 20_000)
        run.nowMs += 60_000
        #expect(run.watch.look(heard: run.heard, messages: run.messages, nowMs: run.nowMs) == .ping)
        #expect(run.beSilent(forMs: 1_750).isEmpty)
        #expect(run.hear(perSecond: 100, forMs: 1_000).isEmpty)
    }

    @Test func switchedOff() {
        var run = Run { $0.pingAfterMs = .max }
        _ = run.hear(perSecond: 100, forMs: 20_000)
        #expect(run.beSilent(forMs: 600_000).isEmpty)
    }

    // MARK: - Names of lost messages

    @Test(arguments: [
        (#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate"}}"#, "BTCUSDT"),
        (#"{"e":"depthUpdate","E":1700000000000,"s":"ETHUSDT","U":1}"#, "ETHUSDT"),
        (#"{"stream":"币安人生usdt@bookTicker","data":{}}"#, "币安人生USDT"), (#"{"stream":"btc"#, nil),
        (#"{"stream":"@depth"}"#, nil), ("", nil), ("{", nil), (#"{"result":null,"id":1}"#, nil),
        (#"{"u":400900217,"s":"BNBUSDT","b":"25.3"}"#, "BNBUSDT"),
    ]) func names(_ text: String, _ wanted: String?) {
        let bytes = Array(text.utf8)
        let symbol = DroppedNames.symbol(in: bytes.span)
        #expect((symbol.map { "\($0)" } ?? "") == (wanted ?? ""))
    }

    @Test func namesAreFew() {
        var names = DroppedNames()
        for number in 0..<100 {
            names.add(SymbolName("S\(number % 50)"))
            names.add(nil)
        }
        #expect(names.take() == (0..<8).map { SymbolName("S\($0)")! })
        #expect(names.take().isEmpty)
    }
}
