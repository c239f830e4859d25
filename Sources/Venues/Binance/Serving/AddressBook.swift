// What is remembered of client addresses, shared by all servers of a process: USD-M and COIN-M have one
// budget. An IPv6 network counts as one address; callers pass `HTTPRequest.owner`.
//
//     address | book       | what happens
//     --------|------------|------------------------------------------------------------------
//     known   | any        | it has its entry
//     new     | not full   | it gets an entry
//     new     | full       | entries whose limits are all over are forgotten, then as above
//     new     | still full | it shares one of `sharedCount` entries with others, until there is room
//
// A shared entry is limited as others are, but never banned: one greedy address must not shut out the rest.
// With an entry the number of its former bans is forgotten. Bounds: `countMax` entries, and `sharedCount`
// shared ones for each pool of weights; they are gone through once a second at most.

import BinanceVenue
import FeedPlan
import MarketData

/// Known client addresses. Thread: that of the servers' loop.
package final class AddressBook {
    private struct Key: Hashable {
        var address: String
        var pool: WeightPool
        var isShared = false
    }

    /// Most entries of its own that are kept.
    package static let countMax = 4_096
    /// Most entries that are shared, for each pool of weights.
    package static let sharedCount = 64
    private static let sweepEveryUs: Int64 = 1_000_000
    private let countMax: Int
    private let sharedCount: Int
    private var entries: [Key: ClientAddress] = [:]
    private var sweptUs: Int64?

    /// An empty address book.
    ///
    /// - Parameters:
    ///   - countMax: most entries.
    ///   - sharedCount: most shared ones for each pool, at least one.
    package init(countMax: Int = AddressBook.countMax, sharedCount: Int = AddressBook.sharedCount) {
        self.countMax = countMax
        self.sharedCount = max(1, sharedCount)
    }

    /// Entries now, shared ones included.
    package var count: Int { entries.count }

    private func key(_ address: String, _ market: Market, _ timeUs: Int64) -> Key {
        let key = Key(address: address, pool: market.weightPool)
        if entries[key] != nil || hasRoom(atUs: timeUs) { return key }
        // The standard library's seed differs between processes: who shares with whom cannot be chosen.
        let share = UInt(bitPattern: address.hashValue) % UInt(sharedCount)
        return Key(address: "\(share)", pool: market.weightPool, isShared: true)
    }

    private func hasRoom(atUs timeUs: Int64) -> Bool {
        if entries.count < countMax { return true }
        // A clock that was set back must not keep the book full.
        if let sweptUs, (sweptUs..<sweptUs + Self.sweepEveryUs).contains(timeUs) { return false }
        sweptUs = timeUs
        entries = entries.filter { !$0.value.isOver(atUs: timeUs) }
        return entries.count < countMax
    }

    /// The record of an address in a market's pool, at a time that may let others be forgotten.
    package subscript(address: String, market: Market, atUs timeUs: Int64) -> ClientAddress {
        get {
            let key = key(address, market, timeUs)
            return entries[key] ?? ClientAddress(ServingRules(market), isShared: key.isShared)
        }
        set { entries[key(address, market, timeUs)] = newValue }
    }

    /// The largest weight used by any address in the minute of this time.
    package func usedWeight(_ market: Market, atUs timeUs: Int64) -> Int {
        entries.reduce(0) { most, entry in
            entry.key.pool == market.weightPool
                ? max(most, entry.value.budget.usedWeight(atUs: timeUs)) : most
        }
    }
}
