// How much of a resource each owner of addresses holds, so that no single one holds all of it. An owner is an
// IPv4 address, an IPv6 /64 network, or this machine; see `HTTPRequest.owner`.
//
//     owner          may hold
//     --------------|------------------------------------------------------------------------------
//     an address    | `Options.addressPercentMax`: at least two owners are needed to use up a limit
//     this machine  | everything if the server listens on loopback only, otherwise 90 percent
//
// All bots on a machine share its loopback address, so addresses cannot tell a greedy bot from the others. If
// other machines can connect, this one leaves room for them.
//
// Bounds: one entry per owner that holds something.

import LobTransport

/// Counts holdings by owner.
struct AddressShares {
    private var counts: [String: Int] = [:]

    /// The number an owner holds.
    func held(by owner: String) -> Int { counts[owner, default: 0] }

    /// Adds to an owner's holdings.
    mutating func take(_ owner: String, _ count: Int = 1) {
        if count > 0 { counts[owner, default: 0] += count }
    }

    /// Subtracts from an owner's holdings.
    mutating func giveBack(_ owner: String, _ count: Int = 1) {
        let left = held(by: owner) - count
        counts[owner] = left > 0 ? left : nil
    }

    /// Owners that hold something.
    var count: Int { counts.count }
}

/// Limits what one owner may hold.
struct ShareRules: Hashable {
    /// Percentages for an address and for this machine.
    let addressPercent, loopbackPercent: Int

    init(_ options: BookServer.Options) {
        let isAlone = options.address.map { ownerName(of: $0) == loopbackOwner } ?? false
        addressPercent = min(max(options.addressPercentMax, 1), 100)
        loopbackPercent = min(max(options.loopbackPercentMax ?? (isAlone ? 100 : 90), 1), 100)
    }

    /// An owner's share of a limit; at least 1.
    func share(of most: Int, for owner: String) -> Int {
        let percent = owner == loopbackOwner ? loopbackPercent : addressPercent
        return max(most / 100 * percent + most % 100 * percent / 100, 1)
    }
}
