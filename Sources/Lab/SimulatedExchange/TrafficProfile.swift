// What the traffic of one kind of symbol looks like: every number the order flow draws from.
//
// Levels are inserted by distance and deleted by rank. That alone keeps the shape of the book: where levels
// pile up, ranks move outwards and deletes with them. Both tables come from the same real book, so the book
// starts in the shape it will keep: the level at a rank stands at the distance that has the same percentile.

import BinanceVenue
import MarketData

/// How update ids grow.
public enum UpdateIDRule: Hashable, Sendable {
    /// Spot: ids belong to one symbol, one for each change, without holes.
    case contiguous
    /// Futures: ids belong to all symbols of the product, so an event spans many and a hole lies between two
    /// events.
    case shared(span: QuantileTable, hole: QuantileTable)
}

/// The statistics of one kind of traffic. Distances are in ticks from the best price of the same side; shares
/// are per mille.
public struct TrafficProfile: Hashable, Sendable {
    /// Name on the command line.
    public var name: String
    /// Market whose rules the ids follow.
    public var market: Market
    /// Decimals the venue prints.
    public var scales: SymbolScales
    /// Price increment of new levels, as a mantissa.
    public var tick: Int64
    /// Quantity increment, as a mantissa.
    public var quantityStep: Int64
    /// Best bid at the start, as a mantissa.
    public var startPrice: Int64
    /// Levels a side at the start, fewer where prices would fall below one tick; the flow returns to them.
    public var levelCount: Int
    /// Rule of the update ids.
    public var ids: UpdateIDRule

    /// Time between two events in microseconds.
    public var eventGapUs: QuantileTable
    /// Events fall on multiples of this; 1 if there is no grid.
    public var eventGridUs: Int64
    /// Time from a change to its message, `E - T`, in microseconds.
    public var outputDelayUs: QuantileTable
    /// Levels of an event, both sides.
    public var levelsPerEvent: QuantileTable
    /// Share of events whose level count is near that of the event before.
    public var persistencePerMille: Int
    /// Changes of the best price or its quantity inside an event.
    public var tickersPerEvent: QuantileTable

    /// Share of inserts.
    public var insertPerMille: Int
    /// Share of deletes of held levels.
    public var deletePerMille: Int
    /// Share of deletes of prices that hold nothing: levels born and gone since the last event. What remains
    /// are modifications.
    public var unheldPerMille: Int
    /// Share of changes at a price of the event before.
    public var reusePerMille: Int
    /// Share of inserts at a recently deleted price.
    public var reinsertPerMille: Int
    /// Share of modifications that repeat the quantity.
    public var samePerMille: Int
    /// Share of modifications that hit one of the few fixed far prices.
    public var farPerMille: Int
    /// Distance of inserts.
    public var insertDistance: QuantileTable
    /// Rank of deletes, at least 1: the best price goes in moves.
    public var deleteRank: QuantileTable
    /// Rank of modifications, at least 1: the best quantity changes with the tickers.
    public var modifyRank: QuantileTable
    /// Distance of deletes of prices that hold nothing; negative is better than the best.
    public var unheldDistance: QuantileTable
    /// No change beyond this rank.
    public var rankMax: Int

    /// Share of events that move the best prices.
    public var movePerMille: Int
    /// Distance of a move.
    public var moveTicks: QuantileTable
    /// Share of moves that only take levels away and leave a wide spread.
    public var retreatPerMille: Int
    /// Share of events that close a wide spread.
    public var tightenPerMille: Int
    /// A move leaves behind one new level for so many ticks.
    public var moveGapTicks: Int64
    /// Distance of a move while the price walks away, on the average; it turns back a quarter from the start.
    public var walkTicks: Int64
    /// Quantities of new levels, as mantissas.
    public var quantity: QuantileTable
}

extension TrafficProfile {
    /// All profiles by name.
    public static let all: [TrafficProfile] = [spotBTC, spotAlt, usdmBTC, coinm, topOfBook, deep]

    /// The profile of a command-line name, or nil.
    public static func named(_ name: String) -> TrafficProfile? { all.first { $0.name == name } }
}
