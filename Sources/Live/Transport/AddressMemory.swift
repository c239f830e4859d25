// The order in which the addresses of a name are tried. Pure.
//
// The resolver sorts by its own rules, the same every time: on a machine without a route to one family, or
// with a broken machine of the service first in the list, every attempt would begin with the same failure. So
// the families take turns, and the order begins after the address that failed last.

/// The addresses that failed last, by name.
struct AddressMemory {
    /// Most names that are remembered; the oldest one gives way.
    static let nameCountMax = 64

    private var failures: [(name: String, address: String)] = []

    /// An attempt at an address failed.
    mutating func failed(_ address: String, of name: String) {
        failures.removeAll { $0.name == name }
        if failures.count == Self.nameCountMax { failures.removeFirst() }
        failures.append((name, address))
    }

    /// All of the addresses, in the order to try them.
    func order(_ addresses: [String], of name: String) -> [String] {
        let mixed = Self.interleaved(addresses)
        guard let failed = failures.first(where: { $0.name == name }),
            let index = mixed.firstIndex(of: failed.address)
        else { return mixed }
        return Array(mixed[(index + 1)...] + mixed[...index])
    }

    /// The families in turn, each in its order, starting with the family of the first address.
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
