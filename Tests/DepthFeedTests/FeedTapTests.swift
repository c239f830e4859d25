// A feed with taps: the same frames in both rings, taps that come late, are never read, or leave.

import BinanceVenue
import BookSync
import LobHandoff
import LobTransport
import MarketData
import Testing

@testable import DepthFeed

private let btc = SymbolName("BTCUSDT")

/// A tap and what came out of it, ticks left out.
private final class TapReader {
    let tap: FrameTap
    private var consumer: FrameConsumer
    private(set) var frames: [SeenFrame] = []

    init(ringBytes: Int = 1 << 20) throws {
        let ring = try FrameRing(capacityBytes: ringBytes)
        tap = FrameTap(ring.producer)
        consumer = ring.consumer
    }

    func read() -> [SeenFrame] {
        consumer.poll { frame in
            if frame.kind == .tick { return }
            let text = String(decoding: frame.bytes, as: UTF8.self)
            frames.append(SeenFrame(frame.kind, frame.source, text))
        }
        return frames
    }
}

extension FeedSocketTests {
    @Suite struct Taps {
        @Test func aTapGetsWhatTheBookGets() throws {
            let shard = try ShardHarness(TestVenue())
            let reader = try TapReader()
            shard.feed.add(reader.tap)
            shard.feed.add(reader.tap)  // once is enough
            shard.start()
            for id in 1...20 { shard.venue.link.send(depthUpdate(id, length: id * 500)) }
            shard.drive { shard.status.messages == 21 }
            shard.feed.deliverRequest(SnapshotEnvelope(symbol: btc, limit: 5).bytes, of: btc)
            shard.feed.deliverSnapshot(SnapshotEnvelope(symbol: btc, limit: 5).bytes, of: btc)
            shard.feed.deliverFailure(of: btc)
            shard.venue.link.peer.abort()
            shard.drive { shard.announcements.count == 3 }
            #expect(reader.read() == shard.frames && shard.frames.count > 25)
            shard.finish()
            #expect(reader.read() == shard.frames)
        }

        /// It begins with the connection that serves, and ends when it is removed.
        @Test func aTapComesLateAndLeaves() throws {
            let shard = try ShardHarness(TestVenue())
            shard.start()
            shard.venue.link.send(depthUpdate(1))
            shard.drive { shard.status.messages == 2 }
            let reader = try TapReader()
            #expect(shard.remote.add(reader.tap))
            shard.turn()
            shard.venue.link.send(depthUpdate(2))
            shard.drive { reader.read().count == 2 }
            #expect(reader.frames.map(\.kind) == [.connected, .message])
            #expect(reader.frames[0].source == shard.frames[0].source)
            #expect(reader.frames[1].text == depthUpdate(2))
            #expect(shard.remote.remove(reader.tap))
            shard.turn()
            shard.venue.link.send(depthUpdate(3))
            shard.drive { shard.status.messages == 4 }
            #expect(reader.read().count == 2)
            shard.finish()
        }

        /// A tap that nobody reads loses frames, a snapshot that is too long for it becomes a failure, and
        /// the book loses nothing.
        @Test func aTapThatIsNeverRead() throws {
            let shard = try ShardHarness(TestVenue())
            let reader = try TapReader(ringBytes: 1 << 16)
            shard.feed.add(reader.tap)
            shard.start()
            for id in 1...60 { shard.venue.link.send(depthUpdate(id, length: 8000)) }
            shard.drive { shard.status.messages == 61 }
            let body = [UInt8](repeating: 0x78, count: 1 << 17)
            shard.feed.deliverSnapshot(SnapshotEnvelope(symbol: btc, limit: 5).bytes + body, of: btc)
            shard.turn()
            #expect(shard.seen(.message).count == 61 && shard.seen(.dropped).isEmpty)
            #expect(shard.seen(.depthSnapshot).count == 1)
            #expect(reader.tap.droppedMessages > 40)
            _ = reader.read()
            shard.drive { reader.read().last?.kind == .snapshotFailed }
            let last = reader.frames.suffix(3)
            #expect(last.map(\.kind) == [.dropped, .dropped, .snapshotFailed])
            #expect(last.map(\.source) == [reader.frames[0].source, 0, 0])
            shard.finish()
        }
    }
}
