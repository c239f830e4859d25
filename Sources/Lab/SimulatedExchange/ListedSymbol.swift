// What `exchangeInfo` says about a symbol, derived from its name and numbers.

import BinanceServing
import BinanceVenue
import MarketData

/// The properties of a listed symbol.
package struct ListedSymbol: Hashable, Sendable {
    /// Name.
    package var name: SymbolName
    /// Market.
    package var market: Market
    /// Decimals the venue prints.
    package var scales: SymbolScales
    /// Price increment as a mantissa.
    package var tick: Int64
    /// Quantity increment as a mantissa.
    package var quantityStep: Int64

    /// The properties of a symbol.
    package init(name: SymbolName, market: Market, scales: SymbolScales, tick: Int64, quantityStep: Int64) {
        self.name = name
        self.market = market
        self.scales = scales
        self.tick = tick
        self.quantityStep = quantityStep
    }

    /// Quote assets, longer names before those they end with.
    private static let quotes = [
        "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "AUD",
        "JPY", "GBP",
    ]

    /// The part of a futures symbol before the underscore: its pair.
    package var pair: String { ServingRules.pair(of: name) }

    /// The traded asset and the asset it is quoted in.
    package var assets: (base: String, quote: String) {
        let pair = pair
        for quote in ListedSymbol.quotes where pair.hasSuffix(quote) && pair.utf8.count > quote.utf8.count {
            return (String(pair.dropLast(quote.count)), quote)
        }
        return (pair, "USDT")
    }

    /// Type and delivery of a futures contract: `BTCUSDT` and `BTCUSD_PERP` are perpetual, `BTCUSD_261225` is
    /// delivered at 8:00 UTC of that day.
    var contract: (type: String, deliveryMs: Int64) {
        let perpetual = (type: "PERPETUAL", deliveryMs: Int64(4_133_404_800_000))
        let suffix = name.description.drop { $0 != "_" }.dropFirst()
        guard suffix.utf8.count == 6, let date = Int64(suffix) else { return perpetual }
        let days = ListedSymbol.days(year: 2_000 + date / 10_000, month: date / 100 % 100, day: date % 100)
        return ("CURRENT_QUARTER", (days * 24 + 8) * 3_600_000)
    }

    /// Days from 1970 to a date of the Gregorian calendar, with years counted from March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    /// The object of this symbol in `exchangeInfo`.
    var json: String {
        switch market {
        case .spot: spotJSON
        case .usdm, .coinm: futuresJSON
        }
    }

    private func price(_ mantissa: Int64) -> String { scales.text(Price(mantissa)) }
    private func quantity(_ mantissa: Int64) -> String { scales.text(Quantity(mantissa)) }

    /// The largest price and quantity that orders may have: round, and within 64 bits in these scales.
    private var maxima: (price: String, quantity: String) {
        (price(tick &* 100_000_000), quantity(quantityStep &* 1_000_000_000))
    }

    private func lotSize(_ type: String) -> String {
        "{\"filterType\":\"\(type)\",\"minQty\":\"\(quantity(quantityStep))\","
            + "\"maxQty\":\"\(maxima.quantity)\",\"stepSize\":\"\(quantity(quantityStep))\"}"
    }

    private var priceFilter: String {
        "{\"filterType\":\"PRICE_FILTER\",\"minPrice\":\"\(price(tick))\","
            + "\"maxPrice\":\"\(maxima.price)\",\"tickSize\":\"\(price(tick))\"}"
    }

    private var spotJSON: String {
        let (base, quote) = assets
        let filters = [
            priceFilter, lotSize("LOT_SIZE"), #"{"filterType":"ICEBERG_PARTS","limit":100}"#,
            lotSize("MARKET_LOT_SIZE"),
            #"{"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"#
                + #""minTrailingBelowDelta":10,"maxTrailingBelowDelta":2000}"#,
            #"{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","#
                + #""askMultiplierUp":"5","askMultiplierDown":"0.2","avgPriceMins":5}"#,
            #"{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"#
                + #""maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}"#,
            #"{"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}"#,
            #"{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5}"#,
        ]
        return "{\"symbol\":\"\(name)\",\"status\":\"TRADING\",\"baseAsset\":\"\(base)\","
            + "\"baseAssetPrecision\":\(scales.quantityDecimals),\"quoteAsset\":\"\(quote)\","
            + "\"quotePrecision\":8,\"quoteAssetPrecision\":8,\"baseCommissionPrecision\":8,"
            + "\"quoteCommissionPrecision\":8,"
            + #""orderTypes":["LIMIT","LIMIT_MAKER","MARKET","STOP_LOSS","STOP_LOSS_LIMIT","TAKE_PROFIT","#
            + #""TAKE_PROFIT_LIMIT"],"icebergAllowed":true,"ocoAllowed":true,"otoAllowed":true,"#
            + #""quoteOrderQtyMarketAllowed":true,"allowTrailingStop":true,"cancelReplaceAllowed":true,"#
            + #""amendAllowed":true,"pegInstructionsAllowed":true,"isSpotTradingAllowed":true,"#
            + #""isMarginTradingAllowed":false,"filters":["# + filters.joined(separator: ",")
            + #"],"permissions":[],"permissionSets":[["SPOT"]],"#
            + #""defaultSelfTradePreventionMode":"EXPIRE_MAKER","#
            + #""allowedSelfTradePreventionModes":["EXPIRE_TAKER","EXPIRE_MAKER","EXPIRE_BOTH","DECREMENT"]}"#
    }

    private var futuresJSON: String {
        let (base, quote) = assets
        let (type, deliveryMs) = contract
        let isCoin = market == .coinm
        var filters = [
            priceFilter, lotSize("LOT_SIZE"), lotSize("MARKET_LOT_SIZE"),
            #"{"filterType":"MAX_NUM_ORDERS","limit":200}"#,
            #"{"filterType":"MAX_NUM_ALGO_ORDERS","limit":10}"#,
        ]
        if !isCoin { filters.append(#"{"filterType":"MIN_NOTIONAL","notional":"5"}"#) }
        filters.append(
            #"{"filterType":"PERCENT_PRICE","multiplierUp":"1.0500","multiplierDown":"0.9500","#
                + #""multiplierDecimal":"4"}"#)
        let status =
            isCoin
            ? "\"contractStatus\":\"TRADING\",\"contractSize\":\(base == "BTC" ? 100 : 10),"
                + "\"equalQtyPrecision\":4,"
            : "\"status\":\"TRADING\",\"settlePlan\":0,"
        return "{\"symbol\":\"\(name)\",\"pair\":\"\(pair)\",\"contractType\":\"\(type)\","
            + "\"deliveryDate\":\(deliveryMs),\"onboardDate\":1569398400000," + status
            + #""maintMarginPercent":"2.5000","requiredMarginPercent":"5.0000","#
            + "\"baseAsset\":\"\(base)\",\"quoteAsset\":\"\(quote)\","
            + "\"marginAsset\":\"\(isCoin ? base : quote)\","
            + "\"pricePrecision\":\(scales.priceDecimals),\"quantityPrecision\":\(scales.quantityDecimals),"
            + #""baseAssetPrecision":8,"quotePrecision":8,"underlyingType":"COIN","#
            + #""underlyingSubType":["PoW"],"#
            + #""triggerProtect":"0.0500","liquidationFee":"0.012500","marketTakeBound":"0.05","#
            + #""maxMoveOrderLimit":10000,"filters":["# + filters.joined(separator: ",")
            + #"],"orderTypes":["LIMIT","MARKET","STOP","STOP_MARKET","TAKE_PROFIT","TAKE_PROFIT_MARKET","#
            + #""TRAILING_STOP_MARKET"],"timeInForce":["GTC","IOC","FOK","GTX","GTD"]}"#
    }
}
