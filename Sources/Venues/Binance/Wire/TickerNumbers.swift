// The four numbers of a book ticker. They follow the rule of levels: the wider decimals of both prices and of
// both quantities count, and zero is zero however it is printed (an empty side has price and quantity zero).
import MarketData

struct TickerNumbers {
    struct Number {
        var mantissa: Int64 = 0
        var decimals = 0

        @inline(__always)
        mutating func read(_ cursor: inout JSONCursor) throws(ParseError) {
            mantissa = try cursor.quotedDecimal(&decimals, else: .fieldType)
        }

        mutating func read(_ start: JSONCursor) throws(ParseError) {
            var cursor = start
            try read(&cursor)
        }

        /// The decimals in which this number and another of its kind are held.
        @inline(__always)
        func decimals(with other: Number) -> Int {
            if decimals == other.decimals || other.mantissa == 0 { return decimals }
            return mantissa == 0 ? other.decimals : max(decimals, other.decimals)
        }
    }

    var bidPrice = Number()
    var bidQuantity = Number()
    var askPrice = Number()
    var askQuantity = Number()

    @inline(__always)
    func fill(_ ticker: inout BookTicker, _ cursor: JSONCursor) throws(ParseError) {
        if max(bidPrice.mantissa, askPrice.mantissa) > Price.mantissaMax {
            throw cursor.error(.numberTooLarge)
        }
        let scales = SymbolScales(
            priceDecimals: bidPrice.decimals(with: askPrice),
            quantityDecimals: bidQuantity.decimals(with: askQuantity))
        guard let bid = TickerNumbers.level(bidPrice, bidQuantity, in: scales),
            let ask = TickerNumbers.level(askPrice, askQuantity, in: scales)
        else { throw cursor.error(.numberTooLarge) }
        (ticker.scales, ticker.bid, ticker.ask) = (scales, bid, ask)
    }

    @inline(__always)
    private static func level(_ price: Number, _ quantity: Number, in scales: SymbolScales) -> PriceLevel? {
        let own = SymbolScales(priceDecimals: price.decimals, quantityDecimals: quantity.decimals)
        let level = PriceLevel(price.mantissa, quantity.mantissa)
        return own == scales ? level : level.scaled(from: own, to: scales)
    }
}
