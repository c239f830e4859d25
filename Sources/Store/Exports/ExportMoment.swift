// Symbol and time of exported rows.

import MarketData

/// A book at one moment.
package struct ExportMoment: Sendable {
    /// Its symbol.
    package var symbol: SymbolName
    /// Its decimals.
    package var scales: SymbolScales
    /// The venue's time of the last update, in microseconds since 1970; the receive time if there is none.
    package var eventTimeUs: Int64
    /// Receive time, or sampling time, in nanoseconds since 1970.
    package var receivedAtNs: Int64
}

/// Levels of a proven book set by one or more updates. Quantity 0: the level is gone.
package struct ExportedChanges: Sendable {
    /// Bids inside the proven range.
    package internal(set) var bids: [PriceLevel] = []
    /// Asks inside the proven range.
    package internal(set) var asks: [PriceLevel] = []
}
