// The real venue, or a place to practise.

/// One of the venue's separate environments.
public enum VenueEnvironment: String, CaseIterable, Sendable {
    /// The real one.
    case production
    /// The real one through hosts that serve public data only. Spot.
    case dataOnly
    /// The test network.
    case testnet
    /// Demo trading, with prices like production's.
    case demo
}
