import BookEngine
import Glibc
import LobHandoff
import LobRecording
import MarketData
import Testing

@testable import BookRecording

/// A recorder without a thread: it takes frames when it is told.
final class DrivenRecorder {
    let recorder: ShardRecorder
    let events = EventList()
    private let lock: RecordingLock

    init(_ options: RecorderOptions, symbols: [SymbolName] = Traffic.symbols) throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let stream = ShardRecorder.Stream(
            consumer: ring.consumer, symbols: symbols, market: .spot,
            engine: Traffic.configuration, views: [])
        let (lock, places) = try RecordingPlace.prepare(options.folder, shardCount: 1) { [events] in
            events.add($0)
        }
        self.lock = lock
        recorder = try ShardRecorder(
            stream, options, places[0].header, before: nil, report: { [events] in events.add($0) })
    }

    func take(_ kind: FrameKind, atNs: Int64, source: UInt16 = 1, _ body: [UInt8] = []) {
        body.withUnsafeBufferPointer {
            recorder.take(Frame(kind: kind, source: source, receivedAtNs: atNs, bytes: $0))
        }
    }

    /// Begins, and takes so many steps of sound traffic, in the pace of the disk.
    func follow(seed: UInt64, stepCount: Int) -> Traffic {
        let traffic = Traffic(nil, seed: seed)
        traffic.observer = { self.recorder.take($0) }
        recorder.begin(traffic.atNs)
        traffic.connect()
        for step in 0..<stepCount {
            if step % 50 == 0 { settle() }
            traffic.step(hasTrouble: false)
        }
        return traffic
    }

    /// Waits until the disk has written all.
    func settle() {
        while recorder.disk.status.waitingFrames > 0 { usleep(200) }
    }
}

extension RecordedStream {
    /// The blocks of all segments.
    var blocks: [SegmentIndex.Entry] {
        var blocks: [SegmentIndex.Entry] = []
        forEachReader(unusable: { Issue.record("\($0)") }) { _, reader in blocks += reader.index.blocks }
        return blocks
    }

    var areClosed: Bool {
        var areClosed = true
        forEachReader(unusable: { Issue.record("\($0)") }) { _, reader in
            areClosed = areClosed && reader.isClosed
        }
        return areClosed
    }

    /// The listed gaps, each once; none extends beyond its run. In a segment that was not closed they are
    /// found among its frames.
    var gaps: GapList {
        var list = GapList()
        var run: Int64?
        var lastAtNs: Int64 = 0
        forEachReader(unusable: { Issue.record("\($0)") }) { segment, reader throws(SegmentError) in
            if run != segment.header.startedAtNs { list.endAll(atNs: lastAtNs) }
            run = segment.header.startedAtNs
            lastAtNs = reader.index.blocks.last?.lastAtNs ?? lastAtNs
            let gaps = reader.isClosed ? reader.index.gaps : try reader.survey().gaps
            for gap in gaps { list.add(gap) }
        }
        return list
    }
}
