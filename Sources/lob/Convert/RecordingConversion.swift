// The frames of the feed in recordings of `lob run --record`, for a conversion: all shards together, in order
// of time.

import BookRecording
import LobRecording
import MarketData

/// Feeds recordings to a sink.
struct RecordingConversion {
    private let streams: [RecordedStream]
    private let path: String
    /// Gaps that the recording lists, and missing blocks that are in no gap.
    private(set) var (gaps, missingBlocks) = (0, 0)
    /// Whether a file was left out.
    private(set) var isPartial = false
    /// The damage, in words.
    private(set) var damages: [String] = []

    /// - Parameter path: of the recording, for messages.
    init(_ streams: [RecordedStream], path: String) { (self.streams, self.path) = (streams, path) }

    mutating func run(_ sink: any ConvertSink) throws {
        var merged = MergedWalk(streams.map { RecordingWalk($0) })
        var progress = ProgressLine()
        let spans = streams.map(\.roughSpanNs)
        let fromNs = spans.map(\.fromNs).min() ?? 0
        let lengthNs = max((spans.map(\.toNs).max() ?? 0) - fromNs, 1)
        let shards = streams.map { Int($0.shard) }
        var (missing, gaps) = (0, GapList())
        var failure: (any Error)?
        try merged.forEach { number, item in
            switch item {
            case .newRun: break
            case .hole(let blocks, _, _): missing += blocks
            case .frame(let frame):
                progress.show(path, Double(frame.receivedAtNs - fromNs) / Double(lengthNs))
                if let feed = frame.frame {
                    do { try sink.take(feed, of: shards[number]) } catch { failure = error }
                } else if frame.record == .gap {
                    var cursor = ByteCursor(frame.body)
                    if let gap = RecordedGap(&cursor) { gaps.add(gap) }
                }
            }
            return failure == nil && !StopSignals.isRaised
        }
        progress.clear()
        if let failure { throw failure }
        (missingBlocks, self.gaps) = (missing, gaps.gaps.count)
        for walk in merged.walks {
            for error in walk.leftOut { RecordingInputs.complain(ofLeftOut: error) }
            isPartial = isPartial || !walk.leftOut.isEmpty
            for segment in walk.openSegments {
                damages.append(
                    "not closed: \(segment.path), \(segment.cutBytes) bytes behind the last whole block")
            }
            if walk.damagedBlocks > 0 { damages.append("\(counted(walk.damagedBlocks, "block")) damaged") }
            if walk.damagedBytes > 0 {
                damages.append("\(byteText(walk.damagedBytes)) in no whole block")
            }
            if !walk.beginsAtRun {
                damages.append(
                    "its beginning is gone: it begins with copies of the books, which are not converted; "
                        + "lob export --format text writes them")
            }
        }
    }
}
