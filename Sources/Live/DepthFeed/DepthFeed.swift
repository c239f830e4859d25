// One shard's feed: connections in, frames in a ring out. It forwards messages and reads only the few that
// concern the connection itself.
//
// Why so little here: `ConnectionSupervisor` decides what to open, send and close, `FrameOutbox` what goes
// into the ring and in which order, and the links turn bytes into messages. This class only connects the
// three, on one thread, and keeps counters. It knows neither sockets nor clocks: `FeedSockets` drives it with
// an event loop, a simulation with a venue in virtual time.
//
// Invariants
// * A message is copied once, from the socket's buffer into the ring (twice while two connections deliver at
//   once), and a data message costs no allocation.
// * `connected`, `disconnected`, snapshots and failures reach the ring, in their order among the messages.
// * Nothing is received from a connection after its `disconnected`.
//
// Bounds: two connections, each with 64 KiB for a message that must be read; the outbox's. Worst case: a
// message costs one copy, a check of twelve bytes, one clock reading, and one locked instruction if a thread
// must be woken.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import MarketData

/// Feeds one shard. Thread: that of its clock; other threads use `status` and a `FeedHandle` of FeedSockets.
///
/// Over sockets it lives until it is stopped and its connections are gone, even if nothing else holds it.
package final class DepthFeed {
    /// Settings of a feed.
    package struct Configuration: Sendable {
        /// The venue's addresses.
        package var endpoints: Endpoints
        /// The symbols of the shard; `ShardPlan` deals them.
        package var symbols: [SymbolName]
        /// Which streams of each symbol.
        package var streams = StreamSelection()
        /// Whether event times are in microseconds instead of milliseconds; spot only.
        package var isMicroseconds = false
        /// Whether every message names its stream. Otherwise messages are forty bytes shorter, but partial
        /// depths look like depth updates or cannot be attributed at all.
        package var isCombined = true
        /// Limits and times of the connections.
        package var supervisor: ConnectionSupervisor.Configuration
        /// When a busy connection that goes silent counts as lost.
        package var busySilence = BusySilence()
        /// Time between two ticks.
        package var tickIntervalMs = 100
        /// Time between two status publications while nothing happens.
        package var statusIntervalMs = 1000

        /// Defaults: depth every 100 ms and the book ticker.
        package init(endpoints: Endpoints, symbols: [SymbolName]) {
            self.endpoints = endpoints
            self.symbols = symbols
            supervisor = ConnectionSupervisor.Configuration(market: endpoints.market)
        }

        /// The address of a connection that has no streams yet.
        package var streamAddress: String {
            let target =
                isCombined
                ? endpoints.combinedStreamTarget([], isMicroseconds: isMicroseconds)
                : endpoints.rawStreamTarget([], isMicroseconds: isMicroseconds)
            return endpoints.streamBase + target
        }
    }

    let configuration: Configuration
    let clock: any ShellClock
    let dial: (DepthFeed, FeedConnection) -> any FeedLink
    let report: (FeedEvent) -> Void
    private let signal: Signal?
    /// Index of each symbol: the outbox key of its snapshots; inverted, of its requests; and beyond all of
    /// those, of its marks.
    let keys: [SymbolName: Int]
    var supervisor: ConnectionSupervisor
    var outbox: FrameOutbox
    /// Further rings that get the same frames.
    var taps: [FrameTap] = [] { didSet { isTapped = !taps.isEmpty } }
    private var isTapped = false
    var connections: [UInt16: FeedConnection] = [:]
    var counted = FeedStatus()
    /// Connections in service, oldest first.
    var serving: [(id: UInt16, sinceNs: Int64, refused: [UInt8])] = []
    /// Whether it was stopped.
    package internal(set) var isStopped = false
    /// Actions not yet performed: consequences are queued after them, even if the feed is called reentrantly.
    var actions: [ConnectionSupervisor.Action] = []
    var isPerforming = false
    private var statusWriter: LatestValueWriter<FeedStatus>
    private var supervisorTimer: ShellTimer?
    private var alarmMs: Int64?
    private var tickTimer: ShellTimer?
    private var statusDueMs: Int64 = 0
    private var reportedDrops = 0
    private var droppedNames = DroppedNames()

    /// The status of the feed, for any thread.
    package let status: LatestValueReader<FeedStatus>

    /// A feed that has not started.
    ///
    ///   - configuration: already validated; see `validate`.
    ///   - clock: its time; the feed must be used only on the clock's thread, this call included.
    ///   - producer: producer of the shard's ring.
    ///   - producer: the ring of the shard.
    ///   - signal: notified whenever something was written to the ring; nil if the book thread does not
    ///     sleep.
    ///   - report: receives loggable events, on the clock's thread.
    ///   - dial: starts opening a connection; what happens to it is reported to the feed.
    /// - Precondition: a configuration that `validate` accepts.
    package init(
        _ configuration: Configuration, clock: any ShellClock, producer: consuming FrameProducer,
        signal: Signal? = nil, report: @escaping (FeedEvent) -> Void = { _ in },
        dial: @escaping (DepthFeed, FeedConnection) -> any FeedLink
    ) {
        let configuration = configuration.checked
        let endpoints = configuration.endpoints
        self.configuration = configuration
        (self.clock, self.dial, self.signal, self.report) = (clock, dial, signal, report)
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

    /// Connections not yet gone, closing ones included. A process may end when it is 0 after `stop`.
    package private(set) var openCount = 0

    /// Starts: dials, and ticks from now on.
    package func start() {
        if isStopped || tickTimer != nil { return }
        tick()
        perform(supervisor.start(nowMs: nowMs))
    }

    /// Closes every connection, for good.
    package func stop() {
        if isStopped { return }
        isStopped = true
        for timer in [tickTimer, supervisorTimer] { timer.map { clock.cancel($0) } }
        perform(supervisor.stop(nowMs: nowMs))
        publish()
    }

    /// Resubscribes the streams of these symbols; symbols of other shards are ignored.
    package func resubscribe(_ symbols: [SymbolName]) {
        let names = symbols.flatMap { symbol in
            keys[symbol] == nil
                ? [] : configuration.streams.names(of: symbol, at: configuration.endpoints) ?? []
        }
        perform(supervisor.resubscribe(names, nowMs: nowMs))
    }

    /// Writes a snapshot: envelope and body, as `SnapshotFetcher` delivers them. One that does not fit is
    /// written as a failure.
    package func deliverSnapshot(_ frame: [UInt8], of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        if !offer(.depthSnapshot, key: key, frame, orFailureOf: symbol) {
            report(.snapshotTooLong(symbol, bytes: frame.count))
        }
    }

    /// Writes that a snapshot was requested: its envelope, as `SnapshotFetcher` delivers it. Replaces an
    /// announcement still waiting for room, but not the symbol's snapshot.
    package func deliverRequest(_ frame: [UInt8], of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        offer(.snapshotRequested, key: ~key, frame)
    }

    /// Writes that a snapshot failed.
    package func deliverFailure(of symbol: SymbolName) {
        guard let key = keys[symbol] else { return }
        offer(.snapshotFailed, key: key, SnapshotEnvelope(symbol: symbol, limit: 0).bytes)
    }

    /// Writes a delivery of the fetcher.
    package func deliver(_ delivery: SnapshotFetcher.Delivery) {
        let symbol = delivery.key.symbol
        switch delivery.news {
        case .requested(let frame): deliverRequest(frame, of: symbol)
        case .snapshot(let frame): deliverSnapshot(frame, of: symbol)
        case .failed: deliverFailure(of: symbol)
        }
    }

    /// A piece of a message, as delivered by the link.
    ///
    /// - Parameters:
    ///   - bytes: its bytes; they are copied.
    ///   - isFinal: whether it is the last piece.
    ///   - connection: the connection it came from.
    ///   - atNs: receive time in nanoseconds since 1970; that of the last piece counts.
    /// - Complexity: one copy, no allocation.
    package func received(
        _ bytes: Span<UInt8>, isFinal: Bool, on connection: FeedConnection, receivedAtNs atNs: Int64
    ) {
        if connection.isRetired { return }
        let control = connection.control.look(bytes, isFinal: isFinal)
        let delivery = outbox.receive(
            bytes, isFinal: isFinal, from: &connection.sender, receivedAtNs: atNs)
        counted.bytes &+= bytes.count
        connection.heardCount &+= 1
        if !isFinal {
            if isTapped { tapped(bytes, isFinal: false, on: connection) }
            return connection.keepHead(bytes)
        }
        counted.messages &+= 1
        counted.lastMessageAtNs = atNs
        if delivery == .committed { signal?.notify() } else { dropped(bytes, on: connection) }
        connection.forgetHead()
        // After the book's ring: its thread is already at work.
        if isTapped { tapped(bytes, isFinal: true, on: connection) }
        if let control { heard(control, bytes, on: connection) } else { connection.dataCount &+= 1 }
    }

    /// The message that ends with this piece found no room.
    private func dropped(_ bytes: Span<UInt8>, on connection: FeedConnection) {
        let head = connection.head
        let symbol = head.isEmpty ? DroppedNames.symbol(in: bytes) : DroppedNames.symbol(in: head.span)
        droppedNames.add(symbol.flatMap { keys[$0] == nil ? nil : $0 })
    }

    // MARK: - Time

    var nowMs: Int64 { clock.monotonicMs }

    private func tick() {
        tickTimer = clock.alarm(afterMs: Int64(configuration.tickIntervalMs)) { self.tick() }
        let (atNs, monotonicNs) = (clock.realtimeNs, Int64(clock.monotonicNs))
        outbox.tick(atNs: atNs, monotonicNs: monotonicNs)
        signal?.notify()
        for tap in taps { tap.tick(atNs: atNs, monotonicNs: monotonicNs) }
        lookForSilence()
        if nowMs >= statusDueMs { publish() }
    }

    /// Sets the alarm to the supervisor's next deadline, if that has changed.
    func setAlarm() {
        if supervisor.wakeAtMs == alarmMs { return }
        supervisorTimer.map { clock.cancel($0) }
        alarmMs = supervisor.wakeAtMs
        guard let wakeAtMs = alarmMs else { return }
        let nowNs = clock.monotonicNs
        let waitNs = TimeLimit.ns(wakeAtMs - Int64(nowNs / 1_000_000)) - Int64(nowNs % 1_000_000)
        supervisorTimer = clock.alarm(afterNs: UInt64(max(waitNs, 0))) {
            self.alarmMs = nil
            self.perform(self.supervisor.timePassed(nowMs: self.nowMs))
        }
    }

    // MARK: - Frames that must arrive, and the status

    func announce(_ kind: FrameKind, _ id: UInt16, atNs: Int64, key: Int? = nil, _ body: [UInt8] = []) {
        _ = outbox.offer(kind, source: id, receivedAtNs: atNs, key: key, body)
        signal?.notify()
        for tap in taps { tap.offer(kind, source: id, receivedAtNs: atNs, key: key, body) }
    }

    /// Offers a delivery of the fetcher to the book's ring and to every tap. Where it cannot be accepted, a
    /// failure for its symbol takes its place.
    ///
    /// - Returns: whether the book's ring accepted it.
    @discardableResult
    private func offer(_ kind: FrameKind, key: Int, _ frame: [UInt8], orFailureOf symbol: SymbolName? = nil)
        -> Bool
    {
        let atNs = clock.realtimeNs
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

    func countLinks(_ change: Int) { openCount += change }

    /// Publishes the status to other threads.
    func publish() {
        statusDueMs = nowMs + Int64(configuration.statusIntervalMs)
        counted.writtenAtNs = clock.realtimeNs
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
