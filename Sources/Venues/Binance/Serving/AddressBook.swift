// What is remembered of client addresses, for every server of a process: USD-M and COIN-M share one budget.
//
// Bounded: beyond `countMax` addresses all further ones share one entry.

import BinanceVenue
import FeedPlan
import MarketData

/// The addresses that have been heard of. Thread: that of the servers' loop.
package final class AddressBook {
    private struct Key: Hashable {
        var address: String
        var pool: WeightPool
    }

    private static let countMax = 4_096
    private var entries: [Key: ClientAddress] = [:]

    /// No address is known yet.
    package init() {}

    private func key(_ address: String, _ market: Market) -> Key {
        let key = Key(address: address, pool: market.weightPool)
        if entries[key] != nil || entries.count < AddressBook.countMax { return key }
        return Key(address: "", pool: market.weightPool)
    }

    /// What is remembered of an address in the pool of a market.
    package subscript(address: String, market: Market) -> ClientAddress {
        get { entries[key(address, market)] ?? ClientAddress(ServingRules(market)) }
        set { entries[key(address, market)] = newValue }
    }

    /// The largest weight any address has used in the minute of this time.
    package func usedWeight(_ market: Market, atUs timeUs: Int64) -> Int {
        entries.reduce(0) { most, entry in
            entry.key.pool == market.weightPool
                ? max(most, entry.value.budget.usedWeight(atUs: timeUs)) : most
        }
    }
}
