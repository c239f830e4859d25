// What the engine wants of whoever fetches snapshots and owns the connections.

import FeedPlan
import MarketData

/// What the engine wants of whoever fetches snapshots and owns the connections.
public enum EngineRequest: Hashable, Sendable, CustomStringConvertible {
    /// A snapshot of this symbol, as deep as is wanted; `attempt` counts the fruitless ones before it, so
    /// that they can be made rarer. Replaces an earlier request of the symbol. It is said once: whoever takes
    /// it answers with `receiveSnapshot` or `snapshotFailed`, or the symbol waits for ever.
    case ask(SymbolName, SnapshotPriority, attempt: Int)
    /// No snapshot of this symbol is wanted any more. The answer to a request that was sent before must not
    /// be handed over: it knows nothing of what came in between.
    case cancel(SymbolName)
    /// The streams of this symbol anew: they are silent, or far behind a snapshot.
    case resubscribe(SymbolName)

    /// For people: `snapshot of BTCUSDT, initial`.
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
