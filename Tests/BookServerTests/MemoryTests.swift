// Bytes that a symbol takes, counted by the allocator and not by the system.

import BinanceVenue
import BookEngine
import DepthBook
import MarketData
import TestSupport
import Testing

@testable import BookServer

@Suite struct MemoryTests {
    private static let symbolCount = 20
    private static let levelCount = 1_000

    private final class Holder {
        var replica: ReplicaEngine

        init(_ configuration: EngineConfiguration) { replica = ReplicaEngine(configuration) }
    }

    private static func snapshot() -> DepthSnapshot {
        var snapshot = DepthSnapshot()
        snapshot.lastUpdateID = UpdateID(1)
        snapshot.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        for level in 0..<levelCount {
            snapshot.bids.append(PriceLevel(Int64(100_000 - level), 5))
            snapshot.asks.append(PriceLevel(Int64(100_001 + level), 5))
        }
        return snapshot
    }

    /// What one symbol of so many keeps; nil where the allocator does not count.
    private static func bytesEach<T>(_ make: (Int) -> T) -> Int64? {
        var made: [T] = []
        made.reserveCapacity(symbolCount)
        let kept = keptBytes { for index in 0..<symbolCount { made.append(make(index)) } }
        return withExtendedLifetime(made) { kept.map { $0 / Int64(symbolCount) } }
    }

    private static func name(_ index: Int) -> SymbolName { SymbolName("MEM\(index)USDT")! }

    /// Both sides of the bound: books of a thousand levels a side, and books that are still empty.
    @Test func bytesOfASymbol() {
        let snapshot = Self.snapshot()
        var source = OrderBook()
        source.load(snapshot, limit: Self.levelCount)
        let full = Self.bytesEach { index in
            let served = ServedBook(Self.name(index), isLinked: false, levelCountMax: 10_000)
            #expect(served.resume(source) == .began)
            return served
        }
        let empty = Self.bytesEach { ServedBook(Self.name($0), isLinked: false, levelCountMax: 10_000) }
        var configuration = EngineConfiguration(rules: Market.spot.rules)
        configuration.requestsAreAnnounced = true
        let holder = Holder(configuration)
        let replica = keptBytes {
            for index in 0..<Self.symbolCount { holder.replica.addSymbol(Self.name(index)) }
        }
        guard let full, let empty, let replica else { return }
        #expect(full < 180_000 && empty < 56_000, "\(full) \(empty)")
        #expect(replica / Int64(Self.symbolCount) < 64_000, "\(replica)")
    }

    /// The taps of all shards together are bounded, however large the rings are.
    @Test(
        arguments: [
            (1 << 23, 1, 1 << 23), (1 << 27, 1, 1 << 25), (1 << 27, 3, 1 << 23), (1 << 27, 20, 1 << 20),
            (1 << 16, 20, 1 << 16), (1 << 30, 1_000, 1 << 20), (1 << 23, 0, 1 << 23),
        ] as [(Int, Int, Int)])
    func tapsAreBounded(_ own: Int, _ shardCount: Int, _ expected: Int) {
        #expect(BookServer.tapBytes(own, of: shardCount) == expected)
    }
}
