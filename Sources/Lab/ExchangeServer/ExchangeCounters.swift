// What a server has done, for status lines and tests.

import SimulatedExchange

/// Totals of one server, and what it has at the moment.
package struct ExchangeCounters: Hashable, Sendable {
    /// WebSocket clients at the moment.
    package internal(set) var connectionCount = 0
    /// Streams of all clients at the moment, silent ones included.
    package internal(set) var streamCount = 0
    /// WebSocket clients so far.
    package internal(set) var connectedCount = 0
    /// Upgrades refused: unknown paths, too many attempts, too many connections.
    package internal(set) var refusedCount = 0
    /// Clients cut off because their send queue was full.
    package internal(set) var slowCount = 0
    /// Text messages handed to the sockets.
    package internal(set) var messageCount = 0
    /// Bytes of them.
    package internal(set) var messageBytes = 0
    /// REST requests.
    package internal(set) var requestCount = 0
    /// REST requests refused because too many waited for their answers.
    package internal(set) var overloadCount = 0
    /// Largest weight an address has used in the present minute.
    package internal(set) var usedWeight = 0
    /// How far virtual time is behind the clock, in virtual microseconds.
    package internal(set) var behindUs: Int64 = 0
    /// Messages of a capture that have been played.
    package internal(set) var playedCount = 0
    /// What the venue itself has counted.
    package internal(set) var venue = VenueCounters()
}
