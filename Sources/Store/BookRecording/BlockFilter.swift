// Which blocks of a segment a replay of a few symbols must read.

import LobRecording

/// Blocks that concern certain symbols.
struct BlockFilter {
    private let numbers: [Int]
    /// Times at which one of their gaps begins or ends, ascending.
    private let turnsNs: [Int64]

    /// The filter for a segment; nil if nothing tells what its blocks hold.
    init?(_ reader: SegmentReader, of symbols: Set<[UInt8]>) {
        if !reader.isClosed { return nil }
        numbers = reader.index.symbols.enumerated().filter { symbols.contains($0.element) }.map(\.offset)
        let gaps = reader.index.gaps.filter { $0.symbol.isEmpty || symbols.contains($0.symbol) }
        turnsNs = gaps.flatMap { [$0.fromNs, $0.toNs] }.sorted()
    }

    /// Whether a block must be read.
    func wants(_ entry: SegmentIndex.Entry) -> Bool {
        if entry.isBase || numbers.contains(where: entry.holds) { return true }
        var (low, high) = (0, turnsNs.count)
        while low < high {
            let middle = (low + high) / 2
            if turnsNs[middle] < entry.firstAtNs { low = middle + 1 } else { high = middle }
        }
        return low < turnsNs.count && turnsNs[low] <= entry.lastAtNs
    }
}
