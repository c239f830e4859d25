// A snapshot fetcher under test: its venue, its loop and its diary on the test's own thread, times scaled
// down.

import BinanceVenue
import BookSync
import FeedPlan
import FeedSockets
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed
@testable import LobTransport

/// A fetcher under test, times scaled down.
final class FetcherHarness {
    let venue: TestVenue
    let raw: RawServer?
    let loop: EventLoop
    private(set) var fetcher: SnapshotFetcher!
    var deliveries: [SnapshotFetcher.Delivery] = []
    /// Requests that were announced, as `SYMBOL limit`.
    var announced: [String] = []
    var isTaking = true
    var isHearing = true
    var log: [String] = []
    var onReport: () -> Void = {}

    init(
        _ markets: [Market] = [.spot], raw: RawServer? = nil, port: Int? = nil,
        _ adjust: (inout SnapshotFetcher.Options) -> Void = { _ in }
    ) throws {
        venue = try TestVenue()
        self.raw = raw
        loop = try EventLoop()
        var options = SnapshotFetcher.Options()
        var planner = SnapshotPlanner.Configuration(pool: markets[0].weightPool)
        planner.backoffFirstMs = 20
        planner.backoffMaxMs = 60
        planner.answerTimeoutMs = 800
        planner.minuteGuardMs = 0
        planner.snapshotLagMs = 0
        planner.limitedWaitMs = 200
        planner.bannedWaitMs = 300
        planner.blockedWaitMs = 40
        planner.blockedWaitMaxMs = 80
        options.planner = planner
        options.requestLimitMs = 150
        options.redeliveryMs = 10
        options.statusIntervalMs = 10
        adjust(&options)
        let rest = "http://127.0.0.1:\(port ?? raw?.port ?? venue.port)"
        fetcher = try SnapshotFetcher(
            markets.map { Endpoints(market: $0, streamBase: "ws://localhost", restBase: rest) }, on: loop,
            options: options,
            deliver: { [unowned self] delivery in
                if case .requested(let frame) = delivery.news {
                    let envelope = SnapshotEnvelope(frame.span)!
                    if isHearing { announced.append("\(envelope.symbol) \(envelope.limit)") }
                    return isHearing
                }
                if isTaking { deliveries.append(delivery) }
                return isTaking
            },
            report: { [unowned self] in
                log.append("\($0)")
                onReport()
            })
    }

    func drive(
        _ what: Comment? = nil, atMostMs: Int = 4000, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) {
        let endNs = LoopClock.monotonicNs + UInt64(atMostMs) * 1_000_000
        while !condition() {
            if LoopClock.monotonicNs > endNs {
                Issue.record(what ?? "not in time: \(log.suffix(5))", sourceLocation: sourceLocation)
                return
            }
            loop.turn(waitAtMostNs: 500_000)
            venue.loop.turn(waitAtMostNs: 500_000)
            raw?.step()
        }
    }

    func pass(ms: Int) {
        let endNs = LoopClock.monotonicNs + UInt64(ms) * 1_000_000
        drive { LoopClock.monotonicNs > endNs }
    }

    static func key(_ symbol: String = "BTCUSDT", _ market: Market = .spot) -> SnapshotKey {
        SnapshotKey(market: market, symbol: SymbolName(symbol)!)
    }

    func want(_ key: SnapshotKey = key(), _ priority: SnapshotPriority = .initial, levels: Int = 100) {
        fetcher.want([.want(key, priority, levelCount: levels, attempt: 0)])
    }

    /// What was delivered: `SYMBOL limit body`, or `SYMBOL failed`.
    var words: [String] {
        deliveries.map { delivery in
            guard case .snapshot(let frame) = delivery.news else { return "\(delivery.key.symbol) failed" }
            let envelope = SnapshotEnvelope(frame.span)!
            let body = String(decoding: frame.dropFirst(SnapshotEnvelope.length), as: UTF8.self)
            return "\(envelope.symbol) \(envelope.limit) \(body.prefix(18))"
        }
    }

    var remote: SnapshotFetcherHandle { SnapshotFetcherHandle(fetcher, on: loop) }

    var status: SnapshotFetcherStatus {
        var status = SnapshotFetcherStatus()
        _ = fetcher.status.read(into: &status)
        return status
    }

    func finish(sourceLocation: SourceLocation = #_sourceLocation) {
        fetcher.stop()
        let count = deliveries.count
        drive("sockets left behind", sourceLocation: sourceLocation) {
            fetcher.openCount == 0 && loop.remote.counters.open == 0
        }
        #expect(deliveries.count == count, sourceLocation: sourceLocation)
        loop.close()
        venue.release(ok("{}"))  // a server does not see that the client of a held request has gone
        drive("sockets left behind", sourceLocation: sourceLocation) {
            venue.loop.remote.counters.open == 0
        }
        venue.loop.close()
    }
}

func ok(_ json: String, weight: Int? = nil) -> HTTPResponse {
    let headers = weight.map { [HTTPHeader("X-MBX-USED-WEIGHT-1M", "\($0)")!] } ?? []
    return HTTPResponse(headers: headers, json: json)
}
