// The `incremental_book_L2` format of tardis.dev: one row per level set.
//
//     exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
//
// Times in microseconds. The rows of one message share their local time; amount 0 removes a level. Rows with
// `is_snapshot` true after rows with false void everything before them: so a book begins, and continues after
// a break. Consecutive rows with true are one snapshot: where a book begins twice without a change, a row
// with false is inserted that removes a level of the first. The format cannot express how far a side is
// known, so only levels inside the proven range are written.

import DepthBook
import MarketData

/// Writes every change of proven levels.
package final class IncrementalSink: BookSink {
    package let file: ExportFile
    private let exchange: [UInt8]
    private var row = ExportText()
    private var head = ExportText()
    /// A level of the snapshot containing a symbol's last row; none if that row is a change.
    private var snapshots: [SymbolName: (side: Side, price: Price, scales: SymbolScales)] = [:]

    /// Starts the file with its header.
    ///
    /// - Parameters:
    ///   - file: the output.
    ///   - exchange: exchange name in this format.
    package init(_ file: ExportFile, exchange: String) {
        (self.file, self.exchange) = (file, Array(exchange.utf8))
        file.write("exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\n".utf8)
    }

    package func begin(_ book: borrowing OrderBook, _ moment: ExportMoment) {
        if let former = snapshots.removeValue(forKey: moment.symbol) {
            beginRow(moment, isSnapshot: false)
            write(self.head.bytes, former.side, PriceLevel(former.price.mantissa, 0), former.scales)
        }
        beginRow(moment, isSnapshot: true)
        let head = head.bytes
        for side in Side.allCases {
            let range = book.proven(side)
            var first: Price?
            book.forEachLevel(side) { level in
                if !range.reaches(level.price, on: side) { return false }
                if first == nil { first = level.price }
                write(head, side, level, moment.scales)
                return true
            }
            if let first { snapshots[moment.symbol] = (side, first, moment.scales) }
        }
        flush()
    }

    package func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>
    ) {
        if changes.bids.isEmpty && changes.asks.isEmpty { return }
        snapshots[moment.symbol] = nil
        beginRow(moment, isSnapshot: false)
        let head = head.bytes
        for level in changes.bids { write(head, .bid, level, moment.scales) }
        for level in changes.asks { write(head, .ask, level, moment.scales) }
        flush()
    }

    private func beginRow(_ moment: ExportMoment, isSnapshot: Bool) {
        head.removeAll()
        head.append(exchange)
        head.append(UInt8(ascii: ","))
        head.append(moment.symbol.bytes)
        head.append(UInt8(ascii: ","))
        head.append(moment.eventTimeUs)
        head.append(UInt8(ascii: ","))
        head.append(moment.receivedAtNs / 1000)
        head.append(isSnapshot ? ",true," : ",false,")
    }

    private func write(_ head: [UInt8], _ side: Side, _ level: PriceLevel, _ scales: SymbolScales) {
        row.append(head)
        row.append(side == .bid ? "bid," : "ask,")
        row.append(level.price, scales)
        row.append(UInt8(ascii: ","))
        row.append(level.quantity, scales)
        row.append(UInt8(ascii: "\n"))
    }

    private func flush() {
        file.write(row.bytes)
        row.removeAll()
    }
}
