// Requests that nobody takes: bounded, and with what is left the owner knows as much as with all of them.

import FeedPlan
import MarketData
import TestSupport
import Testing

@testable import BookEngine

/// What an owner makes of requests.
private struct Wanted: Hashable {
    /// With the urgency of the most urgent and the attempts of the last.
    var asks: [SymbolName: EngineRequest] = [:]
    /// Symbols of which an answer to what was sent before must not be handed over.
    var isVoid: Set<SymbolName> = []
    var resubscribes: Set<SymbolName> = []

    init(_ requests: [EngineRequest]) {
        for request in requests {
            switch request {
            case .ask(let symbol, let priority, let attempt):
                var urgent = priority
                if case .ask(_, let earlier, _) = asks[symbol] { urgent = min(urgent, earlier) }
                asks[symbol] = .ask(symbol, urgent, attempt: attempt)
            case .cancel(let symbol):
                asks[symbol] = nil
                isVoid.insert(symbol)
            case .resubscribe(let symbol): resubscribes.insert(symbol)
            }
        }
    }
}

@Suite struct PendingRequestsTests {
    @Test(arguments: 0..<8 as Range<UInt64>) func whatIsReplacedIsForgotten(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let symbols = (0..<(1 + 150 * seed)).map { SymbolName("S\($0)USDT")! }
        var pending = PendingRequests()
        var all: [EngineRequest] = []
        for number in 0..<20_000 {
            let symbol = symbols[Int(random.next() % UInt64(symbols.count))]
            let request: EngineRequest =
                switch random.next() % 4 {
                case 0: .cancel(symbol)
                case 1: .resubscribe(symbol)
                default: .ask(symbol, SnapshotPriority.allCases[number % 6], attempt: number)
                }
            pending.append(request)
            all.append(request)
            #expect(pending.all.count <= max(PendingRequests.roomMin, 6 * symbols.count) + 1)
        }
        #expect(Wanted(pending.all) == Wanted(all))
        pending.removeAll()
        #expect(pending.all.isEmpty)
    }

    /// Nobody takes them, and every update has a hole before it.
    @Test func anOwnerWhoTakesNothing() {
        var h = EngineHarness()
        h.frame(.connected)
        for id in 1...3_000 {
            h.update(10 * id, 10 * id)
            h.snapshot(10 * id, bids: ["9.0:1.0"], asks: ["10.0:1.0"])
        }
        #expect(h.requests().count <= PendingRequests.roomMin)
    }
}
