// A feed against a real server on loopback: opening, subscribing, renewing, losing, and what reaches the
// ring.

import BinanceDepth
import Handoff
import MarketData
import Testing

@testable import DepthFeed
@testable import Transport

extension FeedSocketTests {
    @Suite struct Feed {
        @Test(arguments: Market.allCases) func subscribesAndCarries(_ market: Market) throws {
            let lane = try LaneHarness(TestVenue(), market: market, symbols: ["BTCUSDT", "ETHUSDT"])
            let venue = lane.venue
            lane.start()
            #expect(venue.link.path == (market == .usdm ? "/public/stream" : "/stream"))
            #expect(venue.link.requests.map(\.method) == ["SUBSCRIBE"])
            #expect(
                venue.link.requests[0].streams == [
                    "btcusdt@depth@100ms", "btcusdt@bookTicker", "ethusdt@depth@100ms", "ethusdt@bookTicker",
                ])
            venue.link.send(depthEvent(1))
            venue.link.send(depthEvent(2, length: 300_000))
            venue.link.send(depthEvent(3))
            lane.drive { lane.seen(.message).count == 4 }
            #expect(
                lane.frames == [
                    .init(.message, 1, #"{"result":null,"id":1}"#), .init(.connected, 1),
                    .init(.message, 1, depthEvent(1)), .init(.message, 1, depthEvent(2, length: 300_000)),
                    .init(.message, 1, depthEvent(3)),
                ])
            lane.drive { lane.ticks > 3 && lane.status.messages == 4 }
            let status = lane.status
            #expect(status.state == .connected && status.connection == 1 && status.attempts == 1)
            #expect(status.connectedAtNs > 0 && status.lastMessageAtNs >= status.connectedAtNs)
            #expect(status.bytes == lane.frames.reduce(0) { $0 + $1.text.utf8.count })
            lane.finish()
        }

        @Test func eventsBeforeTheAnswer() throws {
            let lane = try LaneHarness(TestVenue())
            lane.venue.onRequest = { link, request in
                link.send(depthEvent(1))
                link.accept(request)
                link.send(depthEvent(2))
            }
            lane.start()
            lane.drive { lane.seen(.message).count == 3 }
            #expect(lane.frames.map(\.kind) == [.message, .message, .connected, .message])
            lane.finish()
        }

        /// A thousand streams in batches, within the budget of a real venue.
        @Test func batchesAndPace() throws {
            let symbols = (0..<300).map { "S\($0)" }
            let lane = try LaneHarness(TestVenue(), symbols: symbols) {
                $0.life.terms.messagesPerSecondMax = 5
                $0.streams.partialLevelCount = 20
            }
            lane.feed.start()
            lane.drive { (lane.venue.links.last?.requests.count ?? 0) == 5 }
            #expect(lane.announcements == [])
            let link = lane.venue.link
            lane.drive { !lane.announcements.isEmpty }
            #expect(link.requests.map(\.streams.count) == [200, 200, 200, 200, 100])
            #expect(Set(link.requests.flatMap(\.streams)).count == 900)
            #expect(link.atMs[3] - link.atMs[0] >= 990 && link.atMs[4] - link.atMs[1] >= 990)
            lane.finish()
        }

        @Test(arguments: [false, true]) func refusedOnce(_ isNested: Bool) throws {
            let lane = try LaneHarness(TestVenue())
            lane.venue.onRequest = { link, request in
                if request.id == 1 { link.refuse(request, isNested: isNested) } else { link.accept(request) }
            }
            lane.start()
            #expect(lane.venue.link.requests.map(\.id) == [1, 2])
            #expect(lane.status.refusals == 1 && lane.venue.links.count == 1)
            #expect(lane.log.contains { $0.contains("refused with 2, Invalid request: btcusdt@depth@100ms") })
            lane.finish()
        }

        @Test(arguments: [false, true]) func refusedForGood(_ isNested: Bool) throws {
            let lane = try LaneHarness(TestVenue())
            lane.venue.onRequest = { link, request in
                if link.number == 0 { link.refuse(request, isNested: isNested) } else { link.accept(request) }
            }
            lane.start()
            #expect(lane.venue.links.count == 2 && lane.venue.links[0].requests.count == 4)
            #expect(lane.announcements == ["up 2"])
            lane.finish()
        }

        @Test func oneNameRefused() throws {
            let lane = try LaneHarness(TestVenue())
            lane.venue.onRequest = { link, request in
                let isRefused = request.streams.contains("btcusdt@bookTicker")
                if isRefused { link.refuse(request, isNested: false) } else { link.accept(request) }
            }
            lane.start()
            #expect(lane.announcements == ["up 1"] && lane.venue.links.count == 1)
            #expect(
                lane.log.contains {
                    $0.hasSuffix("refused for good with 2, Invalid request: btcusdt@bookTicker")
                }
            )
            lane.finish()
        }

        @Test func neverAnswered() throws {
            let lane = try LaneHarness(TestVenue())
            lane.venue.onRequest = { link, request in if link.number > 0 { link.accept(request) } }
            lane.start()
            #expect(lane.announcements == ["up 2"] && lane.venue.links.count == 2)
            #expect(lane.log.contains("connection 1: SUBSCRIBE of 2 streams unanswered"))
            lane.finish()
        }

        @Test func shutdownHandsOver() throws {
            let lane = try LaneHarness(TestVenue())
            let venue = lane.venue
            lane.start()
            venue.link.shutDown()
            lane.drive { venue.links.count == 2 && lane.announcements.count == 2 }
            lane.drive { lane.status.state == .replacing }
            // Both deliver during the overlap.
            venue.links[0].send(depthEvent(1))
            venue.links[1].send(depthEvent(2))
            lane.drive { lane.seen(.message).filter { $0.contains("depthUpdate") }.count == 2 }
            #expect(venue.links[0].end == nil)
            lane.drive { lane.announcements.count == 3 && venue.links[0].end != nil }
            #expect(lane.announcements == ["up 1", "up 2", "retired 1"])
            #expect(lane.status.shutdowns == 1 && lane.status.replacements == 1 && lane.status.losses == 0)
            lane.finish()
        }

        @Test func cutAndReconnected() throws {
            let lane = try LaneHarness(TestVenue())
            lane.start()
            for number in 1...3 {
                if number == 2 {
                    lane.venue.link.peer.close(code: 1001)
                } else {
                    lane.venue.link.peer.abort()
                }
                lane.drive { lane.announcements.count == 1 + 2 * number }
            }
            #expect(lane.announcements == ["up 1", "down 1", "up 2", "down 2", "up 3", "down 3", "up 4"])
            #expect(lane.status.losses == 3 && lane.status.attempts == 4)
            lane.finish()
        }

        @Test func whoeverRefusesTheUpgradeIsLeftAlone() throws {
            for (status, isRate) in [(500, false), (429, true), (403, true)] {
                let lane = try LaneHarness(TestVenue())
                lane.venue.refusal = { $0 == 1 ? status : nil }
                lane.start()
                let line = lane.log.first { $0.hasPrefix("next connection in ") } ?? ""
                let waitMs = Int(line.split(separator: " ").dropFirst(3).first ?? "") ?? -1
                #expect((isRate ? 300...450 : 5...10).contains(waitMs), "\(status): \(line)")
                #expect("\(lane.status.lastError)" == "upgrade refused with status \(status)")
                lane.finish()
            }
        }

        /// The venue stands still: the kernel takes bytes, but nobody answers.
        @Test(arguments: [WebSocketRoad.fast, .standard]) func halfOpen(_ road: WebSocketRoad) throws {
            let lane = try LaneHarness(TestVenue()) {
                $0.socket.roads = [road]
                $0.socket.pingAfterMs = 100
                $0.socket.pongLimitMs = 60
            }
            lane.start()
            lane.isVenueTurning = false
            let begin = monotonicNs()
            lane.drive { lane.announcements.count == 2 }
            #expect((120...2000).contains((monotonicNs() - begin) / 1_000_000))
            #expect(lane.announcements == ["up 1", "down 1"] && lane.status.probes == 1)
            lane.isVenueTurning = true
            lane.drive { lane.announcements.count == 3 }
            lane.finish()
        }

        /// A quiet venue that answers pings is no half-open one.
        @Test func quiet() throws {
            let lane = try LaneHarness(TestVenue()) {
                $0.socket.pingAfterMs = 50
                $0.socket.pongLimitMs = 400
            }
            lane.start()
            lane.drive { lane.status.probes == 2 }
            lane.pass(ms: 100)
            #expect(lane.announcements == ["up 1"] && lane.status.losses == 0)
            lane.finish()
        }

        @Test func pingsAreAnsweredAndCounted() throws {
            let lane = try LaneHarness(TestVenue(pingIntervalMs: 30))
            lane.start()
            lane.drive { lane.status.pings >= 3 }
            #expect(lane.venue.link.pongs >= 2 && lane.status.losses == 0)
            lane.finish()
        }

        /// A life of a third of a second, renewed again and again without a hole.
        @Test func renewals() throws {
            let lane = try LaneHarness(TestVenue()) {
                $0.life.terms.lifeMs = 400
                $0.life.renewalMarginMs = 100
                $0.life.renewalJitterMs = 50
                $0.life.overlapMs = 40
            }
            lane.start()
            lane.drive(atMostMs: 4000) { lane.announcements.count >= 9 }
            let order = lane.announcements.prefix(9)
            #expect(
                order == [
                    "up 1", "up 2", "retired 1", "up 3", "retired 2", "up 4", "retired 3", "up 5",
                    "retired 4",
                ])
            #expect(lane.status.losses == 0)
            lane.finish()
        }

        @Test func resubscribes() throws {
            let lane = try LaneHarness(TestVenue(), symbols: ["BTCUSDT", "ETHUSDT"])
            lane.start()
            let remote = lane.feed.remote
            #expect(remote.resubscribe([SymbolName("ETHUSDT")!, SymbolName("XYZ")!]))
            lane.drive { lane.venue.link.requests.count == 3 }
            #expect(lane.venue.link.requests.map(\.method) == ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"])
            #expect(lane.venue.link.requests[2].streams == ["ethusdt@depth@100ms", "ethusdt@bookTicker"])
            lane.drive { lane.status.resubscribedStreams == 2 }
            lane.finish()
        }

        @Test func unreadableMessages() throws {
            let lane = try LaneHarness(TestVenue())
            lane.start()
            lane.venue.link.send("no JSON at all")
            lane.venue.link.send(String(repeating: "[", count: 100_000))
            lane.venue.link.send(#"{"e":"trade","E":1}"#)
            lane.drive { lane.seen(.message).count == 4 && lane.status.unreadable == 2 }
            #expect(lane.announcements == ["up 1"])
            lane.finish()
        }

        /// Whoever is told may call in: what was about to be done is done, and then undone.
        @Test func stoppedByItsOwnReport() throws {
            for count in 1...5 {
                let lane = try LaneHarness(TestVenue())
                var told = 0
                lane.onReport = {
                    told += 1
                    if told == count { lane.feed.stop() }
                }
                lane.feed.start()
                lane.drive { lane.venue.links.count == 1 || lane.feed.isStopped }
                lane.venue.links.last?.shutDown()
                lane.drive { lane.feed.isStopped }
                lane.finish()
                lane.onReport = {}
            }
        }

        @Test func stoppedInEveryPhase() throws {
            for phase in 0..<5 {
                let lane = try LaneHarness(TestVenue())
                if phase < 3 { lane.venue.onRequest = { _, _ in } }
                switch phase {
                case 0: break
                case 1: lane.feed.start()
                case 2:
                    lane.feed.start()
                    lane.drive { lane.venue.links.last?.requests.count == 1 }
                case 3: lane.start()
                default:
                    lane.start()
                    lane.venue.link.shutDown()
                    lane.drive { lane.announcements.count == 2 }
                }
                let dialled = lane.feed.counted.attempts
                lane.finish()
                #expect(lane.feed.counted.attempts == dialled)
            }
        }
    }
}
