// Connections to this venue.

import FeedPlan

extension ConnectionSupervisor.Configuration {
    /// The defaults for a market.
    public init(market: Market) { self.init(terms: market.connectionTerms) }
}
