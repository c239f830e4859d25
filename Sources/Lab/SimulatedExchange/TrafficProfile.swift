// What the traffic of one kind of symbol looks like: every number the order flow draws from.
//
// Levels are inserted by distance and deleted by rank. That alone keeps the shape of the book: where levels
// pile up, ranks move outwards and deletes with them. Both tables come from the same real book, so the book
// starts in the shape it will keep: the level at a rank stands at the distance that has the same percentile.

import BinanceVenue
import MarketData

/// How update ids grow.
package enum UpdateIDRule: Hashable, Sendable {
    /// Spot: ids belong to one symbol, one for each change, without holes.
    case contiguous
    /// Futures: ids belong to all symbols of the product, so an update spans many and a hole lies between two
    /// updates.
    case shared(span: QuantileTable, hole: QuantileTable)
}

/// The statistics of one kind of traffic. Distances are in ticks from the best price of the same side; shares
/// are per mille.
package struct TrafficProfile: Hashable, Sendable {
    /// Name on the command line.
    package var name: String
    /// Market whose rules the ids follow.
    package var market: Market
    /// Decimals the venue prints.
    package var scales: SymbolScales
    /// Price increment of new levels, as a mantissa.
    package var tick: Int64
    /// Quantity increment, as a mantissa.
    package var quantityStep: Int64
    /// Best bid at the start, as a mantissa.
    package var startPrice: Int64
    /// Levels a side at the start, fewer where prices would fall below one tick; the flow returns to them.
    package var levelCount: Int
    /// Rule of the update ids.
    package var ids: UpdateIDRule

    /// Time between two updates in microseconds.
    package var updateGapUs: QuantileTable
    /// Updates fall on multiples of this; 1 if there is no grid.
    package var updateGridUs: Int64
    /// Time from a change to its message, `E - T`, in microseconds.
    package var outputDelayUs: QuantileTable
    /// Levels of an update, both sides.
    package var levelsPerUpdate: QuantileTable
    /// Share of updates whose level count is near that of the update before.
    package var persistencePerMille: Int
    /// Changes of the best price or its quantity inside an update.
    package var tickersPerUpdate: QuantileTable

    /// Share of inserts.
    package var insertPerMille: Int
    /// Share of deletes of held levels.
    package var deletePerMille: Int
    /// Share of deletes of prices that hold nothing: levels born and gone since the last update. What remains
    /// are modifications.
    package var unheldPerMille: Int
    /// Share of changes at a price of the update before.
    package var reusePerMille: Int
    /// Share of inserts at a recently deleted price.
    package var reinsertPerMille: Int
    /// Share of modifications that repeat the quantity.
    package var samePerMille: Int
    /// Share of modifications that hit one of the few fixed far prices.
    package var farPerMille: Int
    /// Distance of inserts.
    package var insertDistance: QuantileTable
    /// Rank of deletes, at least 1: the best price goes in moves.
    package var deleteRank: QuantileTable
    /// Rank of modifications, at least 1: the best quantity changes with the tickers.
    package var modifyRank: QuantileTable
    /// Distance of deletes of prices that hold nothing; negative is better than the best.
    package var unheldDistance: QuantileTable
    /// No change beyond this rank.
    package var rankMax: Int

    /// Share of updates that move the best prices.
    package var movePerMille: Int
    /// Distance of a move.
    package var moveTicks: QuantileTable
    /// Share of moves that only take levels away and leave a wide spread.
    package var retreatPerMille: Int
    /// Share of updates that close a wide spread.
    package var tightenPerMille: Int
    /// A move leaves behind one new level for so many ticks.
    package var moveGapTicks: Int64
    /// Distance of a move while the price walks away, on the average; it turns back a quarter from the start.
    package var walkTicks: Int64
    /// Quantities of new levels, as mantissas.
    package var quantity: QuantileTable
}

extension TrafficProfile {
    /// All profiles by name.
    package static let all: [TrafficProfile] = [spotBTC, spotAlt, usdmBTC, coinm, topOfBook, deep]

    /// The profile of a command-line name, or nil.
    package static func named(_ name: String) -> TrafficProfile? { all.first { $0.name == name } }
}
