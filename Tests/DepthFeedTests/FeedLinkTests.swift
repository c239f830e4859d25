// Links that break, fall silent or are refused, against a real server on loopback.

import BinanceVenue
import LobHandoff
import MarketData
import Testing

@testable import DepthFeed
@testable import LobTransport

extension FeedSocketTests {
    @Suite struct Links {
        private static func busy(_ venue: TestVenue) throws -> ShardHarness {
            try ShardHarness(venue) {
                $0.busySilence.pingAfterMs = 150
                $0.busySilence.pongLimitMs = 200
                $0.busySilence.goneAfterMs = 600
                $0.supervisor.dialLimitMs = 300
                $0.supervisor.backoffMaxMs = 50
            }
        }

        /// Sends updates until the feed takes the connection for a busy one.
        private static func makeBusy(_ shard: ShardHarness) {
            var id = 1
            let endNs = LoopClock.monotonicNs + 1_500_000_000
            shard.drive {
                for _ in 0..<5 { shard.venue.link.send(depthUpdate(id)) }
                id += 1
                return LoopClock.monotonicNs > endNs
            }
        }

        /// The venue stands still: the busy connection is pinged, replaced, and given up long before the
        /// socket's own watch would do it.
        @Test func aBusyConnectionFallsSilent() throws {
            let shard = try Links.busy(TestVenue())
            shard.start()
            Links.makeBusy(shard)
            shard.isVenueTurning = false
            shard.drive("not pinged") { shard.status.probes == 1 }
            shard.drive("not replaced") { shard.status.replacements == 1 }
            #expect(shard.log.contains { $0.hasPrefix("connection 1: was busy, and nothing has come for ") })
            #expect(shard.log.contains("connection 1: to be replaced: it was busy and has fallen silent"))
            shard.drive("not given up") { shard.announcements == ["up 1", "down 1"] }
            #expect(shard.log.contains { $0.hasPrefix("connection 1: ended: nothing received for ") })
            shard.isVenueTurning = true
            shard.drive("not back") { shard.status.state == .connected }
            shard.finish()
        }

        /// The streams stand still and the connection does not: a pong says so.
        @Test func aBusyMarketHasABreak() throws {
            let shard = try Links.busy(TestVenue())
            shard.start()
            Links.makeBusy(shard)
            shard.drive("not pinged") { shard.status.probes > 0 }
            shard.pass(ms: 1_000)
            #expect(shard.announcements == ["up 1"] && shard.status.replacements == 0)
            shard.finish()
        }

        /// A link that delivers and breaks is dialled again at once, however often.
        @Test func aLinkThatFlaps() throws {
            let shard = try ShardHarness(TestVenue()) {
                $0.supervisor.deliveredAfterMs = 50
                $0.supervisor.backoffFirstMs = 40
                $0.supervisor.backoffMaxMs = 60_000
            }
            shard.start()
            for round in 1...12 {
                shard.venue.link.send(depthUpdate(round))
                shard.drive { shard.frames.last?.text == depthUpdate(round) }
                shard.pass(ms: 80)
                shard.venue.link.peer.abort()
                shard.drive { shard.announcements.count { $0.hasPrefix("up") } == round + 1 }
            }
            let waits = shard.log.filter { $0.hasPrefix("next connection in ") }
            #expect(waits.count == 12 && waits.allSatisfy { $0.hasSuffix(" after 1 failures") }, "\(waits)")
            shard.finish()
        }

        /// `Retry-After` of a refused upgrade is waited for.
        @Test(arguments: [429, 403, 503]) func toldToComeLater(_ status: Int) throws {
            let shard = try ShardHarness(TestVenue()) { $0.supervisor.refusedWaitMs = 50 }
            shard.venue.refusalHeaders = [HTTPHeader("Retry-After", "1")!]
            shard.venue.refusal = { $0 == 1 ? status : nil }
            shard.feed.start()
            shard.drive { shard.log.contains { $0.hasPrefix("next connection in ") } }
            let beginNs = LoopClock.monotonicNs
            shard.drive { shard.status.state == .connected }
            let waitedMs = (LoopClock.monotonicNs - beginNs) / 1_000_000
            #expect((950...1_600).contains(waitedMs), "\(waitedMs)")
            shard.finish()
        }

        /// Messages that find no room are named by their symbols, also those of several pieces.
        @Test(arguments: [8_000, 60_000]) func lostMessagesAreNamed(_ length: Int) throws {
            let shard = try ShardHarness(TestVenue(), symbols: ["BTCUSDT", "ETHUSDT"], ringBytes: 1 << 16)
            shard.start()
            shard.isReading = false
            for id in 1...20 { shard.venue.link.send(depthUpdate(id, length: length)) }
            shard.drive { shard.status.droppedMessages > 5 }
            shard.pass(ms: 60)
            let told = shard.log.filter { $0.contains("messages found no room in the ring") }
            #expect(!told.isEmpty && told.allSatisfy { $0.hasSuffix(", of BTCUSDT") }, "\(told)")
            shard.isReading = true
            shard.pass(ms: 60)
            shard.finish()
        }
    }
}
