// What the venue remembers of one address: its request budget and its attempts to connect.

import BinanceVenue
import MarketData

/// One client address.
public struct VenueAddress: Hashable, Sendable {
    /// The request budget.
    public var budget: VenueBudget
    private let attemptCountMax: Int
    private var attemptsUs: [Int64] = []

    private static let attemptWindowUs: Int64 = 300_000_000

    /// An address that was never heard of. Spot allows 300 attempts to connect in five minutes; of the
    /// futures no limit is known.
    public init(_ market: Market) {
        budget = VenueBudget(market)
        attemptCountMax = market == .spot ? 300 : .max
    }

    /// Counts an attempt to connect.
    ///
    /// - Throws: `VenueRefusal.tooManyAttempts`; the attempt is then not counted.
    mutating func attempt(atUs timeUs: Int64) throws(VenueRefusal) {
        if attemptCountMax == .max { return }
        attemptsUs.removeAll { $0 <= timeUs - VenueAddress.attemptWindowUs }
        if attemptsUs.count >= attemptCountMax {
            throw .tooManyAttempts(retryAtUs: attemptsUs[0] + VenueAddress.attemptWindowUs)
        }
        attemptsUs.append(timeUs)
    }
}

extension Venue {
    /// The request budget of the address that asks next.
    public var budget: VenueBudget {
        get { address.budget }
        set { address.budget = newValue }
    }
}
