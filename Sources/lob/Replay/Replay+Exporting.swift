// An exporter that follows the books of a replay.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BookEngine
import BookExports
import DepthBook
import LobHandoff
import MarketData

extension Replay {
    /// Takes the samples that are due before a frame.
    mutating func sample(before frame: Frame) {
        guard var exporter = exporter.take() else { return }
        exporter.advance(atNs: frame.receivedAtNs) { symbol, body in _ = engine.withBook(symbol, body) }
        self.exporter = exporter
    }

    /// Shows the exporter the books that a frame has changed.
    mutating func export(behind frame: Frame) {
        guard var exporter = exporter.take() else { return }
        var slots: [Int] = []
        engine.takeChanged { slots.append($0) }
        let names = engine.symbols
        for slot in slots {
            let symbol = names[slot]
            let isProven = engine.mark(of: symbol)?.state == .live
            let count = engine.replacementCount(of: symbol)
            engine.withLastUpdate { update, _ in
                _ = engine.withBook(symbol) { book in
                    exporter.look(
                        symbol, isProven: isProven, book, replacements: count, update,
                        message: unsafe frame.bytes.span, atNs: frame.receivedAtNs)
                }
            }
        }
        if exporter.hasFailed || exporter.isOver(atNs: frame.receivedAtNs) { isEnough = true }
        self.exporter = exporter
    }
}
