// The markets of the venue.

/// A market of the venue. It determines sequence rules, limits and endpoints.
public enum Market: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Spot.
    case spot
    /// USD-margined futures.
    case usdm
    /// Coin-margined futures.
    case coinm

    /// The name used on the command line and in output.
    public var name: String {
        switch self {
        case .spot: "spot"
        case .usdm: "usdm"
        case .coinm: "coinm"
        }
    }

    /// The market of this name, or nil.
    public init?(name: String) {
        guard let market = Market.allCases.first(where: { $0.name == name }) else { return nil }
        self = market
    }
}
