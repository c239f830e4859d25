// The requests of an engine until its owner takes them. An owner who never does must not cost ever more
// memory: from time to time, requests that later ones have replaced are dropped.
//
// Bounds: twice three requests per symbol, or `roomMin`. Worst case: an append is amortised O(1).

import FeedPlan
import MarketData

/// Requests not yet taken, oldest first.
struct PendingRequests {
    /// Up to this many, nothing is dropped.
    static let roomMin = 1024

    private(set) var all: [EngineRequest] = []
    private var room = PendingRequests.roomMin

    mutating func append(_ request: EngineRequest) {
        all.append(request)
        if all.count > room { forgetReplaced() }
    }

    mutating func removeAll() { all.removeAll(keepingCapacity: true) }

    /// Keeps the last request of a kind per symbol, of snapshots with the urgency of the most urgent, as a
    /// planner would; what was asked for before a `cancel` is void.
    private mutating func forgetReplaced() {
        struct Later {
            /// Place among those kept.
            var ask: Int?
            var cancels = false
            var resubscribes = false
        }
        var later: [SymbolName: Later] = [:]
        var kept: [EngineRequest] = []
        for request in all.reversed() {
            switch request {
            case .ask(let symbol, let priority, _):
                let known = later[symbol, default: Later()]
                if known.cancels { continue }
                if let place = known.ask {
                    if case .ask(_, let urgent, let attempt) = kept[place], priority < urgent {
                        kept[place] = .ask(symbol, priority, attempt: attempt)
                    }
                    continue
                }
                later[symbol, default: Later()].ask = kept.count
            case .cancel(let symbol):
                if later[symbol]?.cancels == true { continue }
                later[symbol, default: Later()].cancels = true
            case .resubscribe(let symbol):
                if later[symbol]?.resubscribes == true { continue }
                later[symbol, default: Later()].resubscribes = true
            }
            kept.append(request)
        }
        all = kept.reversed()
        room = max(PendingRequests.roomMin, 2 * all.count)
    }
}
