// The result of filling a quantity or an amount from one side.

import MarketData

/// The cost of filling a quantity at once.
public enum DepthFill: Hashable, Sendable, BitwiseCopyable {
    /// The whole quantity: `averagePrice` is its price (VWAP), `worst` the limit price that reaches it.
    case whole(DepthSum)
    /// Known levels hold only this much; `end` tells whether the venue has more.
    case part(DepthSum)
}
