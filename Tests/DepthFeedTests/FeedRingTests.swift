// What a feed does when the ring is full, and when two connections talk at once.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import DepthFeed
@testable import LobTransport

private let btc = SymbolName("BTCUSDT")

extension FeedSocketTests {
    @Suite struct Ring {
        /// Nobody reads: messages are lost, what must arrive waits, and comes first when there is room again.
        @Test func ringFull() throws {
            let shard = try ShardHarness(TestVenue(), ringBytes: 1 << 16)
            shard.start()
            shard.isReading = false
            for id in 1...30 { shard.venue.link.send(depthUpdate(id, length: 8000)) }
            shard.drive { shard.status.messages == 31 && shard.status.droppedMessages > 10 }
            shard.feed.deliverSnapshot(
                SnapshotEnvelope(symbol: btc, limit: 5).bytes + Array("{}".utf8), of: btc)
            shard.venue.link.peer.abort()
            // The snapshot, the end and the beginning, and marks of what was lost.
            shard.drive { shard.venue.links.count == 2 && shard.status.waitingFrames > 3 }
            shard.venue.link.send(depthUpdate(31))
            shard.drive { shard.status.messages == 33 }
            shard.isReading = true
            shard.drive { shard.announcements.count == 3 }
            shard.venue.link.send(depthUpdate(32))
            shard.drive { shard.frames.last?.text == depthUpdate(32) }
            let kinds = shard.frames.drop { $0.kind != .depthSnapshot }.map(\.kind)
            #expect(kinds.filter { $0 != .dropped } == [.depthSnapshot, .disconnected, .connected, .message])
            #expect(kinds.contains(.dropped))
            #expect(!shard.frames.contains { $0.kind == .message && $0.text == depthUpdate(31) })
            shard.drive { shard.log.contains { $0.contains("found no room in the ring") } }
            shard.finish()
        }

        @Test func snapshotsAndFailures() throws {
            let shard = try ShardHarness(TestVenue(), ringBytes: 1 << 16)
            shard.start()
            let remote = shard.remote
            let frame = SnapshotEnvelope(symbol: btc, limit: 100).bytes + Array("{\"lastUpdateId\":7}".utf8)
            func deliver(_ news: SnapshotFetcher.Delivery.News, _ symbol: SymbolName = btc) -> Bool {
                let key = SnapshotKey(market: .spot, symbol: symbol)
                return remote.deliver(SnapshotFetcher.Delivery(key: key, news: news))
            }
            let envelope = SnapshotEnvelope(symbol: btc, limit: 100).bytes
            #expect(deliver(.requested(envelope)) && deliver(.snapshot(frame)) && deliver(.failed))
            #expect(deliver(.snapshot(frame), SymbolName("STRANGER")))
            #expect(deliver(.snapshot([UInt8](repeating: 1, count: 1 << 16))))  // never fits
            shard.drive { shard.frames.count == 6 }
            #expect(
                shard.frames.dropFirst(2).map(\.kind)
                    == [.snapshotRequested, .depthSnapshot, .snapshotFailed, .snapshotFailed])
            #expect(shard.frames[3].text.hasSuffix("{\"lastUpdateId\":7}"))
            #expect(shard.log.contains { $0.contains("65536 bytes do not fit the ring") })
            shard.finish()
        }

        /// While the ring is full: of one symbol the last request and the last snapshot, each in its place.
        @Test func requestsWaitBesideSnapshots() throws {
            let shard = try ShardHarness(TestVenue(), ringBytes: 1 << 16)
            shard.start()
            shard.isReading = false
            for id in 1...30 { shard.venue.link.send(depthUpdate(id, length: 8000)) }
            shard.drive { shard.status.messages == 31 && shard.status.droppedMessages > 10 }
            let envelope = SnapshotEnvelope(symbol: btc, limit: 5).bytes
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 9000)
            shard.feed.deliverRequest(envelope, of: btc)
            shard.feed.deliverSnapshot(envelope + body + Array("1".utf8), of: btc)
            shard.feed.deliverRequest(envelope, of: btc)
            shard.feed.deliverSnapshot(envelope + body + Array("2".utf8), of: btc)
            shard.feed.deliverRequest(envelope, of: SymbolName("STRANGER"))
            shard.isReading = true
            shard.drive { shard.frames.last?.kind == .depthSnapshot }
            let kinds = shard.frames.map(\.kind).filter { $0 == .snapshotRequested || $0 == .depthSnapshot }
            #expect(kinds == [.snapshotRequested, .depthSnapshot])
            #expect(shard.frames.last!.text.hasSuffix("x2"))
            shard.finish()
        }

        /// Two connections in the middle of long messages at the same time: both messages arrive whole.
        @Test func interleavedConnections() throws {
            let shard = try ShardHarness(TestVenue(), ringBytes: 1 << 24) { $0.supervisor.overlapMs = 60_000 }
            shard.start()
            shard.venue.link.shutDown()
            shard.drive { shard.announcements.count == 2 }
            shard.frames = []
            for round in 0..<6 {
                for link in shard.venue.links {
                    link.send(depthUpdate(10 * round + link.number, length: 500_000))
                    link.send(depthUpdate(10 * round + link.number + 5))
                }
            }
            shard.drive(atMostMs: 8000) { shard.frames.count == 24 }
            for source in 1...2 as ClosedRange<UInt16> {
                let texts = shard.frames.filter { $0.source == source }.map(\.text)
                let wanted = (0..<6).flatMap { round in
                    let id = 10 * round + Int(source) - 1
                    return [depthUpdate(id, length: 500_000), depthUpdate(id + 5)]
                }
                let isSame = texts == wanted
                #expect(isSame)
            }
            shard.finish()
        }

        /// The same, piece by piece as the test wants it.
        @Test func interleavedPieces() throws {
            let shard = try ShardHarness(TestVenue()) { $0.supervisor.overlapMs = 60_000 }
            shard.start()
            shard.venue.link.shutDown()
            shard.drive { shard.announcements.count == 2 }
            shard.frames = []
            let (a, b) = (shard.feed.connections[1]!, shard.feed.connections[2]!)
            func piece(_ text: String, _ isFinal: Bool, _ connection: FeedConnection) {
                let bytes = Array(text.utf8)
                shard.feed.received(bytes.span, isFinal: isFinal, on: connection, receivedAtNs: 0)
            }
            let update = depthUpdate(1)
            piece(String(update.prefix(5)), false, a)  // too short to tell what it is
            piece(#"{"resu"#, false, b)
            piece(String(update.dropFirst(5).prefix(20)), false, a)
            piece(#"lt":null,"id":77}"#, true, b)
            piece(String(update.dropFirst(25)), true, a)
            piece("", false, b)
            piece(update, true, b)
            shard.read()
            #expect(
                shard.frames == [
                    .init(.message, 2, #"{"result":null,"id":77}"#), .init(.message, 1, update),
                    .init(.message, 2, update),
                ])
            #expect(shard.feed.counted.unreadable == 0)
            // A connection that ends in the middle of its message leaves nothing of it.
            piece("half", false, a)
            shard.venue.links[0].peer.abort()
            shard.drive { shard.announcements.count == 3 }
            shard.venue.links[1].send(update)
            shard.drive { shard.frames.count == 5 }
            #expect(shard.frames.suffix(2) == [.init(.disconnected, 1), .init(.message, 2, update)])
            shard.finish()
        }

        /// What a message costs once everything is warm: no allocation, whether it comes whole or in pieces.
        @Test func receivingAllocatesNothing() throws {
            let shard = try ShardHarness(TestVenue())
            shard.start()
            let connection = shard.feed.connections[1]!
            let update = Array(depthUpdate(1, length: 2000).utf8)
            func receive(_ piece: Span<UInt8>, isFinal: Bool) {
                shard.feed.received(piece, isFinal: isFinal, on: connection, receivedAtNs: 1)
            }
            func run(_ count: Int) {
                for _ in 0..<count {
                    receive(update.span, isFinal: true)
                    receive(update.span.extracting(first: 900), isFinal: false)
                    receive(update.span.extracting(droppingFirst: 900), isFinal: true)
                    shard.consumer.poll { _ in }
                }
            }
            run(10)
            let bytes = allocatedBytes { run(1000) }
            #if !DEBUG
                if let bytes { #expect(bytes == 0) }
            #else
                _ = bytes
            #endif
            shard.finish()
        }
    }
}
