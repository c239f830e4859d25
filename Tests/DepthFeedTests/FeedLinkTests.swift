// Links that break, fall silent or are refused, against a real server on loopback.

import BinanceDepth
import Handoff
import MarketData
import Testing

@testable import DepthFeed
@testable import Transport

extension FeedSocketTests {
    @Suite struct Links {
        private static func busy(_ venue: TestVenue) throws -> LaneHarness {
            try LaneHarness(venue) {
                $0.busySilence.pingAfterMs = 150
                $0.busySilence.pongLimitMs = 200
                $0.busySilence.goneAfterMs = 600
                $0.life.dialLimitMs = 300
                $0.life.backoffMaxMs = 50
            }
        }

        /// Sends events until the feed takes the connection for a busy one.
        private static func makeBusy(_ lane: LaneHarness) {
            var id = 1
            let endNs = LoopClock.monotonicNs + 1_500_000_000
            lane.drive {
                for _ in 0..<5 { lane.venue.link.send(depthEvent(id)) }
                id += 1
                return LoopClock.monotonicNs > endNs
            }
        }

        /// The venue stands still: the busy connection is pinged, replaced, and given up long before the
        /// socket's own watch would do it.
        @Test func aBusyConnectionFallsSilent() throws {
            let lane = try Links.busy(TestVenue())
            lane.start()
            Links.makeBusy(lane)
            lane.isVenueTurning = false
            lane.drive("not pinged") { lane.status.probes == 1 }
            lane.drive("not replaced") { lane.status.replacements == 1 }
            #expect(lane.log.contains { $0.hasPrefix("connection 1: was busy, and nothing has come for ") })
            #expect(lane.log.contains("connection 1: to be replaced: it was busy and has fallen silent"))
            lane.drive("not given up") { lane.announcements == ["up 1", "down 1"] }
            #expect(lane.log.contains { $0.hasPrefix("connection 1: ended: nothing received for ") })
            lane.isVenueTurning = true
            lane.drive("not back") { lane.status.state == .connected }
            lane.finish()
        }

        /// The streams stand still and the connection does not: a pong says so.
        @Test func aBusyMarketHasABreak() throws {
            let lane = try Links.busy(TestVenue())
            lane.start()
            Links.makeBusy(lane)
            lane.drive("not pinged") { lane.status.probes > 0 }
            lane.pass(ms: 1_000)
            #expect(lane.announcements == ["up 1"] && lane.status.replacements == 0)
            lane.finish()
        }

        /// A link that delivers and breaks is dialled again at once, however often.
        @Test func aLinkThatFlaps() throws {
            let lane = try LaneHarness(TestVenue()) {
                $0.life.deliveredAfterMs = 50
                $0.life.backoffFirstMs = 40
                $0.life.backoffMaxMs = 60_000
            }
            lane.start()
            for round in 1...12 {
                lane.venue.link.send(depthEvent(round))
                lane.drive { lane.frames.last?.text == depthEvent(round) }
                lane.pass(ms: 80)
                lane.venue.link.peer.abort()
                lane.drive { lane.announcements.count { $0.hasPrefix("up") } == round + 1 }
            }
            let waits = lane.log.filter { $0.hasPrefix("next connection in ") }
            #expect(waits.count == 12 && waits.allSatisfy { $0.hasSuffix(" after 1 failures") }, "\(waits)")
            lane.finish()
        }

        /// `Retry-After` of a refused upgrade is waited for.
        @Test(arguments: [429, 403, 503]) func toldToComeLater(_ status: Int) throws {
            let lane = try LaneHarness(TestVenue()) { $0.life.refusedWaitMs = 50 }
            lane.venue.refusalHeaders = [HTTPHeader("Retry-After", "1")!]
            lane.venue.refusal = { $0 == 1 ? status : nil }
            lane.feed.start()
            lane.drive { lane.log.contains { $0.hasPrefix("next connection in ") } }
            let beginNs = LoopClock.monotonicNs
            lane.drive { lane.status.state == .connected }
            let waitedMs = (LoopClock.monotonicNs - beginNs) / 1_000_000
            #expect((950...1_600).contains(waitedMs), "\(waitedMs)")
            lane.finish()
        }

        /// Messages that find no room are named by their symbols, also those of several pieces.
        @Test(arguments: [8_000, 60_000]) func lostMessagesAreNamed(_ length: Int) throws {
            let lane = try LaneHarness(TestVenue(), symbols: ["BTCUSDT", "ETHUSDT"], ringBytes: 1 << 16)
            lane.start()
            lane.isReading = false
            for id in 1...20 { lane.venue.link.send(depthEvent(id, length: length)) }
            lane.drive { lane.status.droppedMessages > 5 }
            lane.pass(ms: 60)
            let told = lane.log.filter { $0.contains("messages found no room in the ring") }
            #expect(!told.isEmpty && told.allSatisfy { $0.hasSuffix(", of BTCUSDT") }, "\(told)")
            lane.isReading = true
            lane.pass(ms: 60)
            lane.finish()
        }
    }
}
