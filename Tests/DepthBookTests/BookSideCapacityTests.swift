// Sides of every kind of capacity, powers of two and three times such, against a dictionary.

import CLobKernels
import MarketData
import TestSupport
import Testing

@testable import DepthBook

@Suite struct BookSideCapacityTests {
    @Test(arguments: [
        (0, 128), (1, 128), (64, 128), (65, 192), (96, 192), (97, 256), (128, 256), (129, 384), (192, 384),
        (193, 512), (1000, 2048), (1025, 3072), (1537, 4096), (5000, 12_288), (6145, 16_384),
        (10_000, 24_576),
    ]) func twoSlotsForEachLevel(_ count: Int, _ capacity: Int) {
        #expect(BookSide.capacity(for: count) == capacity)
    }

    private static func load(_ side: inout BookSide, _ count: Int, _ model: inout [Int64: Int64]) {
        let isBid = side.side == .bid
        let levels = (0..<count).map { place -> PriceLevel in
            let offset = Int64(place) * 10
            return PriceLevel(isBid ? 1_000_000 - offset : 1_000_000 + offset, 5)
        }
        model = Dictionary(uniqueKeysWithValues: levels.map { ($0.price.mantissa, $0.quantity.mantissa) })
        levels.withUnsafeBufferPointer { side.load($0.baseAddress!, count: $0.count) }
    }

    private static func expectEqual(_ side: borrowing BookSide, _ model: [Int64: Int64], _ what: String) {
        var found: [Int64: Int64] = [:]
        var prices: [Int64] = []
        side.forEachLevel {
            found[$0.price.mantissa] = $0.quantity.mantissa
            prices.append($0.price.mantissa)
            return true
        }
        let isBid = side.side == .bid
        let fault = side.storageFault()
        #expect(found == model && prices == prices.sorted { isBid ? $0 > $1 : $0 < $1 }, "\(what)")
        #expect(fault == nil, "\(what)")
        let count = side.count
        #expect(count == model.count, "\(what)")
    }

    /// Loads that make capacities of 192, 384, …, 12,288 slots, and messages anywhere around them until the
    /// side has grown.
    @Test(arguments: [1, 40, 90, 150, 300, 700, 3000, 5500], Side.allCases)
    func changesAfterALoad(_ count: Int, _ sideOf: Side) {
        var side = BookSide(sideOf)
        var model: [Int64: Int64] = [:]
        Self.load(&side, count, &model)
        Self.expectEqual(side, model, "loaded")
        var random = SeededRandom(seed: UInt64(count))
        var buffer = LevelBuffer()
        let span = count * 10 + 400
        for round in 0..<(count > 1000 ? 300 : 120) {
            // Mostly new prices, so that windows of every width are levelled and the side grows.
            let prices = Set((0..<random.below(40) + 1).map { _ in Int64(random.below(span)) }).sorted()
            let levels = prices.map { offset -> PriceLevel in
                let price = sideOf == .bid ? 1_000_200 - offset : 999_800 + offset
                return PriceLevel(price, random.chance(0.25) ? 0 : Int64(random.below(9) + 1))
            }
            for level in levels {
                model[level.price.mantissa] = level.quantity == .zero ? nil : level.quantity.mantissa
            }
            buffer.assign(levels)
            withUnsafeTemporaryAllocation(of: lob_insertion.self, capacity: 64) { scratch in
                side.apply(buffer.base, count: buffer.count, scratch: scratch.baseAddress!)
            }
            if round % 20 == 0 { Self.expectEqual(side, model, "\(count) \(sideOf) round \(round)") }
        }
        Self.expectEqual(side, model, "\(count) \(sideOf) end")
        if count < 1000 {
            let growthCount = side.levelling.growthCount
            #expect(growthCount > 0)
        }
    }

    /// A side that was long gives its memory back with a snapshot that needs a quarter of it, and not before.
    @Test func aShortSnapshotShrinksALongSide() {
        var side = BookSide(.ask)
        var model: [Int64: Int64] = [:]
        Self.load(&side, 5000, &model)
        var capacity = side.capacity
        #expect(capacity == 12_288)
        Self.load(&side, 2000, &model)
        capacity = side.capacity
        #expect(capacity == 12_288)
        Self.expectEqual(side, model, "kept")
        Self.load(&side, 60, &model)
        capacity = side.capacity
        #expect(capacity == 128)
        Self.expectEqual(side, model, "shrunk")
    }
}
