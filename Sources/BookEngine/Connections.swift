// Which connections are up, in the order in which they came up.

/// The connections an engine receives from. A handful at most: the present one and its replacement.
struct Connections: ~Copyable {
    private var sources: [UInt16] = []

    /// The connection that came up last, nil if none is up.
    var newest: UInt16? { sources.last }

    func contains(_ source: UInt16) -> Bool { sources.contains(source) }

    /// Whether `source` came up after `other`. False if either is down.
    func isNewer(_ source: UInt16, than other: UInt16) -> Bool {
        guard let a = sources.firstIndex(of: source), let b = sources.firstIndex(of: other) else {
            return false
        }
        return a > b
    }

    mutating func add(_ source: UInt16) {
        sources.removeAll { $0 == source }
        sources.append(source)
    }

    mutating func remove(_ source: UInt16) { sources.removeAll { $0 == source } }
}
