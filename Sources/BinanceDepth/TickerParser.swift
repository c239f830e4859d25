// The four numbers of a book ticker. They follow the rule of levels: equal decimals for both prices and for
// both quantities, except that zero is zero however it is printed (an empty side has price and quantity
// zero).
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

        /// The decimals that this number and another one of its kind share, or nil.
        @inline(__always)
        func decimals(with other: Number) -> Int? {
            if decimals == other.decimals || other.mantissa == 0 { return decimals }
            return mantissa == 0 ? other.decimals : nil
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
        guard let price = bidPrice.decimals(with: askPrice),
            let quantity = bidQuantity.decimals(with: askQuantity)
        else { throw cursor.error(.decimalsDiffer) }
        ticker.scales = SymbolScales(priceDecimals: price, quantityDecimals: quantity)
        ticker.bid = PriceLevel(bidPrice.mantissa, bidQuantity.mantissa)
        ticker.ask = PriceLevel(askPrice.mantissa, askQuantity.mantissa)
    }
}
