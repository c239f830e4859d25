// What is remembered of client addresses, shared by all servers of a process: USD-M and COIN-M have one
// budget. An IPv6 network counts as one address; callers pass `HTTPRequest.owner`.
//
// Bounded: beyond `countMax` addresses, all further ones share one entry.

import BinanceVenue
import FeedPlan
import MarketData

/// Known client addresses. Thread: that of the servers' loop.
package final class AddressBook {
    private struct Key: Hashable {
        var address: String
        var pool: WeightPool
    }

    private static let countMax = 4_096
    private var entries: [Key: ClientAddress] = [:]

    /// An empty address book.
    package init() {}

    private func key(_ address: String, _ market: Market) -> Key {
        let key = Key(address: address, pool: market.weightPool)
        if entries[key] != nil || entries.count < AddressBook.countMax { return key }
        return Key(address: "", pool: market.weightPool)
    }

    /// The record of an address in a market's pool.
    package subscript(address: String, market: Market) -> ClientAddress {
        get { entries[key(address, market)] ?? ClientAddress(ServingRules(market)) }
        set { entries[key(address, market)] = newValue }
    }

    /// The largest weight used by any address in the minute of this time.
    package func usedWeight(_ market: Market, atUs timeUs: Int64) -> Int {
        entries.reduce(0) { most, entry in
            entry.key.pool == market.weightPool
                ? max(most, entry.value.budget.usedWeight(atUs: timeUs)) : most
        }
    }
}
