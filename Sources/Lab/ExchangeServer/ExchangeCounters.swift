// What a server has done, for status lines and tests.

import SimulatedExchange

/// Totals and current state of one server.
package struct ExchangeCounters: Hashable, Sendable {
    /// WebSocket clients connected now.
    package internal(set) var connectionCount = 0
    /// Current subscriptions of all clients, including silent ones.
    package internal(set) var streamCount = 0
    /// WebSocket clients so far.
    package internal(set) var connectedCount = 0
    /// Upgrades refused: unknown paths, too many attempts, too many connections.
    package internal(set) var refusedCount = 0
    /// Clients cut off because their send queue was full.
    package internal(set) var slowCount = 0
    /// Text messages handed to the sockets.
    package internal(set) var messageCount = 0
    /// Bytes of these messages.
    package internal(set) var messageBytes = 0
    /// REST requests.
    package internal(set) var requestCount = 0
    /// REST requests refused because too many were waiting for their answers.
    package internal(set) var overloadCount = 0
    /// Largest weight that an address has used in the current minute.
    package internal(set) var usedWeight = 0
    /// How far virtual time is behind the clock, in virtual microseconds.
    package internal(set) var behindUs: Int64 = 0
    /// Messages of a capture that were played.
    package internal(set) var playedCount = 0
    /// The counters of the venue itself.
    package internal(set) var venue = VenueCounters()
}
