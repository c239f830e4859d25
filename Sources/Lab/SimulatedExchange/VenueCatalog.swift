// Symbols for a venue that people look at: familiar names at plausible prices, each with the traffic of the
// captured symbol that it resembles.
//
// Distances in a profile are ticks, so they are scaled for a symbol with another price: a move of one per
// mille remains one. Quantities are scaled inversely to the price, so that the value of a level stays the
// same.

import BinanceVenue
import MarketData

/// The symbols of a venue by name or number.
package enum VenueCatalog {
    /// A familiar symbol, with numbers as text, in the decimals that the venue prints.
    private struct Entry {
        var name: String
        var price: String
        var tick: String
        var step: String
        var isBusy = false
    }

    private static let spot = [
        Entry(name: "BTCUSDT", price: "61837.63", tick: "0.01", step: "0.00001", isBusy: true),
        Entry(name: "ETHUSDT", price: "2683.15", tick: "0.01", step: "0.0001", isBusy: true),
        Entry(name: "BNBUSDT", price: "512.38", tick: "0.01", step: "0.001", isBusy: true),
        Entry(name: "SOLUSDT", price: "155.21", tick: "0.01", step: "0.001"),
        Entry(name: "XRPUSDT", price: "0.6021", tick: "0.0001", step: "1"),
        Entry(name: "DOGEUSDT", price: "0.10552", tick: "0.00001", step: "1"),
        Entry(name: "ADAUSDT", price: "0.3521", tick: "0.0001", step: "0.1"),
        Entry(name: "AVAXUSDT", price: "22.41", tick: "0.01", step: "0.01"),
        Entry(name: "LINKUSDT", price: "10.43", tick: "0.01", step: "0.01"),
        Entry(name: "TRXUSDT", price: "0.1271", tick: "0.0001", step: "0.1"),
        Entry(name: "DOTUSDT", price: "4.721", tick: "0.001", step: "0.01"),
        Entry(name: "LTCUSDT", price: "60.71", tick: "0.01", step: "0.001"),
        Entry(name: "NEXOUSDT", price: "1.274", tick: "0.001", step: "0.01"),
        Entry(name: "UNIUSDT", price: "6.012", tick: "0.001", step: "0.01"),
        Entry(name: "ATOMUSDT", price: "5.013", tick: "0.001", step: "0.01"),
        Entry(name: "ETHBTC", price: "0.04339", tick: "0.00001", step: "0.0001"),
    ]
    private static let usdm = [
        Entry(name: "BTCUSDT", price: "61800.20", tick: "0.10", step: "0.001"),
        Entry(name: "ETHUSDT", price: "2682.40", tick: "0.01", step: "0.001"),
        Entry(name: "BNBUSDT", price: "512.20", tick: "0.01", step: "0.01"),
        Entry(name: "SOLUSDT", price: "155.1000", tick: "0.0100", step: "1"),
        Entry(name: "XRPUSDT", price: "0.6019", tick: "0.0001", step: "0.1"),
        Entry(name: "DOGEUSDT", price: "0.105480", tick: "0.000010", step: "1"),
        Entry(name: "ADAUSDT", price: "0.35190", tick: "0.00010", step: "1"),
        Entry(name: "LINKUSDT", price: "10.424", tick: "0.001", step: "0.01"),
    ]
    private static let coinm = [
        Entry(name: "BTCUSD_PERP", price: "61804.7", tick: "0.1", step: "1"),
        Entry(name: "ETHUSD_PERP", price: "2682.90", tick: "0.01", step: "1"),
        Entry(name: "BNBUSD_PERP", price: "512.250", tick: "0.010", step: "1"),
        Entry(name: "BTCUSD_270326", price: "63120.5", tick: "0.1", step: "1"),
    ]

    private static func entries(_ market: Market) -> [Entry] {
        switch market {
        case .spot: spot
        case .usdm: usdm
        case .coinm: coinm
        }
    }

    /// The first symbols of a market: familiar ones, then `SIM0USDT` and so on.
    package static func symbols(_ market: Market, count: Int) -> [VenueSymbol] {
        let known = entries(market)
        return (0..<count).compactMap { index in
            let made = market == .coinm ? "SIM\(index)USD_PERP" : "SIM\(index)USDT"
            return SymbolName(index < known.count ? known[index].name : made).map { symbol($0, market) }
        }
    }

    /// A symbol of a market; an unfamiliar one gets the traffic of a quiet symbol.
    package static func symbol(_ name: SymbolName, _ market: Market) -> VenueSymbol {
        let entry = entries(market).first { SymbolName($0.name) == name }
        switch market {
        case .spot: return VenueSymbol(name, profile(entry, entry?.isBusy == true ? .spotBTC : lively))
        case .usdm: return VenueSymbol(name, profile(entry, .usdmBTC))
        case .coinm: return VenueSymbol(name, profile(entry, .coinm))
        }
    }

    /// A quiet spot symbol that is never silent for half a minute.
    private static let lively: TrafficProfile = {
        var profile = TrafficProfile.spotAlt
        profile.updateGapUs = QuantileTable([
            100_000, 100_000, 100_000, 100_000, 100_000, 200_000, 400_000, 900_000, 1_500_000, 3_000_000,
            6_000_000,
        ])
        return profile
    }()

    private static func profile(_ entry: Entry?, _ base: TrafficProfile) -> TrafficProfile {
        guard let entry else { return base }
        var scales = base.scales
        if base.market != .spot {
            scales = SymbolScales(
                priceDecimals: decimals(entry.price), quantityDecimals: decimals(entry.step))
        }
        // Cannot fail: the numbers of the table above have the right decimals, and spot has eight.
        let price = try! scales.price(entry.price)
        let tick = try! scales.price(entry.tick)
        let step = try! scales.quantity(entry.step)
        return base.scaled(to: scales, price: price, tick: tick, quantityStep: step)
    }

    private static func decimals(_ text: String) -> Int {
        text.firstIndex(of: ".").map { text.distance(from: $0, to: text.endIndex) - 1 } ?? 0
    }
}

extension TrafficProfile {
    /// The same traffic at another price: distances in proportion to the price, quantities against it.
    func scaled(to scales: SymbolScales, price: Price, tick: Price, quantityStep: Quantity) -> TrafficProfile
    {
        var scaled = self
        let ticks = Ratio(
            Int128(price.mantissa) * Int128(self.tick), Int128(tick.mantissa) * Int128(startPrice))
        // The value of one quantity step before and after, each in units of the other's last decimals.
        let steps = Ratio(
            Int128(startPrice) * Int128(self.quantityStep) * TrafficProfile.unit(scales),
            Int128(price.mantissa) * Int128(quantityStep.mantissa) * TrafficProfile.unit(self.scales))
        scaled.scales = scales
        scaled.startPrice = price.mantissa
        scaled.tick = tick.mantissa
        scaled.insertDistance = insertDistance.scaled(by: ticks)
        scaled.unheldDistance = unheldDistance.scaled(by: ticks)
        scaled.moveTicks = moveTicks.scaled(by: ticks)
        scaled.walkTicks = max(ticks.of(walkTicks), 1)
        scaled.moveGapTicks = max(ticks.of(moveGapTicks), 1)
        let multiples = QuantileTable(quantity.values.map { max($0 / self.quantityStep, 1) })
        scaled.quantity = QuantileTable(
            multiples.scaled(by: steps).values.map { $0 * quantityStep.mantissa })
        scaled.quantityStep = quantityStep.mantissa
        return scaled
    }

    private static func unit(_ scales: SymbolScales) -> Int128 {
        (0..<(scales.priceDecimals + scales.quantityDecimals)).reduce(1) { unit, _ in unit * 10 }
    }
}

/// A fraction that is applied to 64-bit numbers without overflow; its parts keep at least 62 bits.
private struct Ratio {
    private var numerator: Int128
    private var denominator: Int128

    init(_ numerator: Int128, _ denominator: Int128) {
        (self.numerator, self.denominator) = (numerator, denominator)
        while max(self.numerator, self.denominator) >> 62 > 0 {
            self.numerator >>= 1
            self.denominator >>= 1
        }
        self.denominator = max(self.denominator, 1)
    }

    func of(_ value: Int64) -> Int64 {
        let product = Int128(value) * numerator / denominator
        return Int64(min(max(product, -1_000_000_000_000), 1_000_000_000_000))
    }
}

extension QuantileTable {
    /// The table with all values in proportion; a nonzero value never becomes zero.
    fileprivate func scaled(by ratio: Ratio) -> QuantileTable {
        QuantileTable(
            values.map { value in
                value > 0 ? Swift.max(ratio.of(value), 1) : value < 0 ? min(ratio.of(value), -1) : 0
            })
    }
}
