// What the venue says about a book, as reusable buffers in one shape for all three markets.
//
// Times are microseconds since 1970 whatever the unit on the wire; 0 where the message carries none. `scales`
// is nil exactly while a message has no level to learn it from.

/// A market of the venue: it decides sequence rules, limits and endpoints.
@frozen
public enum Market: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Spot.
    case spot
    /// USD-margined futures.
    case usdm
    /// Coin-margined futures.
    case coinm

    /// The name used on the command line and in output.
    public var name: String {
        switch self {
        case .spot: "spot"
        case .usdm: "usdm"
        case .coinm: "coinm"
        }
    }

    /// The market of a command-line name, or nil.
    public init?(name: String) {
        guard let market = Market.allCases.first(where: { $0.name == name }) else { return nil }
        self = market
    }
}

/// One diff: absolute quantities of changed levels, and the ids it covers. Reused from message to message.
@frozen
public struct DepthUpdate: ~Copyable {
    /// Symbol of the payload.
    public var symbol = SymbolName()
    /// First update id covered, `U`.
    public var first = UpdateID(0)
    /// Last update id covered, `u`.
    public var last = UpdateID(0)
    /// Last id of the stream's previous event, `pu`; nil on spot, always present on futures.
    public var previousLast: UpdateID?
    /// Event time in microseconds, `E`; 0 if absent.
    public var eventTimeUs: Int64 = 0
    /// Transaction time in microseconds, `T`; 0 if absent (spot).
    public var transactionTimeUs: Int64 = 0
    /// Decimals of the levels; nil if there are none.
    public var scales: SymbolScales?
    /// Changed bid levels in message order.
    public var bids: LevelBuffer
    /// Changed ask levels in message order.
    public var asks: LevelBuffer

    /// An empty update with room for `levelCapacity` levels a side.
    public init(levelCapacity: Int = 256) {
        bids = LevelBuffer(capacity: levelCapacity)
        asks = LevelBuffer(capacity: levelCapacity)
    }

    /// Forgets the message and keeps the memory.
    @inlinable
    public mutating func reset() {
        symbol = SymbolName()
        first = UpdateID(0)
        last = UpdateID(0)
        previousLast = nil
        eventTimeUs = 0
        transactionTimeUs = 0
        scales = nil
        bids.removeAll()
        asks.removeAll()
    }

    /// Changed levels of both sides.
    @inlinable
    public var levelCount: Int { bids.count + asks.count }

    /// A copy in other scales; nil if a number does not fit them. O(levels), allocating.
    public borrowing func scaled(to wide: SymbolScales) -> DepthUpdate? {
        var copy = DepthUpdate(levelCapacity: max(bids.count, asks.count, 1))
        (copy.symbol, copy.first, copy.last, copy.previousLast) = (symbol, first, last, previousLast)
        (copy.eventTimeUs, copy.transactionTimeUs, copy.scales) = (eventTimeUs, transactionTimeUs, wide)
        let own = scales ?? wide
        for index in 0..<bids.count {
            guard let level = bids[index].scaled(from: own, to: wide) else { return nil }
            copy.bids.append(level)
        }
        for index in 0..<asks.count {
            guard let level = asks[index].scaled(from: own, to: wide) else { return nil }
            copy.asks.append(level)
        }
        return copy
    }
}

/// The state of a book at one update id: a REST snapshot or a partial-depth frame. Reused.
@frozen
public struct DepthSnapshot: ~Copyable {
    /// Symbol, empty where the body carries none (spot).
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

    /// Forgets the state and keeps the memory.
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

/// The best bid and ask at one update id.
@frozen
public struct BookTicker: Sendable, BitwiseCopyable {
    /// Symbol of the payload.
    public var symbol = SymbolName()
    /// Update id of the state it shows, `u`.
    public var updateID = UpdateID(0)
    /// Event time in microseconds; 0 if absent (spot).
    public var eventTimeUs: Int64 = 0
    /// Transaction time in microseconds; 0 if absent (spot).
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
