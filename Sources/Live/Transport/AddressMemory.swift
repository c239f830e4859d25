// The order in which the addresses of a name are tried. Pure.
//
// The resolver sorts by its own rules, the same every time: on a machine without a route to one family, or if
// a broken server comes first, every attempt would start with the same failure. So the families alternate,
// and the order starts after the address that failed last.

/// The addresses that failed last, by host name.
struct AddressMemory {
    /// Most names remembered; the oldest is evicted.
    static let nameCountMax = 64

    private var failures: [(name: String, address: String)] = []

    /// An attempt at an address failed.
    mutating func failed(_ address: String, of name: String) {
        failures.removeAll { $0.name == name }
        if failures.count == Self.nameCountMax { failures.removeFirst() }
        failures.append((name, address))
    }

    /// All of these addresses, in the order in which to try them.
    func order(_ addresses: [String], of name: String) -> [String] {
        let mixed = Self.interleaved(addresses)
        guard let failed = failures.first(where: { $0.name == name }),
            let index = mixed.firstIndex(of: failed.address)
        else { return mixed }
        return Array(mixed[(index + 1)...] + mixed[...index])
    }

    /// The families alternating, each in its own order, starting with the family of the first address.
    private static func interleaved(_ addresses: [String]) -> [String] {
        let first = addresses.first.map { $0.contains(":") }
        let families = [true, false].map { isFirst in
            addresses.filter { ($0.contains(":") == first) == isFirst }
        }
        return (0..<addresses.count).flatMap { index in
            families.compactMap { index < $0.count ? $0[index] : nil }
        }
    }
}
