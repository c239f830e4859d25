// The books of a recording, frame by frame, for an export.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BookExports
import BookRecording
import LobRecording
import MarketData

/// Leads the frames of a stream through an engine to an exporter.
enum RecordedExport {
    /// Exports a stream. What is behind the last whole block of a segment that was not closed is told, and is
    /// no damage, as for a verification: the recorder may be at work.
    ///
    /// - Returns: whether something of it is damaged.
    static func run(
        _ stream: RecordedStream, _ path: String, _ part: RecordedPart, _ exporter: inout BookExporter
    ) throws(SegmentError) -> Bool {
        let only = part.symbols
        var walk = RecordingWalk(
            stream, fromNs: part.from?.ns ?? .min, toNs: part.to?.ns ?? .max,
            symbols: only.map { Set($0.map(\.bytes)) })
        var engine = RecordedEngine(isExact: walk.beginsAtRun, symbols: only)
        var progress = ProgressLine()
        let span = stream.roughSpanNs
        var changed: [SymbolName] = []
        try walk.forEach { item in
            var atNs: Int64 = 0
            if case .frame(let frame) = item {
                atNs = frame.receivedAtNs
                progress.show(path, Double(atNs - span.fromNs) / Double(max(span.toNs - span.fromNs, 1)))
                exporter.advance(atNs: atNs) { symbol, body in
                    if engine.isTrusted(symbol) { _ = engine.withBook(symbol, body) }
                }
            }
            engine.take(item)
            changed.removeAll(keepingCapacity: true)
            engine.takeChanged { changed.append($0) }
            for symbol in changed {
                if case .frame(let frame) = item {
                    show(symbol, engine, unsafe frame.bytes.span, atNs, &exporter)
                } else {
                    show(symbol, engine, Span(), atNs, &exporter)
                }
            }
            return !StopSignals.isRaised && !exporter.hasFailed && !exporter.isOver(atNs: atNs)
        }
        progress.clear()
        engine.finish()
        for segment in walk.openSegments {
            printError(
                "lob: not closed: \(segment.path), \(segment.cutBytes) bytes behind the last whole block; "
                    + "what came after it is not known")
        }
        return engine.mismatchCount > 0 || walk.damagedBlocks > 0 || walk.damagedBytes > 0
            || engine.counters.unlistedBlocks > 0 || engine.counters.unreadableRecords > 0
    }

    private static func show(
        _ symbol: SymbolName, _ engine: borrowing RecordedEngine, _ message: Span<UInt8>, _ atNs: Int64,
        _ exporter: inout BookExporter
    ) {
        let (isProven, count) = (engine.isTrusted(symbol), engine.replacementCount(of: symbol))
        engine.withLastUpdate { update in
            _ = engine.withBook(symbol) { book in
                exporter.look(
                    symbol, isProven: isProven, book, replacements: count, update, message: message,
                    atNs: atNs)
            }
        }
    }
}
