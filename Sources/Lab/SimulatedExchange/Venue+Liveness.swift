// Whether a connection responds: what a client learns by a ping of its own.

extension Venue {
    /// Pings the venue. The pong arrives after everything that is on its way.
    ///
    /// - Returns: when the pong arrives, in virtual time; nil if it never does because the connection is gone
    ///   or has vanished.
    package mutating func ping(_ connection: ConnectionID) -> Int64? {
        guard isConnected(connection), slots[connection.slot]?.isReachable == true else { return nil }
        return slots[connection.slot]?.arrivalUs(nowUs, configuration)
    }
}
