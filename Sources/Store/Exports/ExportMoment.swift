// Whose rows are written, and for when.

import MarketData

/// A book at one moment.
package struct ExportMoment: Sendable {
    /// Whose it is.
    package var symbol: SymbolName
    /// Its decimals.
    package var scales: SymbolScales
    /// When the venue made the last update, in microseconds since 1970; the time of receipt if it said none.
    package var eventTimeUs: Int64
    /// When it was received, or for which time it was sampled, in nanoseconds since 1970.
    package var receivedAtNs: Int64
}

/// Levels of a proven book that an update, or several, have set. Quantity 0: there is none any more.
package struct ExportedChanges: Sendable {
    /// Bids inside the proven range.
    package internal(set) var bids: [PriceLevel] = []
    /// Asks inside the proven range.
    package internal(set) var asks: [PriceLevel] = []
}
