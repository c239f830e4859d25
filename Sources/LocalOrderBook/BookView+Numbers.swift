// The numbers of a view most readers need, ready to print.

import DepthBook
import MarketData

extension BookView {
    /// Whether it is proven to be the venue's book at `updateID`.
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
        let price: Price? = spread
        return PrintedDecimal(price?.mantissa, decimals: scales.priceDecimals)
    }

    /// Update id of this state.
    public var updateID: UpdateID { lastUpdateID }

    /// A price of this book as the venue prints it.
    public func text(_ price: Price) -> String { scales.text(price) }

    /// A quantity of this book as the venue prints it.
    public func text(_ quantity: Quantity) -> String { scales.text(quantity) }
}
