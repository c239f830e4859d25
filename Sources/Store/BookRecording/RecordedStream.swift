// The segments of one shard in their order.
//
// Only their headers are kept: the index of a segment is read when a walk comes to it, so that a year of
// segments costs no more memory than a day.

import LobRecording

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
    /// Which shard.
    package var shard: UInt16
    /// Its segments, in their order.
    package var segments: [RecordedSegment]

    /// The streams of a file, or of all segments in a folder, in the order of their shards.
    ///
    /// - Parameters:
    ///   - path: of the file or the folder.
    ///   - unusable: gets what is wrong with each file of a folder that cannot be used; the rest is.
    /// - Throws: what is wrong with the folder, or with a file that is named itself.
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
        for path in paths {
            do throws(SegmentError) {
                let (header, bytes) = try SegmentReader.facts(of: path)
                segments[header.shard, default: []].append(
                    RecordedSegment(path: path, header: header, bytes: bytes))
            } catch {
                if !isFolder { throw error }
                unusable(error)
            }
        }
        return segments.sorted { $0.key < $1.key }.map { shard, segments in
            RecordedStream(
                shard: shard, segments: segments.sorted { $0.header.number < $1.header.number })
        }
    }

    /// Whether a path is a segment, also a damaged one, or a folder with segments in it.
    package static func isRecording(_ path: String) -> Bool {
        guard RecordingFolder.isFolder(path) else { return SegmentReader.isMeant(path) }
        return ((try? RecordingFolder.segments(in: path)) ?? []).isEmpty == false
    }

    /// Times between which its frames are, for a picture of progress: when the first segment and, if there
    /// are several, the last one began.
    package var roughSpanNs: (fromNs: Int64, toNs: Int64) {
        (segments.first?.header.createdAtNs ?? 0, segments.last?.header.createdAtNs ?? 0)
    }

    /// Most blocks of a segment that are searched for what it says of itself. Earlier versions wrote gaps
    /// before their first base.
    private static let termsBlocksMax = 8

    /// What the first segment says of itself; nil if nothing can be read of it.
    package var terms: RecordingTerms? {
        for segment in segments {
            guard let reader = try? SegmentReader(path: segment.path) else { continue }
            for entry in reader.index.blocks.prefix(RecordedStream.termsBlocksMax) {
                guard let (_, raw) = try? reader.block(at: Int(clamping: entry.offset)) else { continue }
                var terms: RecordingTerms?
                _ = FrameBlock.forEach(in: raw) { frame in
                    if frame.record == .terms { terms = RecordingTerms(frame.body) }
                    return terms == nil
                }
                if let terms { return terms }
            }
        }
        return nil
    }

    /// Opens every segment in turn; one that cannot be read any more is left out.
    package func forEachReader(_ body: (RecordedSegment, SegmentReader) -> Void) {
        for segment in segments {
            if let reader = try? SegmentReader(path: segment.path) { body(segment, reader) }
        }
    }

    /// The listed gaps, each once; none lasts beyond its run. Of a segment that was not closed they are
    /// found among its frames.
    package var gaps: GapList {
        var list = GapList()
        var run: Int64?
        var lastAtNs: Int64 = 0
        forEachReader { segment, reader in
            if run != segment.header.startedAtNs { list.endAll(atNs: lastAtNs) }
            run = segment.header.startedAtNs
            lastAtNs = reader.index.blocks.last?.lastAtNs ?? lastAtNs
            let gaps = reader.isClosed ? reader.index.gaps : (try? reader.survey().gaps) ?? []
            for gap in gaps { list.add(gap) }
        }
        return list
    }
}
