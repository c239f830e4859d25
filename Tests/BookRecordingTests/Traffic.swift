// Frames as a feed writes them, out of a small venue of two symbols: updates, snapshots that are asked for,
// losses, reconnects, ticks. An engine takes the same frames: what its books were after every update is what
// a replay has to arrive at.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import Glibc
import LobHandoff
import LobRecording
import MarketData
import TestSupport

@testable import BookRecording

/// A folder for one test; it goes with everything in it.
final class RecordFolder {
    let path: String

    init() {
        var template = Array("/tmp/lob-record-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        chmod(path, 0o755)
        for name in ((try? RecordingFolder.segments(in: path)) ?? []) + [path + "/.lock"] { unlink(name) }
        rmdir(path)
    }
}

/// A book after an update.
struct Standing: Hashable {
    var symbol: SymbolName
    var id: UpdateID
    var digest: UInt64
}

/// The venue, the feed and the engine that is recorded.
final class Traffic {
    static let symbols: [SymbolName] = ["AAAUSDT", "BBBUSDT"]
    static let configuration: EngineConfiguration = {
        var configuration = EngineConfiguration(rules: Market.spot.rules)
        configuration.requestsAreAnnounced = true
        configuration.publication = .conflated
        configuration.auditEveryNs = 2_000_000_000
        return configuration
    }()

    private struct Truth {
        var id: Int64 = 100
        var bids: [Int: Int] = [:]
        var asks: [Int: Int] = [:]
    }

    private let tap: FrameTap?
    private var random: SeededRandom
    private var truths: [SymbolName: Truth] = [:]
    private var wanted: [(symbol: SymbolName, dueNs: Int64)] = []
    private var source: UInt16 = 0
    private(set) var engine: BookEngine
    /// The books after each update that moved them, in order.
    private(set) var standings: [Standing] = []
    private(set) var atNs: Int64
    private(set) var frameCount = 0
    /// Gets every frame as well.
    var observer: ((Frame) -> Void)?
    /// Whether the tap is there already.
    private(set) var isTapped: Bool
    /// Whether snapshots say other quantities than the updates: an audit finds that.
    var liesInSnapshots = false

    init(_ tap: FrameTap?, seed: UInt64, isTapped: Bool = true) {
        (self.tap, self.isTapped) = (tap, isTapped)
        random = SeededRandom(seed: seed)
        // Always the same place in a second, and never before the recorder's own beginning.
        atNs = RecorderClock.realtimeNs / 10_000_000_000 * 10_000_000_000 + 10_000_000_000
        engine = BookEngine(Traffic.configuration)
        for symbol in Traffic.symbols {
            engine.addSymbol(symbol)
            var truth = Truth()
            for level in 1...60 {
                truth.bids[10_000 - level] = 1 + Int(random.next() % 900)
                truth.asks[10_000 + level] = 1 + Int(random.next() % 900)
            }
            truths[symbol] = truth
        }
    }

    func emit(_ kind: FrameKind, source: UInt16 = 0, _ body: [UInt8] = []) {
        if isTapped { frameCount += 1 }
        if !isTapped {
            // Nobody there.
        } else if kind == .message {
            tap?.receive(body.span, isFinal: true, source: source, receivedAtNs: atNs)
        } else if kind == .tick {
            tap?.tick(atNs: atNs, monotonicNs: atNs)
        } else {
            tap?.offer(kind, source: source, receivedAtNs: atNs, body)
        }
        let before = (engine.counters.depthUpdates, engine.lastUpdate)
        var body = body
        if kind == .tick {
            for shift in 0..<8 { body.append(UInt8(truncatingIfNeeded: atNs >> (8 * Int64(shift)))) }
        }
        body.withUnsafeBufferPointer {
            let frame = Frame(kind: kind, source: source, receivedAtNs: atNs, bytes: $0)
            observer?(frame)
            engine.step(frame)
        }
        if engine.counters.depthUpdates != before.0 { note(engine.lastUpdate.symbol) }
        engine.takeRequests { request in
            if case .ask(let symbol, _, _) = request, !wanted.contains(where: { $0.symbol == symbol }) {
                wanted.append((symbol, atNs + 150_000_000))
                announced.append(symbol)
            }
        }
    }

    private var announced: [SymbolName] = []

    private func note(_ symbol: SymbolName) {
        guard engine.mark(of: symbol)?.state == .live,
            let standing = engine.withBook(
                symbol,
                {
                    Standing(symbol: symbol, id: $0.lastUpdateID, digest: $0.digest())
                })
        else { return }
        standings.append(standing)
    }

    func connect() {
        source += 1
        emit(.connected, source: source)
    }

    /// Adds the tap, as a feed does while it runs.
    func beginTap() {
        isTapped = true
        frameCount += 1
        tap?.offer(.connected, source: source, receivedAtNs: atNs)
    }

    /// Frames that the tap loses from here on, all but ticks.
    func loseAtTap(_ body: () -> Void) {
        isTapped = false
        body()
        isTapped = true
        frameCount += 1
        tap?.offer(.dropped, source: source, receivedAtNs: atNs)
    }

    func disconnect() { emit(.disconnected, source: source) }

    /// An update of a symbol; one that is lost changes the venue only.
    func update(_ symbol: SymbolName, isLost: Bool = false) {
        guard var truth = truths[symbol] else { return }
        var changes: [Bool: [String]] = [:]
        for _ in 0..<(1 + random.next() % 6) {
            let distance = 1 + Int(random.next() % 90)
            let quantity = random.next() % 3 == 0 ? 0 : 1 + Int(random.next() % 900)
            let isBid = random.next() % 2 == 0
            let price = isBid ? 10_000 - distance : 10_000 + distance
            if isBid {
                truth.bids[price] = quantity == 0 ? nil : quantity
            } else {
                truth.asks[price] = quantity == 0 ? nil : quantity
            }
            changes[isBid, default: []].append(Traffic.level(price, quantity))
        }
        let first = truth.id + 1
        truth.id += 1 + Int64(random.next() % 3)
        truths[symbol] = truth
        if isLost { return }
        let text =
            "{\"stream\":\"\(symbol.lowercasedASCII)@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":"
            + "\(atNs / 1_000_000),\"s\":\"\(symbol)\",\"U\":\(first),\"u\":\(truth.id),\"b\":["
            + (changes[true] ?? []).joined(separator: ",") + "],\"a\":["
            + (changes[false] ?? []).joined(separator: ",") + "]}}"
        emit(.message, source: source, Array(text.utf8))
    }

    private static func level(_ price: Int, _ quantity: Int) -> String {
        "[\"\(price / 100).\(price % 100 < 10 ? "0" : "")\(price % 100)\",\"\(quantity).0\"]"
    }

    private func answer(_ symbol: SymbolName) {
        guard let truth = truths[symbol] else { return }
        let limit = 20 + Int(random.next() % 60)
        func side(_ levels: [Int: Int], _ isBid: Bool) -> String {
            levels.keys.sorted { isBid ? $0 > $1 : $0 < $1 }.prefix(limit)
                .map { Traffic.level($0, (levels[$0] ?? 0) + (liesInSnapshots ? 1 : 0)) }.joined(
                    separator: ",")
        }
        let text =
            "{\"lastUpdateId\":\(truth.id),\"bids\":[\(side(truth.bids, true))],\"asks\":["
            + "\(side(truth.asks, false))]}"
        emit(.depthSnapshot, SnapshotEnvelope(symbol: symbol, limit: limit).bytes + Array(text.utf8))
    }

    /// A hundredth of a second: some updates, what is due, and sometimes trouble.
    func step(hasTrouble: Bool = true) {
        atNs += 10_000_000
        for symbol in Traffic.symbols where random.next() % 3 == 0 {
            update(symbol, isLost: hasTrouble && random.next() % 97 == 0)
        }
        if hasTrouble && random.next() % 331 == 0 {
            disconnect()
            connect()
        }
        if hasTrouble && random.next() % 199 == 0 { emit(.message, source: source, Array("{\"e\":".utf8)) }
        if atNs / 10_000_000 % 10 == 0 { emit(.tick) }
        for symbol in announced {
            emit(.snapshotRequested, SnapshotEnvelope(symbol: symbol, limit: 0).bytes)
        }
        announced = []
        let due = wanted.filter { $0.dueNs <= atNs }
        wanted.removeAll { $0.dueNs <= atNs }
        for (symbol, _) in due { answer(symbol) }
    }
}

/// A recorder over a ring of its own, on its thread.
final class RecorderHarness {
    let recorder: ShardRecorder
    let tap: FrameTap
    let events = EventList()
    private let questions = CommandQueue<Question>(capacity: 4)
    private let thread: PinnedThread

    private struct Question: Sendable {
        var question: ReplicaQuestion
        var use: @Sendable (ReplicaAnswer) -> Void
    }

    /// - Parameter asks: whether it may ask for copies of the served books.
    init(_ options: RecorderOptions, asks: Bool = false) throws {
        let ring = try FrameRing(capacityBytes: options.ringBytes)
        tap = FrameTap(ring.producer)
        var ask: BookLender.Ask?
        if asks {
            ask = { [questions] question, use in questions.post(Question(question: question, use: use)) }
        }
        let stream = ShardRecorder.Stream(
            consumer: ring.consumer, symbols: Traffic.symbols, market: .spot, engine: Traffic.configuration,
            views: [],
            ask: ask)
        let (_, places) = try RecordingPlace.prepare(options.folder, shardCount: 1) { [events] in
            events.add($0)
        }
        recorder = try ShardRecorder(
            stream, options, places[0].header, before: places[0].before,
            report: { [events] in events.add($0) })
        thread = try PinnedThread("record-test") { [recorder] in recorder.run() }
    }

    /// Goes on with the traffic, no faster than the disk can be, until the recorder reports something.
    func run(_ traffic: Traffic, until text: String, stepsMax: Int = 10_000) -> Bool {
        for _ in 0..<stepsMax {
            if events.take().contains(where: { $0.contains(text) }) { return true }
            traffic.step()
            usleep(2000)
        }
        return false
    }

    /// Goes on with the traffic, no faster than the disk can be.
    func run(_ traffic: Traffic, steps: Int, hasTrouble: Bool = true) {
        for _ in 0..<steps {
            traffic.step(hasTrouble: hasTrouble)
            for asked in questions.take() { asked.use(traffic.engine.answer(asked.question)) }
            while recorder.disk.status.waitingBlocks > 1 && recorder.disk.status.openSegment != 0 {
                usleep(200)
            }
            usleep(300)
        }
    }

    func stop() -> RecorderSummary {
        recorder.stop()
        thread.join()
        var summary = RecorderSummary()
        summary.add(recorder.counters, recorder.disk.status)
        return summary
    }
}

/// What a recorder reports.
final class EventList: @unchecked Sendable {
    private let queue = CommandQueue<RecorderEvent>(capacity: 10_000)
    private(set) var all: [RecorderEvent] = []

    func add(_ event: RecorderEvent) { _ = queue.post(event) }

    func take() -> [String] {
        all += queue.take()
        return all.map(\.description)
    }
}
