// The numbers of the best bid and ask most readers need, ready to print; named as those of a view.

import DepthBook
import MarketData

extension TopOfBook {
    /// Whether it is proven to be the venue's at `updateID`.
    public var isLive: Bool { state == .live }

    /// Price of the best bid; unknown if `bestBid` is nil.
    public var bid: PrintedDecimal {
        PrintedDecimal(bestBid?.price.mantissa, decimals: scales.priceDecimals)
    }

    /// Price of the best ask; unknown if `bestAsk` is nil.
    public var ask: PrintedDecimal {
        PrintedDecimal(bestAsk?.price.mantissa, decimals: scales.priceDecimals)
    }

    /// Best ask minus best bid; unknown if either is.
    public var spread: PrintedDecimal {
        var spread: Int64?
        if let bid = bestBid, let ask = bestAsk {
            let (difference, isTooLarge) = ask.price.mantissa.subtractingReportingOverflow(
                bid.price.mantissa)
            if !isTooLarge { spread = difference }
        }
        return PrintedDecimal(spread, decimals: scales.priceDecimals)
    }

    /// A price of this book as the venue prints it.
    public func text(_ price: Price) -> String { scales.text(price) }

    /// A quantity of this book as the venue prints it.
    public func text(_ quantity: Quantity) -> String { scales.text(quantity) }
}
