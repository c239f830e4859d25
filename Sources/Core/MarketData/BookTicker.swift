// The venue's best bid and ask, a stream separate from the depth updates.

/// The best bid and ask at one update id.
public struct BookTicker: Sendable, BitwiseCopyable {
    /// Symbol of the payload.
    public var symbol = SymbolName()
    /// Update id of the state shown, `u`.
    public var updateID = UpdateID(0)
    /// Event time in microseconds; 0 if absent.
    public var eventTimeUs: Int64 = 0
    /// Transaction time in microseconds; 0 if absent.
    public var transactionTimeUs: Int64 = 0
    /// Decimals of the numbers.
    public var scales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)
    /// Best bid; quantity zero if the side is empty.
    public var bid = PriceLevel(0, 0)
    /// Best ask; quantity zero if the side is empty.
    public var ask = PriceLevel(0, 0)

    /// An empty ticker.
    public init() {}
}
