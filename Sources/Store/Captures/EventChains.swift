// Whether a symbol's updates come from several connections recorded into one file. The venue may group the
// same changes differently on each connection: then an update begins before the previous one ends, which
// never happens within one subscription of futures.
//
// That alone proves nothing, since the venue might have broken its own chain. Two connections are proven if
// both chains continue: after the overlapping update, an older chain is continued exactly where it ended.

import BookSync
import MarketData

/// The chains of updates of one futures symbol.
struct EventChains {
    /// Most connections that can be told apart.
    static let countMax = 4

    /// Where each chain has ended so far; the most recently continued is last.
    private var ends: [UpdateID] = []
    /// Updates that began before the end of the most advanced chain and continued no chain.
    private(set) var overlapCount = 0
    /// Times an older chain was continued.
    private var returnCount = 0

    /// Whether updates overlap and all of them belong to chains that continue side by side.
    var areSeveral: Bool { overlapCount > 0 && returnCount >= overlapCount }

    /// Adds the next update.
    mutating func take(_ ids: UpdateRange) {
        guard let begins = ids.previousLast else { return }
        // By far the most frequent case: the only chain continues.
        if ends.count == 1 && ends[0] == begins {
            ends[0] = ids.last
            return
        }
        if ends.contains(ids.last) { return }
        if let chain = ends.firstIndex(of: begins) {
            if chain < ends.count - 1 { returnCount += 1 }
            ends.remove(at: chain)
            ends.append(ids.last)
            return
        }
        if let furthest = ends.max(), begins < furthest, furthest < ids.last { overlapCount += 1 }
        if ends.count == EventChains.countMax { ends.removeFirst() }
        ends.append(ids.last)
    }
}
