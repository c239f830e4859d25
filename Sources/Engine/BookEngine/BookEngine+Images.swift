// Served books as values, for recordings: an engine that adopts them continues exactly as the original did.

import BookSync
import DepthBook
import MarketData

/// A live served book and what an engine needs to continue from it.
package struct ServedImage: Hashable, Sendable {
    /// Symbol of the book.
    package var symbol: SymbolName
    /// The book.
    package var book: BookImage
    /// The connection whose updates it follows.
    package var source: UInt16
    /// Whether the next update comes from another subscription and may begin earlier.
    package var isHandedOver: Bool

    /// An image with these contents.
    ///
    /// - Parameters:
    ///   - symbol: symbol of the book.
    ///   - book: the book.
    ///   - source: the connection whose updates it follows.
    ///   - isHandedOver: whether the next update comes from another subscription.
    package init(symbol: SymbolName, book: BookImage, source: UInt16, isHandedOver: Bool) {
        (self.symbol, self.book, self.source, self.isHandedOver) = (symbol, book, source, isHandedOver)
    }
}

extension BookEngine {
    /// Number of times a served book was restarted or replaced, over all symbols. While it is constant, every
    /// book is purely the result of updates.
    package var replacementCount: Int { shared.replacementCount }

    /// The same for one symbol; 0 if the engine does not hold it.
    package borrowing func replacementCount(of name: SymbolName) -> Int {
        let slot = table.slot(of: name)
        return slot < 0 ? 0 : books[slot].replacementCount
    }

    /// Number of times a served book was given up, over all symbols.
    package var lossCount: Int { shared.lossCount }

    /// The last tick processed: its monotonic time, or its receive time if it carried none.
    package var tickNs: Int64 { shared.clock.tickNs }

    /// The connections that are up, in the order in which they came up.
    package var connectedSources: [UInt16] { shared.connections.sources }

    /// The image of a live book; nil if the engine does not hold the symbol or does not trust its book.
    /// Thread: the engine's. O(levels).
    package borrowing func image(of name: SymbolName) -> ServedImage? {
        let slot = table.slot(of: name)
        if slot < 0 { return nil }
        return books[slot].image
    }

    /// Continues from an image: the book is live, whatever was in its place.
    ///
    /// - Returns: false if the engine does not hold the symbol or the connection is not up.
    package mutating func adopt(_ image: ServedImage) -> Bool {
        let slot = table.slot(of: image.symbol)
        if slot < 0 || !shared.connections.contains(image.source) { return false }
        books[slot].adopt(image)
        note(slot)
        return true
    }
}

extension SymbolBook {
    fileprivate var image: ServedImage? {
        guard isLastingly, let source = source.connection else { return nil }
        var isHandedOver = false
        if case .handedOver = served.sync.state { isHandedOver = true }
        return ServedImage(
            symbol: name, book: served.book.image, source: source, isHandedOver: isHandedOver)
    }

    fileprivate func adopt(_ image: ServedImage) {
        let adopted = SyncedBook(shared)
        adopted.book.restore(image.book)
        adopted.sync = DepthSynchronizer(
            rule: shared.configuration.rules.sequence, liveAt: image.book.lastUpdateID,
            isHandedOver: image.isHandedOver)
        if candidate != nil { dropCandidate(failed: false) }
        if served.sync.isCollecting { cancelSnapshot() }
        if source.connection != image.source {
            moveOver(to: image.source)
        }
        loss.joined()
        doubt.forget()
        gap.close()
        behind.end()
        ahead.removeAll()
        contrary.end()
        source.settled()
        crossChecks.forgetFormerTime()
        served = adopted
        appliedAtLoad = counters.applied
        joins.joined(nowNs: shared.nowNs)
        audits.looked(nowNs: shared.nowNs)
        mailboxes.changed()
        judge()
    }
}
