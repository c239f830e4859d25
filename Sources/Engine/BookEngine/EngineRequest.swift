// What the engine requests from the owner of snapshots and connections.

import FeedPlan
import MarketData

/// What the engine requests from the owner of snapshots and connections.
public enum EngineRequest: Hashable, Sendable, CustomStringConvertible {
    /// Fetch a depth snapshot of this symbol. `attempt` is the number of failed attempts so far, for backoff.
    /// Replaces an earlier request for the symbol, but is as urgent as the more urgent of both. Issued once:
    /// answer with `receiveSnapshot` or `snapshotFailed`, or the symbol never recovers.
    case ask(SymbolName, SnapshotPriority, attempt: Int)
    /// Cancel this symbol's request. Do not deliver the answer to a request sent earlier: it predates what
    /// has happened since.
    case cancel(SymbolName)
    /// Resubscribe this symbol's streams: they are silent, or far behind a snapshot.
    case resubscribe(SymbolName)

    /// Text for logs: `snapshot of BTCUSDT, initial`.
    public var description: String {
        switch self {
        case .ask(let symbol, let priority, 0): "snapshot of \(symbol), \(priority)"
        case .ask(let symbol, let priority, let attempt):
            "snapshot of \(symbol), \(priority), after \(attempt) in vain"
        case .cancel(let symbol): "no snapshot of \(symbol) any more"
        case .resubscribe(let symbol): "streams of \(symbol) anew"
        }
    }
}
