// How a service ends: in every phase within its bounds, and without losing anything that was received.

import BinanceVenue
import DepthFeed
import Foundation
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookService

/// Where a service is when it is told to stop.
struct StopCase: Sendable, CustomStringConvertible {
    var description: String
    /// What happens to the connections of the streams, and of the requests.
    var streams = Sabotage.none
    var requests = Sabotage.none
    /// Whether the venue uses TLS.
    var isSecure = false
    /// Whether everything falls silent just before.
    var vanishes = false
    /// When it is there.
    var isThere: @Sendable (Meddler, Meddler, Diary) -> Bool = { _, _, _ in true }

    /// A close that nobody answers takes its limit of 300 ms, everything else next to nothing; the rest is
    /// for a machine with other work.
    static let stopMsMax = 2_000

    static let all: [StopCase] = [
        StopCase(description: "at once"),
        StopCase(description: "while dialling", streams: .silent) { streams, _, _ in streams.acceptedCount > 0
        },
        StopCase(description: "in the handshake", streams: .vanish(afterBytes: 60)) { streams, _, _ in
            streams.acceptedCount > 0
        },
        StopCase(description: "in the TLS handshake", streams: .vanish(afterBytes: 200), isSecure: true) {
            streams, _, _ in streams.acceptedCount > 0
        },
        StopCase(description: "before the next attempt", streams: .reset) { _, _, diary in
            diary.has("next connection")
        },
        StopCase(description: "during the subscription", streams: .swallowRequests) { _, _, diary in
            diary.has("open on the native")
        },
        StopCase(description: "during the snapshots", requests: .silent) { _, requests, _ in
            requests.acceptedCount > 0
        },
        StopCase(
            description: "during a snapshot's TLS handshake", requests: .vanish(afterBytes: 200),
            isSecure: true
        ) {
            _, requests, _ in requests.acceptedCount > 0
        },
        StopCase(description: "in the middle of a body", requests: .vanish(afterBytes: 3000)) {
            _, requests, _ in
            requests.acceptedCount > 0
        },
        StopCase(
            description: "while requests wait", requests: .answer(httpAnswer("429 No", ["Retry-After: 60"]))
        ) {
            _, _, diary in diary.has("the venue answered 429")
        },
        StopCase(description: "while nobody answers the close", streams: .ignoreClose) { _, _, diary in
            diary.has("subscribed")
        },
        StopCase(description: "half-open", vanishes: true) { _, _, diary in diary.has("subscribed") },
        StopCase(description: "half-open, by TLS", isSecure: true, vanishes: true) { _, _, diary in
            diary.has("subscribed")
        },
    ]
}

extension StopCase {
    /// Starts a service, stops it in this phase, and looks at how long that takes.
    func stop(_ report: Report) throws {
        let symbols = names(.spot, 3)
        let tls = isSecure ? TLSIdentity(CertificateFiles.shared.good) : nil
        let venue = try VenueHost(.init(symbols: symbols, tls: tls))
        defer { venue.stop() }
        let streams = Meddler(to: venue.port, first: .max, self.streams)
        defer { streams.stop() }
        let requests = Meddler(to: venue.port, first: .max, self.requests)
        defer { requests.stop() }
        let endpoints = venue.endpoints(
            host: "localhost", streamPort: streams.port, restPort: requests.port)
        var configuration = brisk(endpoints, symbols)
        configuration.loop.authorityPath = isSecure ? CertificateFiles.shared.authority : nil
        let diary = Diary()
        let service = try BookService(configuration) { diary.note($0) }
        report.wait("there", seen: { diary.tail }) { isThere(streams, requests, diary) }
        if vanishes { for meddler in [streams, requests] { meddler.vanish() } }
        // Somewhere within what is going on.
        usleep(UInt32.random(in: 0...30_000))
        let stopMs = report.time {
            let books = service.stop()
            report.expect(Set(books.map(\.status.symbol)) == Set(symbols), "books missing: \(books)")
        }
        report.expect(stopMs < StopCase.stopMsMax, "took \(stopMs) ms\n\(diary.tail)")
    }
}

@Suite struct StopTests {
    @Test(arguments: StopCase.all) func stopKeepsItsBounds(_ phase: StopCase) async {
        await onOwnThread("stop \(phase)") { report in
            try phase.stop(report)
        }
    }

    /// The book thread stands still and the ring is full: stop waits for the book thread, and for nothing
    /// else.
    @Test func stopWhileTheRingIsFull() async {
        await onOwnThread("stop while the ring is full") { report in
            let symbols = names(.usdm, 3)
            let venue = try VenueHost(.init(market: .usdm, symbols: symbols, speed: 60))
            defer { venue.stop() }
            var configuration = brisk(venue.endpoints, symbols)
            configuration.ringBytes = 1 << 16
            let service = try BookService(configuration)
            Witness(venue).settle(service, report)
            let isStanding = Switch()
            isStanding.isOn = true
            _ = service.ask(symbols[0]) { _, _ in while isStanding.isOn { usleep(1000) } }
            report.wait("full", seen: { "\(service.shardStatuses)" }) {
                service.lostCount > 10
            }
            Thread {
                usleep(300_000)
                isStanding.isOn = false
            }.start()
            let stopMs = report.time { _ = service.stop() }
            report.expect(stopMs < StopCase.stopMsMax, "took \(stopMs) ms")
            expectNothingLost(service, report)
        }
    }

    /// Whatever the feed counted was stepped by the engine, or counted as dropped; also when hundreds of
    /// frames wait for the book thread at the end.
    @Test(arguments: [1 << 16, 1 << 20]) func stopLosesNothing(_ ringBytes: Int) async {
        await onOwnThread("stop loses nothing, ring \(ringBytes)") { report in
            for round in 0..<3 {
                let symbols = names(.spot, 6)
                let venue = try VenueHost(.init(symbols: symbols, seed: UInt64(round), speed: 80))
                defer { venue.stop() }
                var configuration = brisk(venue.endpoints, symbols)
                configuration.ringBytes = ringBytes
                configuration.shardCountMin = 2
                let service = try BookService(configuration)
                Witness(venue).settle(service, report)
                let isStanding = Switch()
                isStanding.isOn = true
                for symbol in symbols.prefix(2) {
                    _ = service.ask(symbol) { _, _ in while isStanding.isOn { usleep(500) } }
                }
                let waitingBytes = min(ringBytes / 2, 200_000)
                report.wait("late", seen: { "\(service.shardStatuses)" }) {
                    service.shardStatuses.allSatisfy { $0.ring.occupancyBytes > waitingBytes }
                }
                Thread {
                    usleep(UInt32.random(in: 0...60_000))
                    isStanding.isOn = false
                }.start()
                _ = service.stop()
                expectNothingLost(service, report)
            }
        }
    }
}

/// Compares what the feeds received with what the engines did, when all is over.
private func expectNothingLost(_ service: BookService, _ report: Report) {
    for shard in service.shardStatuses {
        let (feed, engine) = (shard.feed, shard.engine)
        let stepped =
            engine.depthUpdates + engine.tickers + engine.partialDepths + engine.shutdowns
            + engine.other + engine.malformed
        report.expect(feed.state == .stopped, "the feed is \(feed.state)")
        report.expect(
            stepped == feed.messages - feed.droppedMessages,
            "received \(feed.messages), dropped \(feed.droppedMessages), stepped \(stepped): \(engine)")
        report.expect(shard.ring.occupancyBytes == 0, "\(shard.ring.occupancyBytes) bytes left in the ring")
    }
}
