// The engine as a whole: what a message costs on its way through `BookEngine.step`, with the checks of its
// ids, its time and its source that the stages beside it do without.

import BinanceVenue
import BookEngine
import DepthBook
import LobHandoff
import MarketData

/// Frame to book.
struct EngineStep: ~Copyable, Contender {
    let workload: Workload
    private let messages: MessageView
    private var engine: BookEngine

    init(_ workload: Workload) {
        self.workload = workload
        messages = workload.messages.view
        engine = EngineStep.engine(workload)
    }

    /// An engine that has the snapshot.
    private static func engine(_ workload: Workload) -> BookEngine {
        var configuration = EngineConfiguration(rules: workload.market.rules)
        configuration.levelCountMax = 100_000
        configuration.publication = .conflated
        var engine = BookEngine(configuration)
        engine.addSymbol(workload.symbol)
        engine.connect(receivedAtNs: 0)
        let body = workload.snapshotBody
        engine.receiveSnapshot(body.span, of: workload.symbol, limit: nil, receivedAtNs: 0)
        return engine
    }

    var count: Int { workload.count }
    var touched: UInt64 { UInt64(engine.status(workload.symbol)?.counters.applied ?? 0) }

    mutating func rewind() {
        // Or what was counted was not the path of a live book.
        precondition(engine.counters.frames <= 2 || touched == count, "\(touched) of \(count) were applied")
        engine = EngineStep.engine(workload)
    }

    @inline(__always)
    mutating func take(_ index: Int) {
        engine.step(
            Frame(
                kind: .message, source: 0, receivedAtNs: Int64(index) * 1_000_000, bytes: messages[index],
                readableAfter: MessageArena.readableAfterBytes))
    }

    mutating func digest() throws -> UInt64 { engine.withBook(workload.symbol) { $0.digest() } ?? 0 }
}
