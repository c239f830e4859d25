// What a feed does when the ring is full, and when two connections talk at once.

import BinanceDepth
import Handoff
import MarketData
import TestSupport
import Testing

@testable import DepthFeed
@testable import Transport

private let btc = SymbolName("BTCUSDT")!

extension FeedSocketTests {
    @Suite struct Ring {
        /// Nobody reads: messages are lost, what must arrive waits, and comes first when there is room again.
        @Test func ringFull() throws {
            let lane = try LaneHarness(TestVenue(), ringBytes: 1 << 16)
            lane.start()
            lane.isReading = false
            for id in 1...30 { lane.venue.link.send(depthEvent(id, length: 8000)) }
            lane.drive { lane.status.messages == 31 && lane.status.droppedMessages > 10 }
            lane.feed.deliverSnapshot(
                SnapshotEnvelope(symbol: btc, limit: 5).bytes + Array("{}".utf8), of: btc)
            lane.venue.link.peer.abort()
            // The snapshot, the end and the beginning, and marks of what was lost.
            lane.drive { lane.venue.links.count == 2 && lane.status.waitingFrames > 3 }
            lane.venue.link.send(depthEvent(31))
            lane.drive { lane.status.messages == 33 }
            lane.isReading = true
            lane.drive { lane.announcements.count == 3 }
            lane.venue.link.send(depthEvent(32))
            lane.drive { lane.frames.last?.text == depthEvent(32) }
            let kinds = lane.frames.drop { $0.kind != .depthSnapshot }.map(\.kind)
            #expect(kinds.filter { $0 != .dropped } == [.depthSnapshot, .disconnected, .connected, .message])
            #expect(kinds.contains(.dropped))
            #expect(!lane.frames.contains { $0.kind == .message && $0.text == depthEvent(31) })
            lane.drive { lane.log.contains { $0.contains("found no room in the ring") } }
            lane.finish()
        }

        @Test func snapshotsAndFailures() throws {
            let lane = try LaneHarness(TestVenue(), ringBytes: 1 << 16)
            lane.start()
            let remote = lane.feed.remote
            let frame = SnapshotEnvelope(symbol: btc, limit: 100).bytes + Array("{\"lastUpdateId\":7}".utf8)
            func deliver(_ news: SnapshotDesk.Delivery.News, _ symbol: SymbolName = btc) -> Bool {
                let key = SnapshotKey(market: .spot, symbol: symbol)
                return remote.deliver(SnapshotDesk.Delivery(key: key, news: news))
            }
            let envelope = SnapshotEnvelope(symbol: btc, limit: 100).bytes
            #expect(deliver(.requested(envelope)) && deliver(.snapshot(frame)) && deliver(.failed))
            #expect(deliver(.snapshot(frame), SymbolName("STRANGER")!))
            #expect(deliver(.snapshot([UInt8](repeating: 1, count: 1 << 16))))  // never fits
            lane.drive { lane.frames.count == 6 }
            #expect(
                lane.frames.dropFirst(2).map(\.kind)
                    == [.snapshotRequested, .depthSnapshot, .snapshotFailed, .snapshotFailed])
            #expect(lane.frames[3].text.hasSuffix("{\"lastUpdateId\":7}"))
            #expect(lane.log.contains { $0.contains("65536 bytes do not fit the ring") })
            lane.finish()
        }

        /// While the ring is full: of one symbol the last request and the last snapshot, each in its place.
        @Test func requestsWaitBesideSnapshots() throws {
            let lane = try LaneHarness(TestVenue(), ringBytes: 1 << 16)
            lane.start()
            lane.isReading = false
            for id in 1...30 { lane.venue.link.send(depthEvent(id, length: 8000)) }
            lane.drive { lane.status.messages == 31 && lane.status.droppedMessages > 10 }
            let envelope = SnapshotEnvelope(symbol: btc, limit: 5).bytes
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: 9000)
            lane.feed.deliverRequest(envelope, of: btc)
            lane.feed.deliverSnapshot(envelope + body + Array("1".utf8), of: btc)
            lane.feed.deliverRequest(envelope, of: btc)
            lane.feed.deliverSnapshot(envelope + body + Array("2".utf8), of: btc)
            lane.feed.deliverRequest(envelope, of: SymbolName("STRANGER")!)
            lane.isReading = true
            lane.drive { lane.frames.last?.kind == .depthSnapshot }
            let kinds = lane.frames.map(\.kind).filter { $0 == .snapshotRequested || $0 == .depthSnapshot }
            #expect(kinds == [.snapshotRequested, .depthSnapshot])
            #expect(lane.frames.last!.text.hasSuffix("x2"))
            lane.finish()
        }

        /// Two connections in the middle of long messages at the same time: both messages arrive whole.
        @Test func interleavedConnections() throws {
            let lane = try LaneHarness(TestVenue(), ringBytes: 1 << 24) { $0.life.overlapMs = 60_000 }
            lane.start()
            lane.venue.link.shutDown()
            lane.drive { lane.announcements.count == 2 }
            lane.frames = []
            for round in 0..<6 {
                for link in lane.venue.links {
                    link.send(depthEvent(10 * round + link.number, length: 500_000))
                    link.send(depthEvent(10 * round + link.number + 5))
                }
            }
            lane.drive(atMostMs: 8000) { lane.frames.count == 24 }
            for source in 1...2 as ClosedRange<UInt16> {
                let texts = lane.frames.filter { $0.source == source }.map(\.text)
                let wanted = (0..<6).flatMap { round in
                    let id = 10 * round + Int(source) - 1
                    return [depthEvent(id, length: 500_000), depthEvent(id + 5)]
                }
                let isSame = texts == wanted
                #expect(isSame)
            }
            lane.finish()
        }

        /// The same, piece by piece as the test wants it.
        @Test func interleavedPieces() throws {
            let lane = try LaneHarness(TestVenue()) { $0.life.overlapMs = 60_000 }
            lane.start()
            lane.venue.link.shutDown()
            lane.drive { lane.announcements.count == 2 }
            lane.frames = []
            let (a, b) = (lane.feed.sockets[1]!, lane.feed.sockets[2]!)
            func piece(_ text: String, _ isFinal: Bool, _ socket: FeedSocket) {
                let bytes = Array(text.utf8)
                lane.feed.received(bytes.span, isFinal: isFinal, on: socket)
            }
            let event = depthEvent(1)
            piece(String(event.prefix(5)), false, a)  // too short to tell what it is
            piece(#"{"resu"#, false, b)
            piece(String(event.dropFirst(5).prefix(20)), false, a)
            piece(#"lt":null,"id":77}"#, true, b)
            piece(String(event.dropFirst(25)), true, a)
            piece("", false, b)
            piece(event, true, b)
            lane.read()
            #expect(
                lane.frames == [
                    .init(.message, 2, #"{"result":null,"id":77}"#), .init(.message, 1, event),
                    .init(.message, 2, event),
                ])
            #expect(lane.feed.counted.unreadable == 0)
            // A connection that ends in the middle of its message leaves nothing of it.
            piece("half", false, a)
            lane.venue.links[0].peer.abort()
            lane.drive { lane.announcements.count == 3 }
            lane.venue.links[1].send(event)
            lane.drive { lane.frames.count == 5 }
            #expect(lane.frames.suffix(2) == [.init(.disconnected, 1), .init(.message, 2, event)])
            lane.finish()
        }

        /// What a message costs once everything is warm: no allocation, whether it comes whole or in pieces.
        @Test func receivingAllocatesNothing() throws {
            let lane = try LaneHarness(TestVenue())
            lane.start()
            let socket = lane.feed.sockets[1]!
            let event = Array(depthEvent(1, length: 2000).utf8)
            func run(_ count: Int) {
                for _ in 0..<count {
                    lane.feed.received(event.span, isFinal: true, on: socket)
                    lane.feed.received(event.span.extracting(first: 900), isFinal: false, on: socket)
                    lane.feed.received(event.span.extracting(droppingFirst: 900), isFinal: true, on: socket)
                    lane.consumer.poll { _ in }
                }
            }
            run(10)
            let bytes = allocatedBytes { run(1000) }
            #if !DEBUG
                if let bytes { #expect(bytes == 0) }
            #else
                _ = bytes
            #endif
            lane.finish()
        }
    }
}
