// Number of requests by each address in this second.
//
// Bounds: `countMax` addresses; all further ones share one count.

/// Counts requests by address and second.
struct RequestPace {
    private static let countMax = 4_096
    private var second: UInt64 = 0
    private var counts: [String: Int] = [:]

    /// Counts a request; false if it exceeds the limit in this second.
    mutating func admits(_ address: String, nowNs: UInt64, most: Int) -> Bool {
        let now = nowNs / 1_000_000_000
        if now != second {
            second = now
            counts.removeAll(keepingCapacity: counts.count < RequestPace.countMax)
        }
        let isKnown = counts[address] != nil || counts.count < RequestPace.countMax
        return count(isKnown ? address : "") <= most
    }

    private mutating func count(_ address: String) -> Int {
        let count = counts[address, default: 0] + 1
        counts[address] = count
        return count
    }
}
