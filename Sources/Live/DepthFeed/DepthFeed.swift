// One shard's feed: sockets in, frames in a ring out. It carries messages and never reads them, but for the
// few that speak of the connection itself.
//
// Why so little here: what to open, send and close is decided by `ConnectionSupervisor`, what goes into the
// ring and in which order by `FrameOutbox`, how bytes become messages by Transport. This class only connects
// the three, on the thread of its event loop, and keeps count.
//
// Invariants
// * A message is copied once, from the socket's buffer into the ring (twice while two connections talk at
//   once), and a message that is data costs no allocation.
// * `connected`, `disconnected`, snapshots and failures reach the ring, in the order in which they happened
//   among the messages.
// * Nothing is received from a connection after its `disconnected`.
//
// Bounds: two connections, each with 64 KiB for a message that must be read; the outbox's. Worst case: a
// message costs one copy, a look at twelve bytes, one clock, and one locked instruction if somebody is to be
// woken.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import LobTransport
import MarketData

/// Feeds one shard. Thread: its event loop's; other threads use `remote` and `status`.
///
/// It lives until it is stopped and its connections are gone, also when nobody else holds it.
public final class DepthFeed {
    /// What a feed is made of.
    public struct Configuration: Sendable {
        /// Where the venue is.
        public var endpoints: Endpoints
        /// The symbols of the shard; `ShardPlan` deals them out.
        public var symbols: [SymbolName]
        /// Which streams of each.
        public var streams = StreamSelection()
        /// Times of events in microseconds instead of milliseconds; spot only.
        public var isMicroseconds = false
        /// Whether every message names its stream. Without, messages are forty bytes shorter, and partial
        /// depths cannot be told from diffs, or not be attributed at all.
        public var isCombined = true
        /// Limits and times of the connections.
        public var supervisor: ConnectionSupervisor.Configuration
        /// Limits and choices of each connection.
        public var socket = WebSocketClient.Options()
        /// When a connection that was busy and is silent counts as lost.
        public var busySilence = BusySilence()
        /// Time between two ticks.
        public var tickIntervalMs = 100
        /// Time between two statuses while nothing happens.
        public var statusIntervalMs = 1000

        /// The defaults: depth every 100 ms and the book ticker, a ping after 15 s of silence, given up 10 s
        /// later.
        public init(endpoints: Endpoints, symbols: [SymbolName]) {
            self.endpoints = endpoints
            self.symbols = symbols
            supervisor = ConnectionSupervisor.Configuration(market: endpoints.market)
            socket.pingAfterMs = 15_000
            socket.pongLimitMs = 10_000
        }
    }

    let configuration: Configuration
    let loop: EventLoop
    let url: ServiceURL
    let report: (FeedEvent) -> Void
    private let signal: Signal?
    /// Index of each symbol: the key of its snapshots in the outbox, and inverted that of its requests.
    let keys: [SymbolName: Int]
    var supervisor: ConnectionSupervisor
    var outbox: FrameOutbox
    /// Further rings that get the same frames.
    var taps: [FrameTap] = [] { didSet { isTapped = !taps.isEmpty } }
    private var isTapped = false
    var sockets: [UInt16: FeedSocket] = [:]
    var counted = FeedStatus()
    /// Connections that serve, oldest first.
    var serving: [(id: UInt16, sinceNs: Int64)] = []
    /// Whether it was stopped.
    public internal(set) var isStopped = false
    /// Actions not yet done: what they lead to comes behind them, whoever calls in meanwhile.
    var actions: [ConnectionSupervisor.Action] = []
    var isPerforming = false
    private var statusWriter: LatestValueWriter<FeedStatus>
    private var supervisorTimer: LoopTimer?
    private var alarmMs: Int64?
    private var tickTimer: LoopTimer?
    private var statusDueMs: Int64 = 0
    private var reportedDrops = 0
    private var droppedNames = DroppedNames()

    /// What the feed has done and where it stands, for any thread.
    public let status: LatestValueReader<FeedStatus>

    /// A feed that has not begun.
    ///
    /// - Parameters:
    ///   - configuration: what it is told, once.
    ///   - loop: its event loop; the feed must be used on the loop's thread only, this call included.
    ///   - producer: the ring of the shard.
    ///   - signal: notified whenever something went into the ring; nil if the book thread does not sleep.
    ///   - report: what is worth a line in a log. Called on the loop's thread.
    /// - Throws: `TransportError.invalidURL`.
    /// - Precondition: a configuration that `validate` accepts.
    public init(
        _ configuration: Configuration, on loop: EventLoop, producer: consuming FrameProducer,
        signal: Signal? = nil, report: @escaping (FeedEvent) -> Void = { _ in }
    ) throws(TransportError) {
        let configuration = configuration.checked
        let endpoints = configuration.endpoints
        let micro = configuration.isMicroseconds
        url = try ServiceURL(
            endpoints.streamBase
                + (configuration.isCombined
                    ? endpoints.combinedStreamTarget([], isMicroseconds: micro)
                    : endpoints.rawStreamTarget([], isMicroseconds: micro)))
        self.configuration = configuration
        (self.loop, self.signal, self.report) = (loop, signal, report)
        keys = Dictionary(
            configuration.symbols.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let names = configuration.symbols.flatMap { symbol in
            configuration.streams.names(of: symbol, at: endpoints) ?? []
        }
        supervisor = ConnectionSupervisor(streams: names, configuration: configuration.supervisor)
        outbox = FrameOutbox(producer)
        let mailbox = LatestValue(FeedStatus())
        status = mailbox.reader
        statusWriter = mailbox.writer
    }

    /// What other threads may do.
    public var remote: FeedHandle { FeedHandle(self) }

    /// Connections that are not gone yet, those being closed included. A process may end when it is 0 after
    /// `stop`.
    public private(set) var openCount = 0

    /// Begins: dials, and ticks from now on.
    public func start() {
        if isStopped || tickTimer != nil { return }
        tick()
        perform(supervisor.start(nowMs: nowMs))
    }

    /// Closes every connection, for good.
    public func stop() {
        if isStopped { return }
        isStopped = true
        for timer in [tickTimer, supervisorTimer] { timer.map(loop.cancel) }
        perform(supervisor.stop(nowMs: nowMs))
        publish()
    }

    /// Subscribes the streams of these symbols anew; symbols of other shards are ignored.
    public func resubscribe(_ symbols: [SymbolName]) {
        let names = symbols.flatMap { symbol in
            keys[symbol] == nil
                ? [] : configuration.streams.names(of: symbol, at: configuration.endpoints) ?? []
        }
        perform(supervisor.resubscribe(names, nowMs: nowMs))
    }

    /// Writes a snapshot: envelope and body, as `SnapshotFetcher` delivers them. One that cannot be taken is
    /// written as a failure.
    public func deliverSnapshot(_ frame: [UInt8], of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        if !offer(.depthSnapshot, key: key, frame, orFailureOf: symbol) {
            report(.snapshotTooLong(symbol, bytes: frame.count))
        }
    }

    /// Writes that a snapshot has been asked for: its envelope, as `SnapshotFetcher` delivers it. One that
    /// still waits for room is replaced; the snapshot of the symbol is not.
    public func deliverRequest(_ frame: [UInt8], of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        offer(.snapshotRequested, key: ~key, frame)
    }

    /// Writes that a snapshot will not come.
    public func deliverFailure(of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        offer(.snapshotFailed, key: key, SnapshotEnvelope(symbol: symbol, limit: 0).bytes)
    }

    /// A piece of a message, as the socket hands it over.
    func received(_ bytes: Span<UInt8>, isFinal: Bool, on socket: FeedSocket) {
        let control = socket.control.look(bytes, isFinal: isFinal)
        let atNs = isFinal ? LoopClock.realtimeNs : 0
        let delivery = outbox.receive(bytes, isFinal: isFinal, from: &socket.sender, receivedAtNs: atNs)
        counted.bytes &+= bytes.count
        socket.heardCount &+= 1
        if !isFinal {
            if isTapped { tapped(bytes, isFinal: false, on: socket) }
            return socket.keepHead(bytes)
        }
        counted.messages &+= 1
        counted.lastMessageAtNs = atNs
        if delivery == .committed { signal?.notify() } else { dropped(bytes, on: socket) }
        socket.forgetHead()
        // Behind the book's ring: its thread is at work by now.
        if isTapped { tapped(bytes, isFinal: true, on: socket) }
        if let control { heard(control, bytes, on: socket) } else { socket.dataCount &+= 1 }
    }

    /// The message that ends with this piece found no room.
    private func dropped(_ bytes: Span<UInt8>, on socket: FeedSocket) {
        let head = socket.head
        let symbol = head.isEmpty ? DroppedNames.symbol(in: bytes) : DroppedNames.symbol(in: head.span)
        droppedNames.add(symbol.flatMap { keys[$0] == nil ? nil : $0 })
    }

    // MARK: - Time

    var nowMs: Int64 { Int64(LoopClock.monotonicNs / 1_000_000) }

    private func tick() {
        tickTimer = loop.after(ms: configuration.tickIntervalMs) { self.tick() }
        let (atNs, monotonicNs) = (LoopClock.realtimeNs, Int64(LoopClock.monotonicNs))
        outbox.tick(atNs: atNs, monotonicNs: monotonicNs)
        signal?.notify()
        for tap in taps { tap.tick(atNs: atNs, monotonicNs: monotonicNs) }
        lookForSilence()
        if nowMs >= statusDueMs { publish() }
    }

    /// Sets the alarm to the supervisor's next deadline, if that is another one.
    func setAlarm() {
        if supervisor.wakeAtMs == alarmMs { return }
        supervisorTimer.map(loop.cancel)
        alarmMs = supervisor.wakeAtMs
        guard let wakeAtMs = alarmMs else { return }
        let dueNs = UInt64(TimeLimit.ns(wakeAtMs))
        let nowNs = LoopClock.monotonicNs
        supervisorTimer = loop.after(dueNs > nowNs ? dueNs - nowNs : 0) {
            self.alarmMs = nil
            self.perform(self.supervisor.timePassed(nowMs: self.nowMs))
        }
    }

    // MARK: - Frames that must arrive, and the status

    func announce(_ kind: FrameKind, _ id: UInt16, atNs: Int64) {
        _ = outbox.offer(kind, source: id, receivedAtNs: atNs)
        signal?.notify()
        for tap in taps { tap.offer(kind, source: id, receivedAtNs: atNs) }
    }

    /// Offers what a fetcher tells to the book's ring and to every tap. Where it cannot be taken, the failure
    /// of this symbol takes its place.
    ///
    /// - Returns: whether the book's ring has taken it.
    @discardableResult
    private func offer(_ kind: FrameKind, key: Int, _ frame: [UInt8], orFailureOf symbol: SymbolName? = nil)
        -> Bool
    {
        let atNs = LoopClock.realtimeNs
        let failure = symbol.map { SnapshotEnvelope(symbol: $0, limit: 0).bytes }
        let isTaken = outbox.offer(kind, source: 0, receivedAtNs: atNs, key: key, frame)
        if !isTaken, let failure {
            _ = outbox.offer(.snapshotFailed, source: 0, receivedAtNs: atNs, key: key, failure)
        }
        signal?.notify()
        for tap in taps where !tap.offer(kind, source: 0, receivedAtNs: atNs, key: key, frame) {
            guard let failure else { continue }
            tap.offer(.snapshotFailed, source: 0, receivedAtNs: atNs, key: key, failure)
        }
        return isTaken
    }

    func countSockets(_ change: Int) { openCount += change }

    /// Shows the status to other threads.
    func publish() {
        statusDueMs = nowMs + Int64(configuration.statusIntervalMs)
        counted.writtenAtNs = LoopClock.realtimeNs
        counted.droppedMessages = outbox.droppedMessages
        counted.waitingFrames = outbox.waitingFrames
        counted.connection = serving.last?.id ?? 0
        counted.connectedAtNs = serving.last?.sinceNs ?? 0
        counted.state =
            isStopped
            ? .stopped
            : serving.isEmpty ? .connecting : supervisor.connectionCount > 1 ? .replacing : .connected
        statusWriter.publish(counted)
        if outbox.droppedMessages > reportedDrops {
            let symbols = droppedNames.take()
            report(.dropped(messages: outbox.droppedMessages - reportedDrops, symbols: symbols))
            reportedDrops = outbox.droppedMessages
        }
    }
}
