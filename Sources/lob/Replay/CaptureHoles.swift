// Update ids that are missing in captures.

import BookSync
import MarketData

/// A place where the updates of a symbol are not contiguous.
struct CaptureHole {
    var symbol: SymbolName
    /// The last id before the hole.
    var idBefore: UpdateID
    /// The first id after it; for linked updates, the id that they follow.
    var idAfter: UpdateID
    /// Times of the updates around it, in nanoseconds since 1970; 0 if unknown.
    var fromNs: Int64
    var toNs: Int64
    /// File and line of the update after it.
    var origin: String
}

/// The holes of captures that are replayed together.
struct CaptureHoles {
    /// Maximum number of holes kept; all are counted.
    static let countMax = 100_000

    private(set) var all: [CaptureHole] = []
    private(set) var count = 0
    /// Number of holes of each symbol.
    private(set) var counts: [SymbolName: Int] = [:]
    private var lastNs: [SymbolName: Int64] = [:]

    /// Notes an update that extends those before it, the last of which ended at `expected`.
    mutating func take(
        _ symbol: SymbolName, _ ids: UpdateRange, after expected: UpdateID?, _ rule: SequenceRule,
        atNs: Int64, origin: @autoclosure () -> String
    ) {
        defer { lastNs[symbol] = atNs }
        guard let expected, rule.follow(ids, expected) == .gap else { return }
        count += 1
        counts[symbol, default: 0] += 1
        if all.count >= CaptureHoles.countMax { return }
        all.append(
            CaptureHole(
                symbol: symbol, idBefore: expected, idAfter: ids.previousLast ?? ids.first,
                fromNs: lastNs[symbol] ?? 0, toNs: atNs, origin: origin()))
    }
}
