// The traffic of one kind of symbol: every number that the order flow draws from.
//
// Levels are inserted by distance and deleted by rank. That alone preserves the shape of the book: where
// levels pile up, ranks move outwards, and so do deletes. Both tables come from the same real book, so the
// book starts in the shape that it will keep: the level at a rank is at the distance with the same
// percentile.

import BinanceVenue
import MarketData

/// How update ids grow.
package enum UpdateIDRule: Hashable, Sendable {
    /// Spot: ids belong to one symbol, one per change, without holes.
    case contiguous
    /// Futures: ids are shared by all symbols of the product, so an update spans many, with a hole between
    /// two updates.
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
    /// Levels per side at the start, fewer where prices would fall below one tick; the flow tends to return
    /// to this number.
    package var levelCount: Int
    /// Rule of the update ids.
    package var ids: UpdateIDRule

    /// Time between two updates in microseconds.
    package var updateGapUs: QuantileTable
    /// Updates fall on multiples of this; 1 if there is no grid.
    package var updateGridUs: Int64
    /// Time from a change to its message, `E - T`, in microseconds.
    package var outputDelayUs: QuantileTable
    /// Number of levels of an update, both sides together.
    package var levelsPerUpdate: QuantileTable
    /// Share of updates with a level count near that of the previous update.
    package var persistencePerMille: Int
    /// Number of changes of the best price or its quantity inside an update.
    package var tickersPerUpdate: QuantileTable

    /// Share of inserts.
    package var insertPerMille: Int
    /// Share of deletes of held levels.
    package var deletePerMille: Int
    /// Share of deletes of prices without a level: levels that came and went since the last update. The rest
    /// are modifications.
    package var unheldPerMille: Int
    /// Share of changes at a price of the previous update.
    package var reusePerMille: Int
    /// Share of inserts at a recently deleted price.
    package var reinsertPerMille: Int
    /// Share of modifications that repeat the quantity.
    package var samePerMille: Int
    /// Share of modifications that hit one of the few fixed far prices.
    package var farPerMille: Int
    /// Distance of inserts.
    package var insertDistance: QuantileTable
    /// Rank of deletes, at least 1: the best level is removed by moves.
    package var deleteRank: QuantileTable
    /// Rank of modifications, at least 1: the best quantity changes with tickers.
    package var modifyRank: QuantileTable
    /// Distance of deletes of prices without a level; negative is better than the best.
    package var unheldDistance: QuantileTable
    /// No change happens beyond this rank.
    package var rankMax: Int

    /// Share of updates that move the best prices.
    package var movePerMille: Int
    /// Distance of a move.
    package var moveTicks: QuantileTable
    /// Share of moves that only remove levels and leave a wide spread.
    package var retreatPerMille: Int
    /// Share of updates that close a wide spread.
    package var tightenPerMille: Int
    /// A move leaves one new level per this many ticks.
    package var moveGapTicks: Int64
    /// Average distance of a move while the price walks away; it turns back a quarter away from the start.
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
