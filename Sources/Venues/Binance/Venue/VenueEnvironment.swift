// The real venue, or a test environment.

/// One of the venue's separate environments.
public enum VenueEnvironment: String, CaseIterable, Sendable {
    /// The real venue.
    case production
    /// The real venue through hosts that serve public data only. Spot.
    case dataOnly
    /// The test network.
    case testnet
    /// Demo trading, with prices like production's.
    case demo
}
