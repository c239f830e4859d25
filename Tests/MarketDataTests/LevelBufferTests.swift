import BinanceVenue
import MarketData
import TestSupport
import Testing

@Suite struct LevelBufferTests {
    @Test func growsAndKeepsItsLevels() {
        var buffer = LevelBuffer(capacity: 1)
        var wanted: [PriceLevel] = []
        for index in 0..<5_000 {
            let level = PriceLevel(Int64(index) * 3, Int64(index) + 1)
            let isTaken = buffer.append(level)
            wanted.append(level)
            let (count, capacity) = (buffer.count, buffer.capacity)
            #expect(isTaken && count == index + 1 && count <= capacity && capacity <= 2 * (index + 1))
        }
        let levels = buffer.array()
        #expect(levels == wanted)
        buffer[17] = PriceLevel(1, 2)
        let changed = buffer[17]
        #expect(changed == PriceLevel(1, 2))
    }

    @Test func emptyingKeepsTheMemory() throws {
        var buffer = LevelBuffer(capacity: 4)
        let levels = (0..<1_000).map { PriceLevel($0, $0) }
        buffer.assign(levels)
        let (base, capacity) = (buffer.base, buffer.capacity)
        for _ in 0..<100 { buffer.assign(levels) }
        let isSame = buffer.base == base && buffer.capacity == capacity
        #expect(isSame)
        buffer.removeAll()
        let rest = buffer.array()
        #expect(rest.isEmpty)
    }

    @Test func reservesUpToItsLimit() {
        var buffer = LevelBuffer(capacity: 0)
        buffer.append(PriceLevel(7, 8))
        let fits = buffer.reserve(LevelBuffer.capacityMax)
        let (capacity, base) = (buffer.capacity, buffer.base)
        #expect(fits && capacity == LevelBuffer.capacityMax)
        let exceeds = buffer.reserve(LevelBuffer.capacityMax + 1)
        let isUnchanged = buffer.base == base && buffer.capacity == capacity
        #expect(!exceeds && isUnchanged)
        buffer.noteWritten(LevelBuffer.capacityMax - 1)
        let isTaken = buffer.append(PriceLevel(1, 1))
        let (count, first) = (buffer.count, buffer[0])
        #expect(!isTaken && count == LevelBuffer.capacityMax && first == PriceLevel(7, 8))
    }

    /// Kernels may write `slack` levels behind the capacity; under the address sanitizer this proves the
    /// room.
    @Test func theSlackBelongsToTheBuffer() {
        var buffer = LevelBuffer(capacity: 3)
        for round in 0..<3 {
            let capacity = buffer.capacity
            for index in 0..<LevelBuffer.slack { buffer.base[capacity + index] = PriceLevel(-1, -1) }
            let grows = buffer.reserve(capacity + 1)
            #expect(grows, "round \(round)")
        }
    }

    @Test func updatesForgetEverything() {
        var update = DepthUpdate(levelCapacity: 2)
        update.symbol = SymbolName("BTCUSDT")
        (update.first, update.last, update.previousLast) = (UpdateID(1), UpdateID(2), UpdateID(0))
        (update.eventTimeUs, update.transactionTimeUs) = (3, 4)
        update.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 2)
        update.bids.assign([PriceLevel(1, 1)])
        update.asks.assign([PriceLevel(2, 1), PriceLevel(3, 1)])
        let levelCount = update.levelCount
        #expect(levelCount == 3)
        update.reset()
        let areIDsGone =
            update.symbol.isEmpty && update.first == UpdateID(0) && update.last == UpdateID(0)
            && update.previousLast == nil
        let isRestGone =
            update.eventTimeUs == 0 && update.transactionTimeUs == 0 && update.scales == nil
            && update.levelCount == 0
        #expect(areIDsGone && isRestGone)
    }

    @Test func snapshotsForgetEverything() {
        var snapshot = DepthSnapshot(levelCapacity: 2)
        snapshot.symbol = SymbolName("BTCUSDT")
        (snapshot.lastUpdateID, snapshot.eventTimeUs, snapshot.transactionTimeUs) = (UpdateID(9), 1, 2)
        snapshot.scales = SymbolScales(priceDecimals: 1, quantityDecimals: 2)
        snapshot.bids.assign([PriceLevel(1, 1)])
        snapshot.asks.assign([PriceLevel(2, 1)])
        snapshot.reset()
        let isHeadGone =
            snapshot.symbol.isEmpty && snapshot.lastUpdateID == UpdateID(0) && snapshot.eventTimeUs == 0
            && snapshot.transactionTimeUs == 0
        let isRestGone = snapshot.scales == nil && snapshot.bids.count == 0 && snapshot.asks.count == 0
        #expect(isHeadGone && isRestGone)
    }

    @Test func markets() {
        for market in Market.allCases { #expect(Market(name: market.name) == market) }
        #expect(Market(name: "Spot") == nil && Market(name: "") == nil)
        #expect(Market.allCases.map(\.name) == ["spot", "usdm", "coinm"])
    }

    @Test func betterIsHigherForBidsAndLowerForAsks() {
        #expect(Side.bid.isBetter(Price(2), than: Price(1)) && !Side.bid.isBetter(Price(1), than: Price(2)))
        #expect(Side.ask.isBetter(Price(1), than: Price(2)) && !Side.ask.isBetter(Price(2), than: Price(1)))
        for side in Side.allCases {
            #expect(!side.isBetter(Price(1), than: Price(1)) && side.opposite.opposite == side)
        }
    }
}
