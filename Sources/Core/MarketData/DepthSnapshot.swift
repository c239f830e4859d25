// A depth snapshot as reusable buffers; see `DepthUpdate`.

/// The state of a book at one update id: a REST snapshot or a partial-depth frame. Reused.
public struct DepthSnapshot: ~Copyable {
    /// Symbol; empty if the body carries none.
    public var symbol = SymbolName()
    /// Update id of this state.
    public var lastUpdateID = UpdateID(0)
    /// Output time in microseconds, `E`; 0 if absent.
    public var eventTimeUs: Int64 = 0
    /// Transaction time in microseconds, `T`; 0 if absent.
    public var transactionTimeUs: Int64 = 0
    /// Decimals of the levels; nil if there are none.
    public var scales: SymbolScales?
    /// Bids, best first.
    public var bids: LevelBuffer
    /// Asks, best first.
    public var asks: LevelBuffer

    /// An empty snapshot with room for `levelCapacity` levels a side.
    public init(levelCapacity: Int = 1024) {
        bids = LevelBuffer(capacity: levelCapacity)
        asks = LevelBuffer(capacity: levelCapacity)
    }

    /// Clears the state, keeping the memory.
    @inlinable
    public mutating func reset() {
        symbol = SymbolName()
        lastUpdateID = UpdateID(0)
        eventTimeUs = 0
        transactionTimeUs = 0
        scales = nil
        bids.removeAll()
        asks.removeAll()
    }
}
