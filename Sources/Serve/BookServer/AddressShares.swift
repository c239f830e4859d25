// How much of a resource each address holds, so that no single one holds all of it.
//
// An IPv6 network gives its hosts as many addresses as they like, so the first half of an IPv6 address
// counts: the network.
//
// Bounds: one entry per address that holds something.

/// Counts holdings by address.
struct AddressShares {
    private var counts: [String: Int] = [:]

    /// Whether the address may hold one more.
    ///
    /// - Parameters:
    ///   - address: numeric.
    ///   - most: limit per address.
    func admits(_ address: String, most: Int) -> Bool {
        counts[AddressShares.owner(address), default: 0] < most
    }

    /// The address holds one more.
    mutating func take(_ address: String) { counts[AddressShares.owner(address), default: 0] += 1 }

    /// It holds one less.
    mutating func giveBack(_ address: String) {
        let owner = AddressShares.owner(address)
        let left = counts[owner, default: 0] - 1
        counts[owner] = left > 0 ? left : nil
    }

    /// Addresses that hold something.
    var count: Int { counts.count }

    /// The owner of an address: itself, or its network.
    static func owner(_ address: String) -> String {
        // An IPv4 address may appear as the end of an IPv6 one.
        if address.contains(".") {
            return address.lastIndex(of: ":").map { String(address[$0...].dropFirst()) } ?? address
        }
        if !address.contains(":") { return address }
        var groups = AddressShares.groups(address)
        if let gap = address.firstRange(of: "::") {
            let head = AddressShares.groups(String(address[..<gap.lowerBound]))
            let tail = AddressShares.groups(String(address[gap.upperBound...]))
            groups = head + Array(repeating: "0", count: max(8 - head.count - tail.count, 0)) + tail
        }
        return groups.prefix(4).joined(separator: ":") + "::"
    }

    private static func groups(_ text: String) -> [String] { text.split(separator: ":").map(String.init) }
}
