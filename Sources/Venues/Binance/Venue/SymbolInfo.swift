// A symbol's entry in `exchangeInfo`. For display and rounding only: a book never depends on tick or step
// size, because resting orders keep their price when the tick size changes.

import MarketData

/// Static properties of a symbol.
public struct SymbolInfo: Hashable, Sendable {
    /// Name.
    public var symbol: SymbolName
    /// Market it trades on.
    public var market: Market
    /// Trading status as the venue spells it; an unknown one means "not trading", never an error.
    public var status: String
    /// Price increment as decimal text, nil if the venue has disabled the rule.
    public var tickSize: String?
    /// Quantity increment as decimal text, nil if the venue has disabled the rule.
    public var stepSize: String?

    /// The asset traded; empty if not stated.
    public var baseAsset = ""
    /// The asset prices are quoted in; empty if not stated.
    public var quoteAsset = ""
    /// Kind of contract as the venue spells it; nil on spot.
    public var contractType: String?

    /// The properties of a symbol.
    public init(symbol: SymbolName, market: Market, status: String, tickSize: String?, stepSize: String?) {
        self.symbol = symbol
        self.market = market
        self.status = status
        self.tickSize = tickSize
        self.stepSize = stepSize
    }

    /// Whether new orders can change this book.
    public var isTrading: Bool { status == "TRADING" }
}
