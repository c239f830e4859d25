// The segments of one shard in order.
//
// Only headers are kept: a segment's index is read when a walk reaches it, so that a year of segments needs
// no more memory than a day.

import LobRecording
import MarketData

/// What is known of a segment without its blocks.
package struct RecordedSegment: Hashable, Sendable {
    /// Its file.
    package var path: String
    /// What it begins with.
    package var header: SegmentHeader
    /// Length of the file.
    package var bytes: Int
}

/// The segments of one shard.
package struct RecordedStream: Sendable {
    /// Number of the shard.
    package var shard: UInt16
    /// Its segments in order.
    package var segments: [RecordedSegment]
    /// Numbers of segments that were left out, as far as their names tell: the last eight digits.
    package var leftOut: Set<UInt64> = []

    /// The streams in a file or in all segments of a folder, by shard.
    ///
    /// - Parameters:
    ///   - path: the file or folder.
    ///   - unusable: receives the fault of each unusable file in a folder, and each shard without a file; the
    ///     others are used. A recorder writes a file of each shard when it begins.
    /// - Throws: the fault of the folder, or of a file named itself.
    package static func all(
        at path: String, unusable: (SegmentError) -> Void = { _ in }
    ) throws(SegmentError) -> [RecordedStream] {
        var paths = [path]
        let isFolder = RecordingFolder.isFolder(path)
        if isFolder {
            do throws(DiskError) {
                paths = try RecordingFolder.segments(in: path)
            } catch {
                throw .disk(error)
            }
        }
        var segments: [UInt16: [RecordedSegment]] = [:]
        var leftOut: [Int: Set<UInt64>] = [:]
        for path in paths {
            do throws(SegmentError) {
                let (header, bytes) = try SegmentReader.facts(of: path)
                segments[header.shard, default: []].append(
                    RecordedSegment(path: path, header: header, bytes: bytes))
            } catch {
                if !isFolder { throw error }
                if let name = SegmentName(path) { leftOut[name.shard, default: []].insert(name.number) }
                unusable(error)
            }
        }
        let count = isFolder ? segments.values.joined().map { Int($0.header.shardCount) }.max() ?? 0 : 0
        for shard in 0..<count where segments[UInt16(shard)] == nil && leftOut[shard] == nil {
            unusable(.missingShard(folder: path, shard: shard, count: count))
        }
        return segments.sorted { $0.key < $1.key }.map { shard, segments in
            RecordedStream(
                shard: shard, segments: segments.sorted { $0.header.number < $1.header.number },
                leftOut: leftOut[Int(shard)] ?? [])
        }
    }

    /// Whether a path is a segment, possibly damaged, or a folder containing segments.
    package static func isRecording(_ path: String) -> Bool {
        guard RecordingFolder.isFolder(path) else { return SegmentReader.isMeant(path) }
        return ((try? RecordingFolder.segments(in: path)) ?? []).isEmpty == false
    }

    /// Approximate time span of its frames, for showing progress: when the first and the last segment began,
    /// if there are several.
    package var roughSpanNs: (fromNs: Int64, toNs: Int64) {
        (segments.first?.header.createdAtNs ?? 0, segments.last?.header.createdAtNs ?? 0)
    }

    /// Most blocks of a segment searched for its terms. Earlier versions wrote gaps before their first base.
    private static let termsBlocksMax = 8

    /// The terms of each run, from its first segment in which they can be read.
    package var termsOfRuns: [RecordingTerms] {
        var (terms, run) = ([RecordingTerms](), Int64?.none)
        for segment in segments where segment.header.startedAtNs != run {
            guard let own = RecordedStream.terms(in: segment) else { continue }
            terms.append(own)
            run = segment.header.startedAtNs
        }
        return terms
    }

    private static func terms(in segment: RecordedSegment) -> RecordingTerms? {
        guard let reader = try? SegmentReader(path: segment.path) else { return nil }
        for entry in reader.index.blocks.prefix(termsBlocksMax) {
            guard let (_, raw) = try? reader.block(at: Int(clamping: entry.offset)) else { continue }
            var terms: RecordingTerms?
            _ = FrameBlock.forEach(in: raw) { frame in
                if frame.record == .terms { terms = RecordingTerms(frame.body) }
                return terms == nil
            }
            if let terms { return terms }
        }
        return nil
    }

    /// Those of these symbols that none of its segments names; nil if a segment cannot be read or does not
    /// say its symbols: any may be in it.
    package func missing(of symbols: Set<SymbolName>) -> Set<SymbolName>? {
        var missing = symbols
        for segment in segments {
            if missing.isEmpty { break }
            guard let reader = try? SegmentReader(path: segment.path) else { return nil }
            // Nothing has been written to it yet.
            if !reader.isClosed && reader.file.length <= reader.header.length { continue }
            let names = reader.isClosed ? reader.index.symbols : (try? reader.survey().symbols) ?? []
            if names.isEmpty { return nil }
            let own = Set(names)
            missing = missing.filter { !own.contains($0.bytes) }
        }
        return missing
    }

    /// Opens every segment in turn.
    ///
    /// - Parameters:
    ///   - unusable: receives the fault of each segment that cannot be read; the others are visited.
    ///   - body: receives a segment and its reader, and throws if it cannot be read after all.
    package func forEachReader(
        unusable: (SegmentError) -> Void,
        _ body: (RecordedSegment, SegmentReader) throws(SegmentError) -> Void
    ) {
        for segment in segments {
            do throws(SegmentError) {
                try body(segment, try SegmentReader(path: segment.path))
            } catch {
                unusable(error)
            }
        }
    }
}
