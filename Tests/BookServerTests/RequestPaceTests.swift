// What an address may ask for in a second.

import BinanceServing
import LobTransport
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct RequestPaceTests {
    private static let name = SymbolName("A")

    /// Costs at a server of 100 symbols.
    @Test func costsOfVenueRequests() {
        let table: [(RestRequest, Int)] = [
            (.ping, 1), (.time, 1), (.bookTicker(Self.name), 1), (.depth(Self.name, limit: nil), 1),
            (.depth(Self.name, limit: 499), 1), (.depth(Self.name, limit: 500), 2),
            (.depth(Self.name, limit: 5_000), 11), (.depth(Self.name, limit: .max), 11),
            (.exchangeInfo([Self.name]), 1), (.exchangeInfo(nil), 5), (.bookTickers(nil), 5),
            (.bookTickers([SymbolName](repeating: Self.name, count: 50)), 3),
        ]
        for (request, cost) in table {
            #expect(
                RequestPace.cost(of: request, ServingRules(.spot), symbolCount: 100) == cost, "\(request)")
        }
        let byDefault = RestRequest.depth(Self.name, limit: nil)
        #expect(RequestPace.cost(of: byDefault, ServingRules(.usdm), symbolCount: 100) == 2)
    }

    /// The same, about a book of 2,600 slots: digest and sums walk through all of it, and the buffers are
    /// looked up for every symbol, so none of these costs as little as a ping.
    @Test func costsOfOwnRequests() {
        let table: [(APIRequest, Int)] = [
            (.health, 1), (.ready, 1), (.document, 1), (.buffers, 5), (.planner, 1), (.connections, 1),
            (.latency, 1), (.analytics("A", APIRequest.Analysis()), 6), (.stream(nil, intervalMs: 100), 1),
            (.book("A", levelCountMax: 20), 6), (.book("A", levelCountMax: 5_000), 16),
            (.books(["A"]), 1), (.books(nil), 5), (.metrics, 21), (.history(HistoryQuery(list: .gaps)), 10),
        ]
        for (request, cost) in table {
            #expect(RequestPace.cost(of: request, symbolCount: 100, slotCount: 2_600) == cost, "\(request)")
        }
    }

    /// However often health is asked for, the books are counted ten times a second.
    @Test func healthIsCountedNowAndThen() {
        var health = Health()
        var counted: [UInt64] = []
        for ms in 0..<1_000 as Range<UInt64> {
            let numbers = health.numbers(nowNs: ms * 1_000_000) {
                counted.append(ms)
                return Health.Numbers(live: counted.count)
            }
            #expect(numbers.live == counted.count)
        }
        #expect(counted == Array(stride(from: 0, to: 1_000, by: 100)))
    }

    @Test func aSecondIsUsedUp() {
        var pace = RequestPace()
        let admits = { (address: String, ns: UInt64) in pace.admits(address, nowNs: ns, most: 10) }
        for _ in 0..<4 { #expect(admits("a", 0)) }
        pace.charge("a", 5)
        #expect(admits("a", 999_999_999), "the tenth")
        #expect(!admits("a", 999_999_999) && admits("b", 999_999_999))
        #expect(admits("a", 1_000_000_000), "the next second")
        pace.charge("a", 1_000)
        #expect(!admits("a", 1_000_000_000))
        #expect(admits("a", 2_000_000_000))
    }
}

extension ServerTests {
    /// What costs more leaves room for less.
    @Test(arguments: ["/api/v3/depth?symbol=SIM0USDT&limit=5000", "/v1/books/SIM0USDT?limit=5000"])
    func costlyRequestsUseUpThePace(_ target: String) throws {
        let stack = try stack { $0.requestsPerSecondMax = 12 }
        defer { stack.stop() }
        // Of a second that has just begun three requests use up all; another may begin amid them.
        stack.drive("a refusal") {
            let second = LoopClock.monotonicNs / 1_000_000_000
            while LoopClock.monotonicNs / 1_000_000_000 == second { stack.loop.turn(waitAtMostNs: 1_000_000) }
            let statuses = [target, "/api/v3/ping", "/api/v3/ping"].map { try? stack.get($0).status }
            return statuses.first == 200 && statuses.last == 429
        }
    }
}
