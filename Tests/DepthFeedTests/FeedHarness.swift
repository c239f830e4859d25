// A shard under test: venue, feed and ring on the test's own thread, times scaled down.

import BinanceVenue
import FeedSockets
import LobTransport
import MarketData
import Testing

@testable import DepthFeed
@testable import LobHandoff

/// Tests that open sockets run one after another.
@Suite(.serialized) struct FeedSocketTests {}

/// One frame that came out of the ring.
struct SeenFrame: Equatable, CustomStringConvertible {
    var kind: FrameKind
    var source: UInt16
    var text: String

    init(_ kind: FrameKind, _ source: UInt16, _ text: String = "") {
        (self.kind, self.source, self.text) = (kind, source, text)
    }

    var description: String { "\(kind) \(source) \(text.prefix(60))" }
}

final class ShardHarness {
    let venue: TestVenue
    let loop: EventLoop
    let feed: DepthFeed
    var consumer: FrameConsumer
    let gauges: FrameRingGauges
    /// Everything but ticks.
    var frames: [SeenFrame] = []
    /// Frames that wait for room, besides the marks of lost messages.
    var waitingFrames: Int { feed.outbox.waiting.count(where: { $0.kind != .dropped }) }
    /// Announcements in their order.
    private(set) var announcements: [String] = []
    var ticks = 0
    var events: [String] = []
    /// Whether the venue's loop is turned.
    var isVenueTurning = true
    /// Whether the ring is emptied.
    var isReading = true

    init(
        _ venue: TestVenue, market: Market = .spot, symbols: [String] = ["BTCUSDT"], ringBytes: Int = 1 << 20,
        socket: WebSocketClient.Options = .feed,
        _ adjust: (inout DepthFeed.Configuration) -> Void = { _ in }
    ) throws {
        self.venue = venue
        loop = try EventLoop()
        let endpoints = Endpoints(market: market, streamBase: venue.streamBase, restBase: venue.restBase)
        var configuration = DepthFeed.Configuration(
            endpoints: endpoints, symbols: symbols.map { SymbolName($0)! })
        configuration.supervisor.terms.messagesPerSecondMax = 1000
        configuration.supervisor.answerLimitMs = 250
        configuration.supervisor.backoffFirstMs = 10
        configuration.supervisor.backoffMaxMs = 100
        configuration.supervisor.refusedWaitMs = 300
        configuration.supervisor.coalesceMs = 20
        configuration.supervisor.overlapMs = 100
        configuration.tickIntervalMs = 20
        configuration.statusIntervalMs = 20
        var socket = socket
        socket.closeLimitMs = 100
        adjust(&configuration)
        let ring = try FrameRing(capacityBytes: ringBytes)
        consumer = ring.consumer
        gauges = ring.gauges
        let told = Told()
        feed = try DepthFeed(configuration, on: loop, socket: socket, producer: ring.producer) { event in
            told.events.append("\(event)")
            told.onReport()
        }
        self.told = told
    }

    private final class Told {
        var events: [String] = []
        var onReport: () -> Void = {}
    }
    private let told: Told

    var onReport: () -> Void {
        get { told.onReport }
        set { told.onReport = newValue }
    }

    var log: [String] { told.events }

    var remote: FeedHandle { FeedHandle(feed, on: loop) }

    var status: FeedStatus {
        var status = FeedStatus()
        _ = feed.status.read(into: &status)
        return status
    }

    func turn() {
        loop.turn(waitAtMostNs: 500_000)
        if isVenueTurning { venue.loop.turn(waitAtMostNs: 500_000) }
        if isReading { read() }
    }

    func read() {
        consumer.poll { frame in
            if frame.kind == .tick {
                ticks += 1
                return
            }
            if frame.kind == .connected { announcements.append("up \(frame.source)") }
            if frame.kind == .disconnected { announcements.append("down \(frame.source)") }
            if frame.kind == .retired { announcements.append("retired \(frame.source)") }
            let text = String(decoding: frame.bytes, as: UTF8.self)
            frames.append(SeenFrame(frame.kind, frame.source, text))
        }
    }

    /// Turns until the condition holds; fails the test when it does not in time.
    func drive(
        _ what: Comment? = nil, atMostMs: Int = 3000, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) {
        let endNs = LoopClock.monotonicNs + UInt64(atMostMs) * 1_000_000
        while !condition() {
            if LoopClock.monotonicNs > endNs {
                Issue.record(what ?? "not in time: \(log.suffix(6))", sourceLocation: sourceLocation)
                return
            }
            turn()
        }
    }

    func pass(ms: Int) {
        let endNs = LoopClock.monotonicNs + UInt64(ms) * 1_000_000
        while LoopClock.monotonicNs < endNs { turn() }
    }

    func start() {
        feed.start()
        drive { frames.contains { $0.kind == .connected } }
    }

    /// Frames of one kind, as `source text`.
    func seen(_ kind: FrameKind) -> [String] {
        frames.filter { $0.kind == kind }.map { "\($0.source) \($0.text)" }
    }

    /// Stops everything and looks for what was left behind.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) {
        isVenueTurning = true
        isReading = true
        feed.stop()
        drive(sourceLocation: sourceLocation) { feed.openCount == 0 && loop.remote.counters.open == 0 }
        for _ in 0..<5 { turn() }
        #expect(status.state == .stopped, sourceLocation: sourceLocation)
        let ups = Set(announcements.filter { $0.hasPrefix("up") }.map { $0.dropFirst(3) })
        let downs = announcements.filter { !$0.hasPrefix("up") }.map { $0.drop { $0 != " " }.dropFirst() }
        #expect(
            ups == Set(downs) && downs.count == Set(downs).count, "\(announcements)",
            sourceLocation: sourceLocation)
        loop.close()
        drive("sockets left behind", sourceLocation: sourceLocation) {
            venue.loop.remote.counters.open == 0 && venue.links.allSatisfy { $0.end != nil }
        }
        venue.loop.close()
    }
}

/// A depth update of this length or more.
func depthUpdate(_ id: Int, length: Int = 0) -> String {
    let head = "{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"U\":\(id),\"u\":\(id)}}"
    return head + String(repeating: " ", count: max(length - head.utf8.count, 0))
}
