// What the venue says about a book: reusable buffers, one shape for all markets.
//
// Times are microseconds since 1970, whatever the unit on the wire; 0 if the message carries none. `scales`
// is nil exactly when a message has no levels.

/// One depth update: the absolute quantities of changed levels, and the ids it covers. Reused from message to
/// message.
public struct DepthUpdate: ~Copyable {
    /// Symbol of the payload.
    public var symbol = SymbolName()
    /// First update id covered, `U`.
    public var first = UpdateID(0)
    /// Last update id covered, `u`.
    public var last = UpdateID(0)
    /// Last id of the stream's previous update, `pu`; nil if the venue does not link its updates.
    public var previousLast: UpdateID?
    /// Event time in microseconds, `E`; 0 if absent.
    public var eventTimeUs: Int64 = 0
    /// Transaction time in microseconds, `T`; 0 if absent.
    public var transactionTimeUs: Int64 = 0
    /// Decimals of the levels; nil if there are none.
    public var scales: SymbolScales?
    /// Whether `heldExtras` are of this message: one byte to write and to test in those that have none.
    @usableFromInline var hasExtras = false
    /// Changed bid levels in message order.
    public var bids: LevelBuffer
    /// Changed ask levels in message order.
    public var asks: LevelBuffer
    @usableFromInline var heldExtras = UpdateExtras()

    /// An empty update with room for `levelCapacity` levels a side.
    public init(levelCapacity: Int = 256) {
        bids = LevelBuffer(capacity: levelCapacity)
        asks = LevelBuffer(capacity: levelCapacity)
    }

    /// Clears the message, keeping the memory.
    @inlinable
    public mutating func reset() {
        symbol = SymbolName()
        first = UpdateID(0)
        last = UpdateID(0)
        previousLast = nil
        eventTimeUs = 0
        transactionTimeUs = 0
        scales = nil
        hasExtras = false
        bids.removeAll()
        asks.removeAll()
    }

    /// What the sender adds to the venue's members; nil if nothing, as is the rule.
    @inlinable
    public var extras: UpdateExtras? {
        @inline(__always) get { hasExtras ? heldExtras : nil }
        @inline(__always) set {
            hasExtras = newValue != nil
            if let newValue { heldExtras = newValue }
        }
    }

    /// Changed levels of both sides.
    @inlinable
    public var levelCount: Int { bids.count + asks.count }
}
