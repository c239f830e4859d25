// Sends the traffic once through a book's ring, and through a recorder's tap if there is one, as a feed does:
// the book's ring first. One thread sends, one has the books, two more record.
//
// Latency is that of a message: from the moment it is written to the ring until its view is published, of the
// last one of each turn of the book's thread.

import BinanceVenue
import BookEngine
import BookRecording
import BookSync
import Foundation
import LobHandoff
import MarketData
import Synchronization

/// What a trial came to.
struct RecordOutcome: Sendable {
    var latency = LatencyHistogram(highestTrackableValue: 1 << 36, numberOfSignificantValueDigits: .three)
    /// Books that were live at the end.
    var liveCount = 0
    /// Messages the book processed.
    var messageCount = 0
    /// Messages that found no room in the book's ring, and in the tap's.
    var bookDropped = 0
    var tapDropped = 0
    /// How long sending took.
    var sendNs: UInt64 = 0
    /// CPU of the book's thread.
    var bookNs: UInt64 = 0
    /// What was recorded; nil without a recorder.
    var summary: RecorderSummary?

    /// Messages sent a second.
    var rate: Double { Double(messageCount) / (Double(max(sendNs, 1)) / 1e9) }
}

/// One trial.
final class RecordTrial: @unchecked Sendable {
    private static let source: UInt16 = 1
    private static let tickNs: UInt64 = 100_000_000

    private let traffic: RecordTraffic
    private let perSecond: Int
    private let folder: String?
    private let news = Signal()
    private let isOver = StopFlag()
    private let outcome = Mutex(RecordOutcome())

    /// A trial without a recorder if there is no folder.
    init(_ traffic: RecordTraffic, perSecond: Int, folder: String?) {
        (self.traffic, self.perSecond, self.folder) = (traffic, perSecond, folder)
    }

    private var configuration: EngineConfiguration {
        var configuration = EngineConfiguration(rules: Market.spot.rules)
        configuration.symbolCountMax = traffic.symbols.count
        return configuration
    }

    func run() throws -> RecordOutcome {
        let ring = try FrameRing(capacityBytes: FrameRing.defaultCapacityBytes)
        var (tap, recorder): (FrameTap?, BookRecorder?) = (nil, nil)
        if let folder {
            let options = RecorderOptions(folder: folder)
            let own = try FrameRing(capacityBytes: options.ringBytes)
            tap = FrameTap(own.producer)
            let subject = CaptureRecorder.Subject(
                symbols: traffic.symbols, market: .spot, engine: configuration, hasSeveralConnections: false)
            recorder = try BookRecorder(of: own.consumer, subject, options)
        }
        let consumer = Mutex<FrameConsumer?>(ring.consumer)
        let book = try PinnedThread("book") { [self] in
            if let consumer = consumer.withLock({ $0.take() }) { keepBooks(consumer) }
        }
        send(FrameOutbox(ring.producer), tap)
        isOver.raise()
        news.notify()
        book.join()
        var result = outcome.withLock { $0 }
        result.summary = recorder?.stop()
        return result
    }

    // MARK: - The sender

    private static func nowNs() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }

    private func send(_ outbox: consuming FrameOutbox, _ tap: FrameTap?) {
        var sender = FrameOutbox.Sender(source: RecordTrial.source)
        begin(&outbox, tap)
        let startNs = CycleTimer.monotonicNs()
        var (sent, tickNs) = (0, startNs)
        while sent < traffic.count {
            let nowNs = CycleTimer.monotonicNs()
            if nowNs >= tickNs {
                tickNs += RecordTrial.tickNs
                outbox.tick(atNs: RecordTrial.nowNs(), monotonicNs: Int64(nowNs))
                tap?.tick(atNs: RecordTrial.nowNs(), monotonicNs: Int64(nowNs))
            }
            let due = min(Int((nowNs - startNs) / 1000) * perSecond / 1_000_000, traffic.count)
            if sent >= due {
                usleep(50)
                continue
            }
            while sent < due {
                let atNs = RecordTrial.nowNs()
                traffic.withMessage(sent, timeMs: atNs / 1_000_000) { bytes in
                    _ = outbox.receive(bytes, isFinal: true, from: &sender, receivedAtNs: atNs)
                    news.notify()
                    tap?.receive(bytes, isFinal: true, source: RecordTrial.source, receivedAtNs: atNs)
                }
                sent += 1
            }
        }
        let (sendNs, dropped) = (CycleTimer.monotonicNs() - startNs, outbox.droppedMessages)
        while !outbox.flush() { usleep(100) }
        outcome.withLock { outcome in
            (outcome.sendNs, outcome.bookDropped) = (sendNs, dropped)
            outcome.tapDropped = tap?.droppedMessages ?? 0
        }
    }

    /// The connection, and a snapshot of every symbol.
    private func begin(_ outbox: inout FrameOutbox, _ tap: FrameTap?) {
        func offer(_ kind: FrameKind, _ bytes: [UInt8] = [], source: UInt16 = 0) {
            let atNs = RecordTrial.nowNs()
            _ = outbox.offer(kind, source: source, receivedAtNs: atNs, bytes)
            news.notify()
            tap?.offer(kind, source: source, receivedAtNs: atNs, bytes)
        }
        offer(.connected, source: RecordTrial.source)
        for snapshot in traffic.snapshots {
            offer(.snapshotRequested, Array(snapshot.prefix(SnapshotEnvelope.length)))
            offer(.depthSnapshot, snapshot)
            while !outbox.flush() || tap?.flush() == false { usleep(100) }
        }
    }

    // MARK: - The books

    private func keepBooks(_ ring: consuming FrameConsumer) {
        var engine = BookEngine(configuration)
        for symbol in traffic.symbols { engine.addSymbol(symbol) }
        var own = RecordOutcome()
        let startNs = CycleTimer.threadNs()
        var empty = 0
        while true {
            let ticket = news.ticket
            let isLast = isOver.isRaised
            let before = engine.counters.depthUpdates
            if engine.doWork(&ring) > 0 {
                empty = 0
                if engine.counters.depthUpdates > before {
                    let ns = RecordTrial.nowNs() - engine.lastReceivedAtNs
                    own.latency.record(UInt64(max(ns, 0)))
                }
                engine.takeRequests { _ in }
                continue
            }
            if isLast { break }
            IdleStrategy.backoff.idle(emptyTurnCount: empty, on: news, since: ticket, timeoutNs: 50_000_000)
            empty += 1
        }
        own.bookNs = CycleTimer.threadNs() - startNs
        own.messageCount = engine.counters.depthUpdates
        own.liveCount = traffic.symbols.count { engine.status($0)?.state == .live }
        outcome.withLock { outcome in
            let (sendNs, book, tap) = (outcome.sendNs, outcome.bookDropped, outcome.tapDropped)
            outcome = own
            (outcome.sendNs, outcome.bookDropped, outcome.tapDropped) = (sendNs, book, tap)
        }
    }
}
