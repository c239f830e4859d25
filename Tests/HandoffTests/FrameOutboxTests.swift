// The outbox: order, whole messages from connections that talk at the same time, and what waits while the
// ring is full.

import TestSupport
import Testing

@testable import LobHandoff

/// A ring, its outbox and what came out of it.
private final class Outlet {
    struct Seen: Equatable {
        var kind: FrameKind
        var source: UInt16
        var text: String
    }

    var outbox: FrameOutbox
    var consumer: FrameConsumer
    let gauges: FrameRingGauges

    init(waitingBytesMax: Int = 1 << 20) throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        gauges = ring.gauges
        outbox = FrameOutbox(ring.producer, waitingBytesMax: waitingBytesMax)
        consumer = ring.consumer
    }

    func piece(_ text: String, _ isFinal: Bool, _ sender: inout FrameOutbox.Sender)
        -> FrameOutbox.Delivery
    {
        let bytes = Array(text.utf8)
        return outbox.receive(bytes.span, isFinal: isFinal, from: &sender, receivedAtNs: 1)
    }

    func offer(_ kind: FrameKind, _ source: UInt16, key: Int? = nil, _ text: String = "") -> Bool {
        outbox.offer(kind, source: source, receivedAtNs: 1, key: key, Array(text.utf8))
    }

    func flush() -> Bool { outbox.flush() }

    /// What waits besides the marks of losses.
    var waitingFrames: Int { outbox.waiting.count(where: { $0.kind != .dropped }) }
    var waitingBytes: Int {
        outbox.waitingBytes - outbox.waiting.reduce(0) { $0 + ($1.kind == .dropped ? $1.bytes.count : 0) }
    }

    /// Fills the ring until not even an empty frame fits; the mark of what did not fit any more waits.
    func fill() {
        var sender = FrameOutbox.Sender(source: 99)
        for length in [8000, 1000, 1] {
            let bytes = [UInt8](repeating: 0x78, count: length)
            while outbox.receive(bytes.span, isFinal: true, from: &sender, receivedAtNs: 0) == .committed {}
        }
    }

    /// Marks of losses that came out of the ring, as source and text; those of `fill` are left out.
    private(set) var marks: [Seen] = []

    /// Everything else that is in the ring; the frames of `fill` are left out.
    func take(limit: Int = .max) -> [Seen] {
        var seen: [Seen] = []
        consumer.poll(limit: limit) { frame in
            if frame.source == 99 { return }
            if frame.kind == .dropped {
                marks.append(
                    Seen(
                        kind: .dropped, source: frame.source,
                        text: String(decoding: frame.bytes, as: UTF8.self)))
                return
            }
            seen.append(
                Seen(
                    kind: frame.kind, source: frame.source, text: String(decoding: frame.bytes, as: UTF8.self)
                ))
        }
        return seen
    }
}

extension Outlet.Seen {
    fileprivate init(_ text: String, _ source: UInt16) {
        self.init(kind: .message, source: source, text: text)
    }

    fileprivate init(_ kind: FrameKind, _ source: UInt16, _ text: String = "") {
        self.init(kind: kind, source: source, text: text)
    }
}

struct FrameOutboxTests {
    typealias Sender = FrameOutbox.Sender

    @Test func twoConnectionsTalkAtOnce() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        #expect(outlet.piece("a1", false, &a) == .unfinished)
        #expect(outlet.piece("b1", false, &b) == .unfinished)
        #expect(outlet.piece("a2", false, &a) == .unfinished)
        #expect(outlet.take() == [])
        #expect(outlet.piece("b2", true, &b) == .committed)
        #expect(outlet.piece("b3", true, &b) == .committed)
        #expect(outlet.piece("b4", false, &b) == .unfinished)
        #expect(outlet.piece("a3", true, &a) == .committed)
        #expect(outlet.piece("a4", false, &a) == .unfinished)
        #expect(outlet.piece("a5", true, &a) == .committed)
        #expect(outlet.piece("b5", true, &b) == .committed)
        #expect(
            outlet.take() == [
                .init("b1b2", 2), .init("b3", 2), .init("a1a2a3", 1), .init("a4a5", 1), .init("b4b5", 2),
            ])
        #expect(outlet.outbox.droppedMessages == 0)
    }

    @Test func whoeverHasGoneLeavesNothingBehind() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        _ = outlet.piece("a1", false, &a)
        _ = outlet.piece("b1", false, &b)
        outlet.outbox.abandon(&a)
        outlet.outbox.abandon(&b)
        #expect(outlet.piece("b2", true, &b) == .committed)
        #expect(outlet.piece("a2", false, &a) == .unfinished)
        #expect(outlet.piece("a3", true, &a) == .committed)
        #expect(outlet.take() == [.init("b2", 2), .init("a2a3", 1)])
    }

    @Test func announcementsPassAnUnfinishedMessage() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        _ = outlet.piece("a1", false, &a)
        #expect(outlet.offer(.connected, 2))
        outlet.outbox.tick(atNs: 5)
        #expect(outlet.offer(.depthSnapshot, 0, "body"))
        #expect(outlet.piece("a2", true, &a) == .committed)
        #expect(
            outlet.take() == [
                .init(.connected, 2), .init(.tick, 0), .init(.depthSnapshot, 0, "body"), .init("a1a2", 1),
            ])
    }

    @Test func whatMustArriveWaitsAndHoldsMessagesBack() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        outlet.fill()
        #expect(outlet.offer(.connected, 1) && outlet.offer(.depthSnapshot, 0, key: 4, "body"))
        #expect(outlet.waitingFrames == 2 && outlet.waitingBytes == 4)
        let before = outlet.outbox.droppedMessages
        #expect(outlet.piece("a1", true, &a) == .dropped)
        #expect(outlet.piece("b1", false, &b) == .unfinished)
        outlet.outbox.tick(atNs: 7)
        outlet.outbox.tick(atNs: 8)
        #expect(outlet.take() == [])
        // Now there is room, but the beginning of this message is gone.
        #expect(outlet.piece("b2", true, &b) == .dropped)
        #expect(outlet.piece("a2", true, &a) == .committed)
        #expect(outlet.outbox.droppedMessages == before + 2)
        #expect(
            outlet.take() == [
                .init(.connected, 1), .init(.depthSnapshot, 0, "body"), .init(.tick, 0), .init("a2", 1),
            ])
        #expect(outlet.waitingFrames == 0 && outlet.waitingBytes == 0)
        #expect(outlet.marks == [.init(.dropped, 1, "a1"), .init(.dropped, 2, "b1b2")])
    }

    /// Each lost message leaves its beginning, once for a stream; where too many streams lose something, one
    /// empty mark stands for all of a connection.
    @Test func lossesAreMarkedAndBounded() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        let text = { (name: Int, time: Int) in
            "{\"stream\":\"symbol\(1000 + name)usdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"E\":\(time)"
                + String(repeating: "x", count: 200)
        }
        outlet.fill()
        for time in 0..<10 {
            #expect(outlet.piece(text(1, time), true, &a) == .dropped)
            #expect(outlet.piece(text(2, time), true, &b) == .dropped)
        }
        _ = outlet.take()
        #expect(outlet.flush())
        _ = outlet.take()
        #expect(outlet.marks.map(\.source) == [1, 2] && outlet.marks.allSatisfy { $0.text.count == 128 })
        #expect(outlet.marks[1].text == text(2, 0).prefix(128))
        outlet.fill()
        for name in 0..<1000 { #expect(outlet.piece(text(name, 0), true, &a) == .dropped) }
        #expect(outlet.piece(text(1, 0), true, &b) == .dropped)
        #expect(outlet.outbox.waitingFrames <= FrameOutbox.lossesMax + 3)
        _ = outlet.take()
        #expect(outlet.flush())
        _ = outlet.take()
        #expect(
            outlet.marks.dropFirst(2) == [
                .init(.dropped, 1), .init(.dropped, 2, "\(text(1, 0).prefix(128))"),
            ])
    }

    /// A message that began before something had to wait must not overtake it.
    @Test func unfinishedMessagesDoNotOvertake() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        outlet.fill()
        _ = outlet.take(limit: 1)
        _ = outlet.piece("a1", false, &a)
        _ = outlet.piece("b1", false, &b)
        #expect(outlet.offer(.depthSnapshot, 0, String(repeating: "s", count: 9000)))
        #expect(outlet.waitingFrames == 1)
        #expect(outlet.piece("a2", true, &a) == .dropped)
        #expect(outlet.piece("b2", true, &b) == .dropped)
        _ = outlet.take()
        #expect(outlet.flush())
        #expect(outlet.piece("a3", true, &a) == .committed)
        #expect(outlet.take().map(\.kind) == [.depthSnapshot, .message])
    }

    @Test func ofOneKeyOneFrameWaits() throws {
        let outlet = try Outlet()
        outlet.fill()
        #expect(
            outlet.offer(.depthSnapshot, 0, key: 1, "old") && outlet.offer(.snapshotFailed, 0, key: 2, "x"))
        #expect(outlet.offer(.depthSnapshot, 0, key: 1, "newer"))
        #expect(outlet.waitingFrames == 2 && outlet.waitingBytes == 6)
        _ = outlet.take()
        #expect(outlet.flush())
        #expect(outlet.take() == [.init(.snapshotFailed, 0, "x"), .init(.depthSnapshot, 0, "newer")])
    }

    @Test func aConnectionThatCameAndWentWhileNothingWasRead() throws {
        let outlet = try Outlet()
        #expect(outlet.offer(.connected, 1))
        outlet.fill()
        for source in 2...500 as ClosedRange<UInt16> {
            let end = source % 2 == 0 ? FrameKind.disconnected : .retired
            #expect(outlet.offer(.connected, source) && outlet.offer(end, source))
        }
        #expect(outlet.offer(.disconnected, 1) && outlet.offer(.connected, 501))
        #expect(outlet.waitingFrames == 2)
        _ = outlet.take()
        #expect(outlet.flush())
        #expect(outlet.take() == [.init(.disconnected, 1), .init(.connected, 501)])
    }

    @Test func bytesThatWaitAreBounded() throws {
        let outlet = try Outlet(waitingBytesMax: 1000 + FrameOutbox.lostHeadBytes)
        outlet.fill()
        #expect(outlet.offer(.depthSnapshot, 0, key: 1, String(repeating: "a", count: 900)))
        #expect(!outlet.offer(.depthSnapshot, 0, key: 2, String(repeating: "b", count: 300)))
        #expect(outlet.offer(.snapshotFailed, 0, key: 2, String(repeating: "b", count: 256)))
        #expect(outlet.waitingFrames == 2)
        #expect(!outlet.offer(.depthSnapshot, 0, key: 3, String(repeating: "c", count: 1 << 16)))
        // The ring counts what it dropped, and waiting is not being dropped.
        let dropped = outlet.gauges.droppedFrames
        for _ in 0..<10 { _ = outlet.flush() }
        #expect(outlet.gauges.droppedFrames == dropped)
    }

    @Test func aMessageTooLongForTheSide() throws {
        let outlet = try Outlet()
        var a = Sender(source: 1)
        var b = Sender(source: 2)
        _ = outlet.piece("a", false, &a)
        let long = String(repeating: "b", count: 1 << 20)
        for _ in 0..<9 {
            #expect(
                outlet.piece(long, false, &b) == .unfinished)
        }
        #expect(outlet.piece("b", true, &b) == .dropped)
        #expect(outlet.piece("c", true, &b) == .committed)
        #expect(outlet.piece("a", true, &a) == .committed)
        #expect(outlet.take() == [.init("c", 2), .init("aa", 1)])
    }

    /// Random pieces of three connections, offers and polls. What comes out: announcements in their order and
    /// complete; messages whole, in the order in which they were finished, none that was finished while
    /// something waited.
    @Test func randomRuns() throws {
        var droppedInAll = 0
        for round in 0..<40 as Range<UInt64> {
            var random = SeededRandom(seed: processSeed &+ round)
            let outlet = try Outlet()
            var senders = (1...3).map { Sender(source: UInt16($0)) }
            var texts = ["", "", ""]
            var expected: [Outlet.Seen] = []
            var seen: [Outlet.Seen] = []
            var dropped = 0
            for number in 0..<3000 {
                switch random.below(10) {
                case 0..<6:
                    let who = random.below(3)
                    let part = "\(who)-\(number)," + String(repeating: "x", count: random.below(600))
                    let isFinal = random.chance(0.6)
                    texts[who] += part
                    let result = outlet.piece(part, isFinal, &senders[who])
                    #expect((result == .unfinished) == !isFinal)
                    if result == .committed { expected.append(.init(texts[who], UInt16(who + 1))) }
                    if result == .dropped { dropped += 1 }
                    if isFinal { texts[who] = "" }
                    if result == .committed { #expect(outlet.outbox.waitingFrames == 0) }
                case 6:
                    let text = String(repeating: "s", count: random.below(3000)) + "\(number)"
                    #expect(outlet.offer(.depthSnapshot, 0, text))
                    expected.append(.init(.depthSnapshot, 0, text))
                case 7:
                    let who = random.below(3)
                    outlet.outbox.abandon(&senders[who])
                    texts[who] = ""
                default: seen += outlet.take(limit: random.below(round % 2 == 0 ? 8 : 4))
                }
            }
            while !outlet.flush() { seen += outlet.take() }
            for _ in 0..<2 { seen += outlet.take() }  // a poll ends where it knew the end to be
            let wrong = zip(seen, expected).first { $0 != $1 }
            let isSame = wrong == nil && seen.count == expected.count
            #expect(isSame, "LOB_SEED=\(processSeed), round \(round): \(seen.count) of \(expected.count)")
            #expect(outlet.outbox.droppedMessages == dropped)
            #expect((outlet.marks.count > 0) == (dropped > 0) && outlet.marks.count <= dropped)
            droppedInAll += dropped
        }
        #expect(droppedInAll > 100)
    }
}
