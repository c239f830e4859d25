// What a walk through a side for a quantity or an amount comes to.

import MarketData

/// What it takes to fill a quantity at once.
public enum DepthFill: Hashable, Sendable, BitwiseCopyable {
    /// The whole quantity: `averagePrice` is its price (VWAP), `worst` the limit price that reaches it.
    case whole(DepthSum)
    /// Known levels hold only this much; `end` tells whether the venue has more.
    case part(DepthSum)
}
