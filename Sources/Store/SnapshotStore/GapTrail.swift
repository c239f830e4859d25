// The gaps of one book, from looks at its view and, once a second, at its status.
//
// A loss that was over before any look appears only in the counters. It lies between the last two statuses,
// so its gap spans from the look before the former to the look at the latter, which contains it.

import BookEngine
import BookService
import DepthBook
import MarketData

/// Turns looks at one book into gaps.
struct GapTrail {
    private let symbol: SymbolName
    private var monitor = BookMonitor()
    private var gap: StoredGap?
    private var liveID: UpdateID?
    private var lookedAtNs: Int64?
    /// A time before the last status was made, and its update id.
    private var lastStatus: (fromNs: Int64, id: UpdateID)?

    /// A trail that starts now: until it is live, the book is in a gap.
    init(_ symbol: SymbolName) { self.symbol = symbol }

    /// Processes a look.
    ///
    /// - Parameters:
    ///   - view: the current view.
    ///   - status: nil if there is none newer than at the previous look.
    ///   - atNs: the current time since 1970.
    ///   - monotonicNs: the current monotonic time.
    ///   - number: returns the number of the next gap.
    /// - Returns: gaps that have begun or ended.
    mutating func look(
        _ view: BookView, _ status: SymbolStatus?, atNs: Int64, monotonicNs: Int64, number: () -> Int
    ) -> [StoredGap] {
        var gaps: [StoredGap] = []
        if gap == nil && liveID == nil && view.state != .live {
            gaps.append(begin(view.state == .syncing ? "syncing" : "\(view.reason)", atNs, number()))
        }
        for news in monitor.look(view, status, atNs: monotonicNs) {
            switch news {
            case .live, .liveAgain:
                if var over = gap {
                    (over.toNs, over.idAfter) = (atNs, view.lastUpdateID)
                    gaps.append(over)
                    gap = nil
                }
            case .stale(let reason): if gap == nil { gaps.append(begin("\(reason)", atNs, number())) }
            case .mended:
                var over = StoredGap(
                    number: number(), symbol: symbol, fromNs: min(lastStatus?.fromNs ?? atNs, atNs),
                    reason: "mended", idBefore: lastStatus?.id ?? liveID)
                (over.toNs, over.idAfter) = (atNs, status?.lastUpdateID ?? view.lastUpdateID)
                gaps.append(over)
            default: break
            }
        }
        if view.state == .live { liveID = view.lastUpdateID }
        if let status { lastStatus = (lookedAtNs ?? atNs, status.lastUpdateID) }
        lookedAtNs = atNs
        return gaps
    }

    private mutating func begin(_ reason: String, _ atNs: Int64, _ number: Int) -> StoredGap {
        let begun = StoredGap(
            number: number, symbol: symbol, fromNs: atNs, reason: reason, idBefore: liveID)
        gap = begun
        return begun
    }
}
