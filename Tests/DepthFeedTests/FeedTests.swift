// A feed against a real server on loopback: opening, subscribing, renewing, losing, and what reaches the
// ring.

import BinanceVenue
import FeedSockets
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed
@testable import LobTransport

extension FeedSocketTests {
    @Suite struct Feed {
        @Test(arguments: Market.allCases) func subscribesAndCarries(_ market: Market) throws {
            let shard = try ShardHarness(TestVenue(), market: market, symbols: ["BTCUSDT", "ETHUSDT"])
            let venue = shard.venue
            shard.start()
            #expect(venue.link.path == (market == .usdm ? "/public/stream" : "/stream"))
            #expect(venue.link.requests.map(\.method) == ["SUBSCRIBE"])
            #expect(
                venue.link.requests[0].streams == [
                    "btcusdt@depth@100ms", "btcusdt@bookTicker", "ethusdt@depth@100ms", "ethusdt@bookTicker",
                ])
            venue.link.send(depthUpdate(1))
            venue.link.send(depthUpdate(2, length: 300_000))
            venue.link.send(depthUpdate(3))
            shard.drive { shard.seen(.message).count == 4 }
            #expect(
                shard.frames == [
                    .init(.message, 1, #"{"result":null,"id":1}"#), .init(.connected, 1),
                    .init(.message, 1, depthUpdate(1)), .init(.message, 1, depthUpdate(2, length: 300_000)),
                    .init(.message, 1, depthUpdate(3)),
                ])
            shard.drive { shard.ticks > 3 && shard.status.messages == 4 }
            let status = shard.status
            #expect(status.state == .connected && status.connection == 1 && status.attempts == 1)
            #expect(status.connectedAtNs > 0 && status.lastMessageAtNs >= status.connectedAtNs)
            #expect(status.bytes == shard.frames.reduce(0) { $0 + $1.text.utf8.count })
            shard.finish()
        }

        @Test func eventsBeforeTheAnswer() throws {
            let shard = try ShardHarness(TestVenue())
            shard.venue.onRequest = { link, request in
                link.send(depthUpdate(1))
                link.accept(request)
                link.send(depthUpdate(2))
            }
            shard.start()
            shard.drive { shard.seen(.message).count == 3 }
            #expect(shard.frames.map(\.kind) == [.message, .message, .connected, .message])
            shard.finish()
        }

        /// A thousand streams in batches, within the budget of a real venue.
        @Test func batchesAndPace() throws {
            let symbols = (0..<300).map { "S\($0)" }
            let shard = try ShardHarness(TestVenue(), symbols: symbols) {
                $0.supervisor.terms.messagesPerSecondMax = 5
                $0.streams.partialLevelCount = 20
            }
            shard.feed.start()
            shard.drive { (shard.venue.links.last?.requests.count ?? 0) == 5 }
            #expect(shard.announcements == [])
            let link = shard.venue.link
            shard.drive { !shard.announcements.isEmpty }
            #expect(link.requests.map(\.streams.count) == [200, 200, 200, 200, 100])
            #expect(Set(link.requests.flatMap(\.streams)).count == 900)
            #expect(link.atMs[3] - link.atMs[0] >= 900 && link.atMs[4] - link.atMs[1] >= 900)
            shard.finish()
        }

        @Test(arguments: [false, true]) func refusedOnce(_ isNested: Bool) throws {
            let shard = try ShardHarness(TestVenue())
            shard.venue.onRequest = { link, request in
                if request.id == 1 { link.refuse(request, isNested: isNested) } else { link.accept(request) }
            }
            shard.start()
            #expect(shard.venue.link.requests.map(\.id) == [1, 2])
            #expect(shard.status.refusals == 1 && shard.venue.links.count == 1)
            #expect(
                shard.log.contains { $0.contains("refused with 2, Invalid request: btcusdt@depth@100ms") })
            shard.finish()
        }

        @Test(arguments: [false, true]) func refusedForGood(_ isNested: Bool) throws {
            let shard = try ShardHarness(TestVenue())
            shard.venue.onRequest = { link, request in
                if link.number == 0 { link.refuse(request, isNested: isNested) } else { link.accept(request) }
            }
            shard.start()
            #expect(shard.venue.links.count == 2 && shard.venue.links[0].requests.count == 4)
            #expect(shard.announcements == ["up 2"])
            shard.finish()
        }

        @Test func oneNameRefused() throws {
            let shard = try ShardHarness(TestVenue())
            shard.venue.onRequest = { link, request in
                let isRefused = request.streams.contains("btcusdt@bookTicker")
                if isRefused { link.refuse(request, isNested: false) } else { link.accept(request) }
            }
            shard.start()
            #expect(shard.announcements == ["up 1"] && shard.venue.links.count == 1)
            #expect(
                shard.log.contains {
                    $0.hasSuffix("refused for good with 2, Invalid request: btcusdt@bookTicker")
                }
            )
            shard.finish()
        }

        @Test func neverAnswered() throws {
            let shard = try ShardHarness(TestVenue())
            shard.venue.onRequest = { link, request in if link.number > 0 { link.accept(request) } }
            shard.start()
            #expect(shard.announcements == ["up 2"] && shard.venue.links.count == 2)
            #expect(shard.log.contains("connection 1: SUBSCRIBE of 2 streams unanswered"))
            shard.finish()
        }

        @Test func shutdownHandsOver() throws {
            let shard = try ShardHarness(TestVenue())
            let venue = shard.venue
            shard.start()
            venue.link.shutDown()
            shard.drive { venue.links.count == 2 && shard.announcements.count == 2 }
            shard.drive { shard.status.state == .replacing }
            // Both deliver during the overlap.
            venue.links[0].send(depthUpdate(1))
            venue.links[1].send(depthUpdate(2))
            shard.drive { shard.seen(.message).filter { $0.contains("depthUpdate") }.count == 2 }
            #expect(venue.links[0].end == nil)
            shard.drive { shard.announcements.count == 3 && venue.links[0].end != nil }
            #expect(shard.announcements == ["up 1", "up 2", "retired 1"])
            #expect(shard.status.shutdowns == 1 && shard.status.replacements == 1 && shard.status.losses == 0)
            shard.finish()
        }

        @Test func cutAndReconnected() throws {
            let shard = try ShardHarness(TestVenue())
            shard.start()
            for number in 1...3 {
                if number == 2 {
                    shard.venue.link.peer.close(code: 1001)
                } else {
                    shard.venue.link.peer.abort()
                }
                shard.drive { shard.announcements.count == 1 + 2 * number }
            }
            #expect(shard.announcements == ["up 1", "down 1", "up 2", "down 2", "up 3", "down 3", "up 4"])
            #expect(shard.status.losses == 3 && shard.status.attempts == 4)
            shard.finish()
        }

        @Test func whoeverRefusesTheUpgradeIsLeftAlone() throws {
            for (status, isRate) in [(500, false), (429, true), (403, true)] {
                let shard = try ShardHarness(TestVenue())
                shard.venue.refusal = { $0 == 1 ? status : nil }
                shard.start()
                let line = shard.log.first { $0.hasPrefix("next connection in ") } ?? ""
                let waitMs = Int(line.split(separator: " ").dropFirst(3).first ?? "") ?? -1
                #expect((isRate ? 300...450 : 5...10).contains(waitMs), "\(status): \(line)")
                #expect("\(shard.status.lastError)" == "upgrade refused with status \(status)")
                shard.finish()
            }
        }

        /// The venue stands still: the kernel takes bytes, but nobody answers.
        @Test(arguments: [WebSocketBackend.native, .libwebsockets]) func halfOpen(_ backend: WebSocketBackend)
            throws
        {
            var socket = WebSocketClient.Options.feed
            socket.backends = [backend]
            socket.pingAfterMs = 100
            socket.pongLimitMs = 60
            let shard = try ShardHarness(TestVenue(), socket: socket)
            shard.start()
            shard.isVenueTurning = false
            let begin = monotonicNs()
            shard.drive { shard.announcements.count == 2 }
            #expect((120...2000).contains((monotonicNs() - begin) / 1_000_000))
            #expect(shard.announcements == ["up 1", "down 1"] && shard.status.probes == 1)
            shard.isVenueTurning = true
            shard.drive { shard.announcements.count == 3 }
            shard.finish()
        }

        /// A quiet venue that answers pings is no half-open one.
        @Test func quiet() throws {
            var socket = WebSocketClient.Options.feed
            socket.pingAfterMs = 50
            socket.pongLimitMs = 400
            let shard = try ShardHarness(TestVenue(), socket: socket)
            shard.start()
            shard.drive { shard.status.probes == 2 }
            shard.pass(ms: 100)
            #expect(shard.announcements == ["up 1"] && shard.status.losses == 0)
            shard.finish()
        }

        @Test func pingsAreAnsweredAndCounted() throws {
            let shard = try ShardHarness(TestVenue(pingIntervalMs: 30))
            shard.start()
            shard.drive { shard.status.pings >= 3 }
            #expect(shard.venue.link.pongs >= 2 && shard.status.losses == 0)
            shard.finish()
        }

        /// A life of a third of a second, renewed again and again without a hole.
        @Test func renewals() throws {
            let shard = try ShardHarness(TestVenue()) {
                $0.supervisor.terms.lifeMs = 400
                $0.supervisor.renewalMarginMs = 100
                $0.supervisor.renewalJitterMs = 50
                $0.supervisor.overlapMs = 40
            }
            shard.start()
            shard.drive(atMostMs: 4000) { shard.announcements.count >= 9 }
            let order = shard.announcements.prefix(9)
            #expect(
                order == [
                    "up 1", "up 2", "retired 1", "up 3", "retired 2", "up 4", "retired 3", "up 5",
                    "retired 4",
                ])
            #expect(shard.status.losses == 0)
            shard.finish()
        }

        @Test func resubscribes() throws {
            let shard = try ShardHarness(TestVenue(), symbols: ["BTCUSDT", "ETHUSDT"])
            shard.start()
            let remote = shard.remote
            #expect(remote.resubscribe([SymbolName("ETHUSDT"), SymbolName("XYZ")]))
            shard.drive { shard.venue.link.requests.count == 3 }
            #expect(shard.venue.link.requests.map(\.method) == ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"])
            #expect(shard.venue.link.requests[2].streams == ["ethusdt@depth@100ms", "ethusdt@bookTicker"])
            shard.drive { shard.status.resubscribedStreams == 2 }
            // The book thread is told of the stream that has updates, behind the venue's answer.
            shard.drive { shard.seen(.resubscribed).count == 1 }
            #expect(shard.announcements.first == "up 1")
            shard.finish()
        }

        @Test func unreadableMessages() throws {
            let shard = try ShardHarness(TestVenue())
            shard.start()
            shard.venue.link.send("no JSON at all")
            shard.venue.link.send(String(repeating: "[", count: 100_000))
            shard.venue.link.send(#"{"e":"trade","E":1}"#)
            shard.drive { shard.seen(.message).count == 4 && shard.status.unreadable == 2 }
            #expect(shard.announcements == ["up 1"])
            shard.finish()
        }

        /// Whoever is told may call in: what was about to be done is done, and then undone.
        @Test func stoppedByItsOwnReport() throws {
            for count in 1...5 {
                let shard = try ShardHarness(TestVenue())
                var told = 0
                shard.onReport = {
                    told += 1
                    if told == count { shard.feed.stop() }
                }
                shard.feed.start()
                shard.drive { shard.venue.links.count == 1 || shard.feed.isStopped }
                shard.venue.links.last?.shutDown()
                shard.drive { shard.feed.isStopped }
                shard.finish()
                shard.onReport = {}
            }
        }

        @Test func stoppedInEveryPhase() throws {
            for phase in 0..<5 {
                let shard = try ShardHarness(TestVenue())
                if phase < 3 { shard.venue.onRequest = { _, _ in } }
                switch phase {
                case 0: break
                case 1: shard.feed.start()
                case 2:
                    shard.feed.start()
                    shard.drive { shard.venue.links.last?.requests.count == 1 }
                case 3: shard.start()
                default:
                    shard.start()
                    shard.venue.link.shutDown()
                    shard.drive { shard.announcements.count == 2 }
                }
                let dialled = shard.feed.counted.attempts
                shard.finish()
                #expect(shard.feed.counted.attempts == dialled)
            }
        }
    }
}
