// How fast a recording replays beside its own frames in memory: the same frames through an engine of the same
// configuration, in turn, so that what else runs here slows both.

import BookEngine
import BookRecording
import Foundation
import LobHandoff
import LobRecording

/// A recording, and its frames in memory.
struct RecordingReplay {
    private struct Place {
        var kind: FrameKind
        var source: UInt16
        var atNs: Int64
        var start: Int
        var length: Int
    }

    /// CPU time of both, and of reading and unpacking alone.
    struct Pair {
        var recordingNs: UInt64
        var readingNs: UInt64
        var memoryNs: UInt64

        /// The same as `share`, without reading and unpacking.
        var shareUnpacked: Double {
            Double(memoryNs) / Double(max(recordingNs - min(readingNs, recordingNs), 1))
        }

        /// Rate of the recording as a share of that from memory.
        var share: Double { Double(memoryNs) / Double(max(recordingNs, 1)) }
    }

    private let stream: RecordedStream
    private let terms: RecordingTerms
    private var bytes: [UInt8] = []
    private var places: [Place] = []

    /// Frames of the feed.
    var frameCount: Int { places.count }

    /// Length of their bodies.
    var byteCount: Int { bytes.count }

    /// Reads the first shard.
    init(path: String) throws {
        guard let stream = try RecordedStream.all(at: path).first,
            let terms = stream.termsOfRuns.first
        else {
            throw WorkloadError.unreadable(path: path, reason: "no recording")
        }
        (self.stream, self.terms) = (stream, terms)
        var walk = RecordingWalk(stream)
        try walk.forEach { item in
            guard case .frame(let recorded) = item, let frame = recorded.frame else { return true }
            places.append(
                Place(
                    kind: frame.kind, source: frame.source, atNs: frame.receivedAtNs, start: bytes.count,
                    length: frame.bytes.count))
            bytes.append(contentsOf: frame.bytes)
            return true
        }
        if let error = walk.leftOut.first { throw error }
        bytes.append(contentsOf: [UInt8](repeating: 0, count: MessageArena.readableAfterBytes))
    }

    /// One pass of each.
    func pair() throws -> Pair {
        let startNs = CycleTimer.threadNs()
        _ = try RecordingVerification(
            stream, levelsPerFrame: RecordingVerification.levelsPerFrameOfReplay)
        let replayedNs = CycleTimer.threadNs()
        var walk = RecordingWalk(stream)
        try walk.forEach { _ in true }
        let readNs = CycleTimer.threadNs()
        keepBooks()
        return Pair(
            recordingNs: replayedNs - startNs, readingNs: readNs - replayedNs,
            memoryNs: CycleTimer.threadNs() - readNs)
    }

    private func keepBooks() {
        guard let configuration = terms.engine, let symbols = terms.symbolNames else { return }
        var engine = BookEngine(configuration)
        for symbol in symbols { engine.addSymbol(symbol) }
        bytes.withUnsafeBufferPointer { bytes in
            for place in places {
                engine.step(
                    Frame(
                        kind: place.kind, source: place.source, receivedAtNs: place.atNs,
                        bytes: UnsafeBufferPointer(
                            rebasing: bytes[place.start..<(place.start + place.length)]),
                        readableAfter: 128))
                engine.takeRequests { _ in }
            }
        }
    }

    /// The pairs as a line.
    func report(pairs count: Int) throws -> String {
        let pairs = try (0..<count).map { _ in try pair() }
        func rate(_ ns: UInt64) -> Double { Double(frameCount) / (Double(max(ns, 1)) / 1e9) }
        return "replay   \(grouped(frameCount)) frames, median of \(count) in turn: recording "
            + "\(decimal(median(pairs.map { rate($0.recordingNs) }))) frames/s, memory "
            + "\(decimal(median(pairs.map { rate($0.memoryNs) }))) frames/s, share "
            + "\(fixed(median(pairs.map(\.share)), 2)) "
            + "(\(fixed(pairs.map(\.share).min() ?? 0, 2)) to \(fixed(pairs.map(\.share).max() ?? 0, 2))); "
            + "reading and unpacking alone \(decimal(median(pairs.map { rate($0.readingNs) }))) frames/s, "
            + "share without \(fixed(median(pairs.map(\.shareUnpacked)), 2))"
    }
}
