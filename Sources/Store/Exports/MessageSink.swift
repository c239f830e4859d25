// The plain text format of public collectors: one line per message, preceded by its receive time in
// nanoseconds.
//
// A book begins with a REST depth body of its proven levels, followed by the original updates; between a
// break and the next proof there is nothing. Readers take the longer side of a body as truncated and the
// shorter one as complete: so a side known only down to a price is never the shorter one. With several
// symbols the body is wrapped in an envelope that names its symbol.

import DepthBook
import MarketData

/// Writes bodies and messages.
package final class MessageSink: BookSink {
    package let file: ExportFile
    private let namesSymbols: Bool
    private var line = ExportText()
    /// Symbols whose book could be written as a body.
    private var begun: Set<SymbolName> = []

    /// Starts the file.
    ///
    /// - Parameters:
    ///   - file: the output.
    ///   - namesSymbols: whether a body is wrapped in an envelope with its symbol.
    package init(_ file: ExportFile, namesSymbols: Bool) {
        (self.file, self.namesSymbols) = (file, namesSymbols)
    }

    /// Levels per side of a body that claims no more than is known; 0: not possible.
    static func counts(
        _ proven: (bids: Int, asks: Int), _ areComplete: (bids: Bool, asks: Bool)
    ) -> (bids: Int, asks: Int) {
        var counts = proven
        if !areComplete.bids { counts.asks = min(counts.asks, counts.bids) }
        if !areComplete.asks { counts.bids = min(counts.bids, counts.asks) }
        // Frames of a raw partial depth stream have these lengths.
        let most = max(counts.bids, counts.asks)
        if [5, 10, 20].contains(most) {
            counts = (min(counts.bids, most - 1), min(counts.asks, most - 1))
        }
        return counts
    }

    package func begin(_ book: borrowing OrderBook, _ moment: ExportMoment) {
        begun.remove(moment.symbol)
        let counts = MessageSink.counts(
            (book.provenLevelCount(.bid), book.provenLevelCount(.ask)),
            (book.provenBids == .unbounded, book.provenAsks == .unbounded))
        if counts.bids == 0 || counts.asks == 0 { return }
        begun.insert(moment.symbol)
        line.append(moment.receivedAtNs)
        line.append(UInt8(ascii: " "))
        if namesSymbols {
            line.append("{\"symbol\":\"")
            line.append(moment.symbol.bytes)
            line.append("\",\"data\":")
        }
        line.append("{\"lastUpdateId\":")
        line.append(book.lastUpdateID.value)
        line.append(",\"bids\":[")
        append(book, .bid, counts.bids, moment.scales)
        line.append("],\"asks\":[")
        append(book, .ask, counts.asks, moment.scales)
        line.append(namesSymbols ? "]}}\n" : "]}\n")
        flush()
    }

    private func append(_ book: borrowing OrderBook, _ side: Side, _ count: Int, _ scales: SymbolScales) {
        var index = 0
        book.forEachLevel(side) { level in
            if index == count { return false }
            line.append(index == 0 ? "[\"" : ",[\"")
            line.append(level.price, scales)
            line.append("\",\"")
            line.append(level.quantity, scales)
            line.append("\"]")
            index += 1
            return true
        }
    }

    package func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>
    ) {
        if !begun.contains(moment.symbol) { return }
        line.append(moment.receivedAtNs)
        line.append(UInt8(ascii: " "))
        flush()
        file.write(message)
        file.write(CollectionOfOne(UInt8(ascii: "\n")))
    }

    private func flush() {
        file.write(line.bytes)
        line.removeAll()
    }
}
