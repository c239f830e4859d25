// The tardis.dev formats with the best levels of both sides in one row: `book_snapshot_25`, `book_snapshot_5`
// and `quotes`.
//
//     exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,…
//     exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,bid_price,bid_amount
//
// Times in microseconds. A level outside the proven range is left empty, like a level that does not exist:
// the format cannot distinguish them. A row is written when one of its levels has changed, or for every
// sample.

import DepthBook
import MarketData

/// Writes the best levels.
package final class TopLevelsSink: BookSink {
    /// The format.
    package enum Layout: Hashable, Sendable {
        /// This many levels per side.
        case levels(Int)
        /// Only the best of each side.
        case quotes

        var count: Int {
            switch self {
            case .levels(let count): count
            case .quotes: 1
            }
        }
    }

    private struct Sides: Equatable {
        var bids: [PriceLevel] = []
        var asks: [PriceLevel] = []
        var scales: SymbolScales?
    }

    package let file: ExportFile
    private let exchange: [UInt8]
    private let layout: Layout
    private let isSampled: Bool
    private var row = ExportText()
    private var last: [SymbolName: Sides] = [:]

    package var levelsOfChange: Int { layout.count }

    /// Starts the file with its header.
    ///
    /// - Parameters:
    ///   - file: the output.
    ///   - exchange: exchange name in this format.
    ///   - layout: the format.
    ///   - isSampled: whether unchanged rows are written too.
    package init(_ file: ExportFile, exchange: String, _ layout: Layout, isSampled: Bool) {
        (self.file, self.exchange, self.layout) = (file, Array(exchange.utf8), layout)
        self.isSampled = isSampled
        file.write("exchange,symbol,timestamp,local_timestamp".utf8)
        switch layout {
        case .quotes: file.write(",ask_amount,ask_price,bid_price,bid_amount".utf8)
        case .levels(let count):
            for index in 0..<count {
                file.write(
                    ",asks[\(index)].price,asks[\(index)].amount,bids[\(index)].price,bids[\(index)].amount"
                        .utf8)
            }
        }
        file.write("\n".utf8)
    }

    package func begin(_ book: borrowing OrderBook, _ moment: ExportMoment) {
        last[moment.symbol] = nil
        write(book, moment)
    }

    package func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>
    ) { write(book, moment) }

    private func write(_ book: borrowing OrderBook, _ moment: ExportMoment) {
        var sides = Sides(scales: moment.scales)
        for side in Side.allCases {
            let range = book.proven(side)
            var levels: [PriceLevel] = []
            levels.reserveCapacity(layout.count)
            book.forEachLevel(side) { level in
                if levels.count == layout.count || !range.reaches(level.price, on: side) { return false }
                levels.append(level)
                return true
            }
            if side == .bid { sides.bids = levels } else { sides.asks = levels }
        }
        if !isSampled && last[moment.symbol] == sides { return }
        last[moment.symbol] = sides
        row.append(exchange)
        row.append(UInt8(ascii: ","))
        row.append(moment.symbol.bytes)
        row.append(UInt8(ascii: ","))
        row.append(moment.eventTimeUs)
        row.append(UInt8(ascii: ","))
        row.append(moment.receivedAtNs / 1000)
        for index in 0..<layout.count {
            let (ask, bid) = (
                index < sides.asks.count ? sides.asks[index] : nil,
                index < sides.bids.count ? sides.bids[index] : nil
            )
            if layout == .quotes {
                append(ask?.quantity, moment.scales)
                append(ask?.price, moment.scales)
            } else {
                append(ask?.price, moment.scales)
                append(ask?.quantity, moment.scales)
            }
            append(bid?.price, moment.scales)
            append(bid?.quantity, moment.scales)
        }
        row.append(UInt8(ascii: "\n"))
        file.write(row.bytes)
        row.removeAll()
    }

    private func append(_ price: Price?, _ scales: SymbolScales) {
        row.append(UInt8(ascii: ","))
        if let price { row.append(price, scales) }
    }

    private func append(_ quantity: Quantity?, _ scales: SymbolScales) {
        row.append(UInt8(ascii: ","))
        if let quantity { row.append(quantity, scales) }
    }
}
