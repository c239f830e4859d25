// What `symbolStatus` may ask for on spot. A symbol may have others, which no request can name.

/// A trading status that a request may name, as the venue spells it.
package enum TradingStatus: String, Hashable, Sendable {
    /// Orders are matched.
    case trading = "TRADING"
    /// Trading is stopped.
    case halted = "HALT"
    /// Trading pauses by schedule.
    case pausing = "BREAK"
}
