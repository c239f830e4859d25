// Records a service: one recorder per shard, on its own threads.
//
//     let recorder = try BookRecorder(service, RecorderOptions(folder: "records")) { print($0) }
//     …
//     service.stop()
//     print(recorder.stop())
//
// Threads: two per shard, the recorder's and the disk's.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import LobRecording
import MarketData
import Synchronization

/// Why nothing can be recorded.
public enum RecorderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file system refuses.
    case refused(reason: String)
    /// The folder may keep fewer bytes than its shards need, which is this many.
    case keepsTooLittle(bytesMin: Int)
    /// A ring cannot be allocated.
    case ring(FrameRingError)
    /// The system refused another thread.
    case noThread(errno: Int32)
    /// No memory for a compressor.
    case noMemory
    /// The service accepts no tap.
    case noTap

    /// One line for display.
    public var description: String {
        switch self {
        case .refused(let reason): "cannot record: \(reason)"
        case .keepsTooLittle(let bytes): "cannot record: of the folder keep at least \(bytes >> 20) MiB"
        case .ring(let error): "cannot record: no ring: \(error)"
        case .noThread(let errno): "cannot record: no thread (\(errno))"
        case .noMemory: "cannot record: no memory"
        case .noTap: "cannot record: the service has stopped"
        }
    }

    static func disk(_ error: DiskError) -> RecorderError { .refused(reason: error.description) }
}

/// Records the frames of a service until it is stopped. For any thread.
public final class BookRecorder: @unchecked Sendable {
    private let lock: RecordingLock
    private let recorders: [ShardRecorder]
    /// Locks of folders into which a thread may still write; held until the process ends.
    private static let kept = Mutex<[RecordingLock]>([])
    // Joined once, by the first `stop`.
    private var threads: [PinnedThread]

    /// Starts recording.
    ///
    /// - Parameters:
    ///   - service: the service. Stop it before the recorder, so that its last frames are recorded.
    ///   - options: how and where.
    ///   - report: receives loggable events, on the recorder's threads.
    /// - Throws: if the folder cannot be written, is being written by another process, or may keep too
    ///   little. A segment left open by an earlier run is closed first.
    public init(
        _ service: BookService, _ options: RecorderOptions,
        report: @escaping @Sendable (RecorderEvent) -> Void = { _ in }
    ) throws(RecorderError) {
        try options.validate(shardCount: service.shardCount)
        let places: [RecordingPlace]
        (lock, places) = try RecordingPlace.prepare(
            options.folder, shardCount: service.shardCount, report: report)
        var recorders: [ShardRecorder] = []
        var threads: [PinnedThread] = []
        do throws(RecorderError) {
            for number in 0..<service.shardCount {
                let (recorder, thread) = try BookRecorder.begin(
                    service, number, options, places[number], report)
                recorders.append(recorder)
                threads.append(thread)
            }
        } catch {
            // Those of the previous shards have started.
            BookRecorder.stop(recorders, threads)
            throw error
        }
        (self.recorders, self.threads) = (recorders, threads)
    }

    /// Starts recording frames of no service, which its caller writes to a tap.
    ///
    /// - Parameters:
    ///   - consumer: the reading half of the tap's ring.
    ///   - subject: what the frames belong to.
    ///   - options: how and where; the ring is the caller's.
    ///   - report: receives loggable events, on the recorder's threads.
    package init(
        of consumer: consuming FrameConsumer, _ subject: CaptureRecorder.Subject, _ options: RecorderOptions,
        report: @escaping @Sendable (RecorderEvent) -> Void = { _ in }
    ) throws(RecorderError) {
        let places: [RecordingPlace]
        (lock, places) = try RecordingPlace.prepare(options.folder, shardCount: 1, report: report)
        let stream = ShardRecorder.Stream(
            consumer: consumer, symbols: subject.symbols, market: subject.market, engine: subject.engine,
            hasSeveralConnections: subject.hasSeveralConnections, views: [])
        let recorder = try ShardRecorder(
            stream, options, places[0].header, before: places[0].before, report: report)
        recorders = [recorder]
        do throws(ThreadError) {
            threads = [try PinnedThread("record-0", yields: true) { recorder.run() }]
        } catch {
            recorder.disk.stop()
            throw .noThread(errno: error.errno)
        }
    }

    /// Starts recording a shard; on failure none of its threads remains.
    private static func begin(
        _ service: BookService, _ number: Int, _ options: RecorderOptions, _ place: RecordingPlace,
        _ report: @escaping @Sendable (RecorderEvent) -> Void
    ) throws(RecorderError) -> (ShardRecorder, PinnedThread) {
        let symbols = service.symbols(ofShard: number)
        let ring = try BookRecorder.ring(options.ringBytes)
        let tap = FrameTap(ring.producer)
        let stream = ShardRecorder.Stream(
            consumer: ring.consumer, symbols: symbols, market: service.configuration.endpoints.market,
            engine: service.configuration.engine,
            views: symbols.compactMap { service.readers(of: $0)?.views },
            ask: { [weak service] in service?.answer($0, byShard: number, $1) ?? false })
        let recorder = try ShardRecorder(
            stream, options, place.header, before: place.before, report: report)
        do throws(RecorderError) {
            if !service.add(tap, toShard: number) { throw .noTap }
            do throws(ThreadError) {
                return (recorder, try PinnedThread("record-\(number)", yields: true) { recorder.run() })
            } catch {
                _ = service.remove(tap, fromShard: number)
                throw .noThread(errno: error.errno)
            }
        } catch {
            recorder.disk.stop()
            throw error
        }
    }

    private static func stop(_ recorders: [ShardRecorder], _ threads: [PinnedThread]) {
        for recorder in recorders { recorder.stop() }
        for thread in threads { thread.join() }
    }

    private static func ring(_ bytes: Int) throws(RecorderError) -> FrameRing {
        do throws(FrameRingError) {
            return try FrameRing(capacityBytes: bytes)
        } catch {
            throw .ring(error)
        }
    }

    /// Records what is left in the rings, closes the segments and ends all threads. Call once. An
    /// unresponsive disk is waited for up to `RecorderOptions.stopNsMax`, and keeps the folder locked.
    ///
    /// - Returns: the totals.
    public func stop() -> RecorderSummary {
        BookRecorder.stop(recorders, threads)
        threads = []
        if recorders.contains(where: \.isHung) { BookRecorder.kept.withLock { $0.append(lock) } }
        var summary = RecorderSummary()
        for recorder in recorders { summary.add(recorder.counters, recorder.disk.status) }
        return summary
    }
}
