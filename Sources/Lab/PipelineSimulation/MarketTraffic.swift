// A venue of thousands of symbols that costs next to nothing and still tells the truth: the book of a symbol
// at any id is a formula, so no book is kept, and a snapshot at an id is exact.
//
// Prices are whole ticks. At id `u` the bids are all prices up to `centre(u)`, the asks all prices above it;
// the centre climbs one tick every `idsPerTick` ids, so the asks of a snapshot are consumed one by one, as in
// a moving market. Update `u` touches every `stride`-th price around the centre: those congruent to `u`.
// Hence the update that last touched a price is found by division, and the quantity at a price is a hash of
// the two.
//
// Both sides are infinite, so a snapshot never shows a whole side.
//
// Worst case: O(levels written).

import BinanceVenue
import MarketData

/// How much traffic a symbol of a market run has.
package struct MarketTraffic: Hashable, Sendable {
    /// Levels in one depth update.
    package var levelCount: Int
    /// Steps of 100 ms between two times at which it has updates.
    package var everySteps: Int
    /// Depth updates each time.
    package var updatesAtOnce: Int
    /// Ids between two price moves of one tick.
    package var idsPerTick: Int64

    /// Traffic with these numbers.
    package init(levelCount: Int, everySteps: Int, updatesAtOnce: Int = 1, idsPerTick: Int64) {
        self.levelCount = levelCount
        self.everySteps = everySteps
        self.updatesAtOnce = updatesAtOnce
        self.idsPerTick = idsPerTick
    }

    /// 1.2 kB every 100 ms, one tick in five seconds.
    package static let busy = MarketTraffic(levelCount: 30, everySteps: 1, idsPerTick: 50)
    /// 0.5 kB every 500 ms, one tick in a minute.
    package static let quiet = MarketTraffic(levelCount: 9, everySteps: 5, idsPerTick: 120)
}

/// One symbol of the venue.
struct MarketSymbol {
    static let stride: Int64 = 16
    static let firstCentre: Int64 = 1_000_000
    static let scales = SymbolScales(priceDecimals: 8, quantityDecimals: 8)
    private static let tick: Int64 = 1_000_000

    let name: SymbolName
    let stream: String
    let traffic: MarketTraffic
    /// Id of the last update.
    private(set) var id: Int64 = 1
    /// How far from the centre prices are touched.
    private let reach: Int64

    init(_ name: SymbolName, _ traffic: MarketTraffic) {
        self.name = name
        self.traffic = traffic
        stream = "\(name)".lowercased() + "@depth@100ms"
        reach = Int64(traffic.levelCount) * MarketSymbol.stride / 2
    }

    /// Makes the next update.
    mutating func advance(_ update: inout DepthUpdate, timeUs: Int64) {
        id += 1
        update.reset()
        update.symbol = name
        (update.first, update.last) = (UpdateID(id), UpdateID(id))
        update.previousLast = UpdateID(id - 1)
        (update.eventTimeUs, update.transactionTimeUs) = (timeUs, timeUs)
        update.scales = MarketSymbol.scales
        let centre = centre(id)
        var price = centre + reach
        price -= MarketSymbol.remainder(price - id)
        let hasMoved = self.centre(id - 1) != centre
        if hasMoved { _ = update.asks.append(level(centre, 0)) }
        while price > centre {
            _ = update.asks.append(level(price, quantity(price)))
            price -= MarketSymbol.stride
        }
        if hasMoved && price != centre { _ = update.bids.append(level(centre, quantity(centre))) }
        while price > centre - reach {
            _ = update.bids.append(level(price, quantity(price)))
            price -= MarketSymbol.stride
        }
    }

    /// The best levels of both sides now.
    func show(_ levelCount: Int, in snapshot: inout DepthSnapshot, timeUs: Int64) {
        snapshot.reset()
        snapshot.symbol = name
        snapshot.lastUpdateID = UpdateID(id)
        (snapshot.eventTimeUs, snapshot.transactionTimeUs) = (timeUs, timeUs)
        snapshot.scales = MarketSymbol.scales
        let centre = centre(id)
        for offset in 0..<Int64(levelCount) {
            _ = snapshot.bids.append(level(centre - offset, quantity(centre - offset)))
            _ = snapshot.asks.append(level(centre + 1 + offset, quantity(centre + 1 + offset)))
        }
    }

    private func centre(_ id: Int64) -> Int64 { MarketSymbol.firstCentre + id / traffic.idsPerTick }

    private func level(_ price: Int64, _ quantity: Int64) -> PriceLevel {
        PriceLevel(price * MarketSymbol.tick, quantity)
    }

    /// The quantity at a price now.
    private func quantity(_ price: Int64) -> Int64 {
        let touchedBy = lastTouch(price)
        var z = UInt64(bitPattern: price &* 0x9E37_79B9 &+ touchedBy)
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return Int64(z &>> 32) + 1
    }

    /// The last update that touched a price; 0 if none did.
    private func lastTouch(_ price: Int64) -> Int64 {
        let last = id - MarketSymbol.remainder(id - price)
        if last <= 1 || price > centre(last) + reach { return 0 }
        if price > centre(last) - reach { return last }
        // The centre has moved past it: the last congruent update while it was still near.
        let end = (price + reach - MarketSymbol.firstCentre) * traffic.idsPerTick - 1
        let earlier = end - MarketSymbol.remainder(end - price)
        return earlier <= 1 ? 0 : earlier
    }

    private static func remainder(_ value: Int64) -> Int64 {
        let remainder = value % stride
        return remainder < 0 ? remainder + stride : remainder
    }
}
