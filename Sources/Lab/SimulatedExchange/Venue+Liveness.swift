// Whether a connection answers: what a client learns by a ping of its own.

extension Venue {
    /// Pings the venue. The pong comes behind everything that is on its way.
    ///
    /// - Returns: when the pong arrives, in virtual time; nil if it never does, because the connection is
    ///   gone or vanished.
    package mutating func ping(_ connection: ConnectionID) -> Int64? {
        guard isConnected(connection), slots[connection.slot]?.isSending == true else { return nil }
        return slots[connection.slot]?.arrivalUs(nowUs, configuration)
    }
}
