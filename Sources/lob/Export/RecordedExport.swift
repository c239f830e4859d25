// The books of a recording, frame by frame, for an export: all shards together, in the order of their times.
//
// SAFETY: bytes of a frame are read during the call that lends them.

import BookExports
import BookRecording
import LobRecording
import MarketData

/// Feeds the frames of a recording to engines, whose books an exporter follows.
enum RecordedExport {
    /// A shard and its engine.
    private final class Shard {
        var engine: RecordedEngine
        /// Whether its stream has ended.
        var isOver = false

        init(_ engine: consuming RecordedEngine) { self.engine = engine }

        func trusts(_ symbol: SymbolName) -> Bool { !isOver && engine.isTrusted(symbol) }
    }

    /// What is wrong with a recording.
    struct Faults {
        /// Whether any of it is damaged or was cut.
        var isDamaged = false
        /// Whether a file was left out.
        var isPartial = false
    }

    /// Exports the streams of one recording, and says what is wrong with it. What follows the requested time
    /// is read as far as it proves samples.
    static func run(
        _ streams: [RecordedStream], _ path: String, _ part: RecordedPart, _ exporter: inout BookExporter
    ) throws(SegmentError) -> Faults {
        let only = part.symbols
        let toNs = exporter.isSampling ? .max : part.to?.ns ?? .max
        var merged = MergedWalk(
            streams.map { stream in
                RecordingWalk(
                    stream, fromNs: part.from?.ns ?? .min, toNs: toNs,
                    symbols: only.map { Set($0.map(\.bytes)) })
            })
        let shards = merged.walks.map { Shard(RecordedEngine(isExact: $0.beginsAtRun, symbols: only)) }
        var progress = ProgressLine()
        let spans = streams.map(\.roughSpanNs)
        let fromNs = spans.map(\.fromNs).min() ?? 0
        let lengthNs = max((spans.map(\.toNs).max() ?? 0) - fromNs, 1)
        var changed: [SymbolName] = []
        try merged.forEach(ended: { number in
            shards[number].isOver = true
            end(shards[number], among: shards, isBreak: false, &exporter)
        }) { number, item in
            var atNs: Int64 = 0
            if case .frame(let frame) = item {
                atNs = frame.receivedAtNs
                progress.show(path, Double(atNs - fromNs) / Double(lengthNs))
                exporter.advance(atNs: atNs) { symbol, body in
                    for shard in shards where shard.trusts(symbol) {
                        _ = shard.engine.withBook(symbol, body)
                        return
                    }
                }
            }
            let shard = shards[number]
            if case .newRun = item { end(shard, among: shards, isBreak: true, &exporter) }
            shard.engine.take(item)
            changed.removeAll(keepingCapacity: true)
            shard.engine.takeChanged { changed.append($0) }
            for symbol in changed {
                if case .frame(let frame) = item {
                    show(symbol, shard, unsafe frame.bytes.span, atNs, &exporter)
                } else {
                    show(symbol, shard, Span(), atNs, &exporter)
                }
            }
            return !StopSignals.isRaised && !exporter.hasFailed && !exporter.isOver(atNs: atNs)
        }
        progress.clear()
        var faults = Faults()
        for (walk, shard) in zip(merged.walks, shards) {
            shard.engine.finish()
            faults.isDamaged = isDamaged(walk, shard) || faults.isDamaged
            faults.isPartial = faults.isPartial || !walk.leftOut.isEmpty
        }
        return faults
    }

    /// The run of a shard has ended: its symbols are told to the exporter, unless another shard has them now.
    private static func end(
        _ shard: Shard, among shards: [Shard], isBreak: Bool, _ exporter: inout BookExporter
    ) {
        for symbol in shard.engine.symbols {
            if shards.contains(where: { $0 !== shard && $0.trusts(symbol) }) { continue }
            exporter.end(symbol, isBreak: isBreak)
        }
    }

    /// Says what was left out or was cut, and whether anything is damaged.
    private static func isDamaged(_ walk: RecordingWalk, _ shard: Shard) -> Bool {
        for error in walk.leftOut { RecordingInputs.complain(ofLeftOut: error) }
        for segment in walk.openSegments {
            printError(
                "lob: not closed: \(segment.path), \(segment.cutBytes) bytes behind the last whole block; "
                    + "what came after it is not known")
        }
        let counters = shard.engine.counters
        return shard.engine.mismatchCount > 0 || walk.damagedBlocks > 0 || walk.damagedBytes > 0
            || walk.cutBytes > 0 || counters.unlistedBlocks > 0 || counters.unreadableRecords > 0
    }

    private static func show(
        _ symbol: SymbolName, _ shard: Shard, _ message: Span<UInt8>, _ atNs: Int64,
        _ exporter: inout BookExporter
    ) {
        let isProven = shard.engine.isTrusted(symbol)
        let count = shard.engine.replacementCount(of: symbol)
        shard.engine.withLastUpdate { update in
            _ = shard.engine.withBook(symbol) { book in
                exporter.look(
                    symbol, isProven: isProven, book, replacements: count, update, message: message,
                    atNs: atNs)
            }
        }
    }
}
