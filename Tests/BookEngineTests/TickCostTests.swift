// What ticks cost when there are many books. Measured in optimised code and printed; only what a disturbed
// machine cannot do by itself is a failure.

import BinanceVenue
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

@Suite(.serialized) struct TickCostTests {
    private static let symbolCount = 512
    private static let levelCount = 1000

    /// 512 books of a thousand levels a side, as they are after a snapshot and one update each.
    private static func market() -> EngineHarness {
        var h = EngineHarness(symbols: (0..<symbolCount).map { "S\($0)USDT" }) {
            $0.provenLevelCountMin = 500
            $0.statusEveryNs = 1_000_000_000
            $0.auditEveryNs = 600_000_000_000
            $0.publication = .conflated
        }
        h.frame(.connected)
        let bids = (0..<levelCount).map { "\(90_000 - $0).0:1.0" }
        let asks = (0..<levelCount).map { "\(90_001 + $0).0:1.0" }
        for index in 0..<symbolCount {
            h.update(8, 9, symbol: "S\(index)USDT")
            h.snapshot(9, bids: bids, asks: asks, symbol: "S\(index)USDT")
        }
        return h
    }

    private static func elapsedNs(_ body: () -> Void) -> Int64 {
        let clock = ContinuousClock()
        let elapsed = clock.measure(body).components
        return elapsed.seconds * 1_000_000_000 + elapsed.attoseconds / 1_000_000_000
    }

    @Test func ticksOfManyBooksAreShort() {
        #if !DEBUG
            var h = Self.market()
            var (ticks, messages, alone) = ([Int64](), [Int64](), [Int64]())
            var id = 9
            for round in 0..<1200 {
                id += 1
                for index in 0..<Self.symbolCount {
                    let body = Array(
                        ("{\"e\":\"depthUpdate\",\"E\":\(1_700_000_000_000 + round * 250),\"s\":\"S\(index)USDT\","
                            + "\"U\":\(id),\"u\":\(id),\"b\":[[\"89990.0\",\"\(id).0\"]],\"a\":[]}").utf8)
                    let ns = Self.elapsedNs { h.frame(.message, body) }
                    if round % 2 == 0 { messages.append(ns) } else { alone.append(ns) }
                }
                h.engine.publish()
                // Every other round has no tick, so that both kinds of messages meet the same machine.
                if round % 2 == 1 { ticks.append(Self.elapsedNs { h.tick(afterNs: 500_000_000) }) }
            }
            func part(_ all: [Int64], _ share: Double) -> Int64 {
                all.sorted()[min(Int(Double(all.count) * share), all.count - 1)]
            }
            // The first ticks give 512 books born in one instant their first look.
            print(
                "512 symbols × 1,000 levels a side: \(ticks.count) ticks, p50 \(part(ticks, 0.5)) ns, "
                    + "p99 \(part(ticks, 0.99)) ns, longest \(part(ticks, 1)) ns, "
                    + "the first four \(ticks.prefix(4)) ns; "
                    + "message p50 behind a tick \(part(messages, 0.5)) ns, behind none \(part(alone, 0.5)) ns"
            )
            #expect(part(ticks, 0.1) < 50_000)
            #expect(h.engine.symbols.allSatisfy { h.engine.status($0)!.state == .live })
        #endif
    }
}
