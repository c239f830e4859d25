// One update of the order flow: the diff that a stream shows, and the moments inside it that snapshots and
// tickers show.

import MarketData

/// One change of the true book.
package struct FlowChange: Hashable, Sendable {
    /// Side of the level.
    package var side: Side
    /// The level with its new quantity; zero removes it. In the profile's scales.
    package var level: PriceLevel
}

/// A moment inside an update at which the venue could be asked: the state after some of its changes.
package struct FlowStep: Hashable, Sendable {
    /// Update id of the state.
    package var id = UpdateID(0)
    /// Time of the state in microseconds.
    package var timeUs: Int64 = 0
    /// Number of the update's changes that have happened by then.
    package var changeCount = 0
    /// Whether the best bid or ask, price or quantity, differs from the previous step: a ticker is sent.
    package var changesBest = false
    /// Best bid, quantity zero if the side is empty.
    package var bid = PriceLevel(0, 0)
    /// Best ask, quantity zero if the side is empty.
    package var ask = PriceLevel(0, 0)
}

/// One update: all changes between two messages of the diff stream. In the profile's scales.
package struct FlowUpdate: Sendable {
    /// First update id covered.
    package var first = UpdateID(0)
    /// Last update id covered.
    package var last = UpdateID(0)
    /// Last id of the previous update.
    package var previousLast = UpdateID(0)
    /// Time of the last change in microseconds.
    package var transactionTimeUs: Int64 = 0
    /// Time of the message in microseconds.
    package var timeUs: Int64 = 0
    /// Changed bids in wire order.
    package var bids: [PriceLevel] = []
    /// Changed asks in wire order.
    package var asks: [PriceLevel] = []
    /// The states inside the update, at least one; the last has the update's last id.
    package var steps: [FlowStep] = []
    /// The changes in the order in which they happened.
    package var changes: [FlowChange] = []

    /// An update without content.
    package init() {}

    mutating func reset() {
        bids.removeAll(keepingCapacity: true)
        asks.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
        changes.removeAll(keepingCapacity: true)
    }
}

/// What disturbs the normal flow for a while.
package enum FlowEpisode: Hashable, Sendable {
    /// Nothing.
    case calm
    /// Levels near the best vanish and none replace them: the book thins out.
    case thinning
    /// The price walks in one direction with every update.
    case walking(towards: Side)
}

/// Scales on the wire relative to those of the profile: the venue may print more decimals than before.
struct PrintedScales: Hashable, Sendable {
    let scales: SymbolScales
    private let priceFactor: Int64
    private let quantityFactor: Int64

    /// The profile's scales with this many more decimals.
    init(_ base: SymbolScales, extraPriceDecimals: Int, extraQuantityDecimals: Int) {
        scales = SymbolScales(
            priceDecimals: Int(base.priceDecimals) + extraPriceDecimals,
            quantityDecimals: Int(base.quantityDecimals) + extraQuantityDecimals)
        priceFactor = PrintedScales.power(extraPriceDecimals)
        quantityFactor = PrintedScales.power(extraQuantityDecimals)
    }

    private static func power(_ exponent: Int) -> Int64 {
        (0..<exponent).reduce(1) { value, _ in value * 10 }
    }

    func callAsFunction(_ level: PriceLevel) -> PriceLevel {
        PriceLevel(level.price.mantissa &* priceFactor, level.quantity.mantissa &* quantityFactor)
    }
}

extension TrueBook {
    /// Fills a snapshot with the best `limit` levels per side.
    func copy(limit: Int, printed: PrintedScales, into snapshot: inout DepthSnapshot) {
        snapshot.reset()
        snapshot.lastUpdateID = id
        snapshot.scales = printed.scales
        for rank in 0..<min(limit, bids.count) { snapshot.bids.append(printed(bids.level(rank: rank))) }
        for rank in 0..<min(limit, asks.count) { snapshot.asks.append(printed(asks.level(rank: rank))) }
    }
}
