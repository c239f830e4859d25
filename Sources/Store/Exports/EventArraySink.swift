// The event array of hftbacktest as `.npz`: a ZIP archive with one stored member, `data.npy`, with 64 bytes
// per row.
//
//     ev u64 · exch_ts i64 · local_ts i64 · px f64 · qty f64 · order_id u64 · ival i64 · fval f64
//
// `ev` is 1 for a level that was set, 3 for clear, 4 for a level of a snapshot, or-ed with 0x20000000 bid or
// 0x10000000 ask, and with 0x80000000 and 0x40000000: by both clocks. Times in nanoseconds. A book begins
// with a clear of each side down to NaN, which is all of it, so that nothing written before a break survives,
// and a row for each proven level. `ival` is 1 if the side is complete and 0 if it is known only down to a
// price; a clear has that price in `fval`, NaN if there is none.
//
// The backtest requires times that never go back, and no receipt before the event: where a capture says
// otherwise, the later time is used, counted and reported.

import DepthBook
import MarketData

/// Writes the event array of one symbol.
package final class EventArraySink: BookSink {
    private enum Flag {
        static let change: UInt64 = 1
        static let clear: UInt64 = 3
        static let snapshot: UInt64 = 4
        static let clocks: UInt64 = 0xC000_0000
        static let bid: UInt64 = 0x2000_0000
        static let ask: UInt64 = 0x1000_0000
    }

    package let file: ExportFile
    private var rowCount = 0
    /// Rows that are not yet in the file, eight words each.
    private var rows: [UInt64] = []
    private var check: UInt32 = 0
    private var lastNs: (exchange: Int64, local: Int64) = (0, 0)
    private var earlyCount = 0
    private var earliestNs: Int64 = 0

    /// Starts the file, which must be patchable.
    package init(_ file: ExportFile) {
        self.file = file
        file.write(EventArchive.head(rowCount: 0, check: 0))
    }

    package var note: String? {
        if earlyCount == 0 { return nil }
        return "\(earlyCount) messages were received before the venue made them, by up to "
            + "\(-earliestNs / 1_000_000) ms: the clocks differ; the time of the event stands for both "
            + "(--shift-local moves the times of receipt)"
    }

    package func begin(_ book: borrowing OrderBook, _ moment: ExportMoment) {
        let times = times(moment)
        for side in Side.allCases {
            let range = book.proven(side)
            var bound = Double.nan
            if case .to(let price) = range { bound = moment.scales.double(price) }
            add(Flag.clear, side, times, .nan, 0, range == .unbounded, bound)
            book.forEachLevel(side) { level in
                if !range.reaches(level.price, on: side) { return false }
                add(Flag.snapshot, side, times, level, moment.scales, range == .unbounded)
                return true
            }
        }
        flush()
    }

    package func change(
        _ changes: ExportedChanges, _ book: borrowing OrderBook, _ moment: ExportMoment,
        _ message: Span<UInt8>
    ) {
        let times = times(moment)
        let areComplete = (bids: book.provenBids == .unbounded, asks: book.provenAsks == .unbounded)
        for level in changes.bids {
            add(Flag.change, .bid, times, level, moment.scales, areComplete.bids)
        }
        for level in changes.asks {
            add(Flag.change, .ask, times, level, moment.scales, areComplete.asks)
        }
        flush()
    }

    private func times(_ moment: ExportMoment) -> (exchange: Int64, local: Int64) {
        let eventNs = moment.eventTimeUs.multipliedReportingOverflow(by: 1000)
        let exchangeNs = max(eventNs.overflow ? moment.receivedAtNs : eventNs.partialValue, lastNs.exchange)
        let (earlyNs, overflow) = moment.receivedAtNs.subtractingReportingOverflow(exchangeNs)
        if earlyNs < 0 || overflow {
            earlyCount += 1
            earliestNs = min(earliestNs, overflow ? 0 : earlyNs)
        }
        lastNs = (exchangeNs, max(moment.receivedAtNs, exchangeNs, lastNs.local))
        return lastNs
    }

    private func add(
        _ event: UInt64, _ side: Side, _ times: (exchange: Int64, local: Int64), _ level: PriceLevel,
        _ scales: SymbolScales, _ isComplete: Bool
    ) {
        add(event, side, times, scales.double(level.price), scales.double(level.quantity), isComplete, 0)
    }

    private func add(
        _ event: UInt64, _ side: Side, _ times: (exchange: Int64, local: Int64), _ price: Double,
        _ quantity: Double, _ isComplete: Bool, _ bound: Double
    ) {
        append(event | Flag.clocks | (side == .bid ? Flag.bid : Flag.ask))
        append(UInt64(bitPattern: times.exchange))
        append(UInt64(bitPattern: times.local))
        append(price.bitPattern)
        append(quantity.bitPattern)
        append(0)
        append(isComplete ? 1 : 0)
        append(bound.bitPattern)
        rowCount += 1
    }

    private func append(_ word: UInt64) { rows.append(word.littleEndian) }

    private func flush() {
        if rows.isEmpty { return }
        check = ArchiveCheck.joined(check, rows)
        file.write(rows)
        rows.removeAll(keepingCapacity: true)
    }

    package func finish() throws(ExportError) {
        let array = EventArchive.arrayHead(rowCount: rowCount)
        let head = CRC32.value(of: array.span, .ieee)
        let whole = ArchiveCheck.joined(head, check, length: rowCount * EventArchive.rowBytes)
        file.write(EventArchive.tail(rowCount: rowCount, check: whole))
        file.patch(at: 0, EventArchive.head(rowCount: rowCount, check: whole))
        try file.finish()
    }
}
