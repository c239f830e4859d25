// Taps against a model: random pieces of several connections, frames that must arrive, a reader that is slow,
// and every loss marked where it belongs.

import TestSupport
import Testing

@testable import LobHandoff

/// What was offered to a tap, in the order in which it was finished, and what its reader got.
private struct TapModel {
    struct Item: Equatable {
        var kind: FrameKind
        var source: UInt16
        var text: String
    }

    var offered: [Item] = []
    var read: [Item] = []

    /// The first thing that is wrong, nil if every item was read in order or is covered by a mark between the
    /// last message read before it and whatever was read next.
    func complaint() -> String? {
        var next = 0
        var marks: [Item] = []
        for frame in read {
            if frame.kind == .dropped {
                marks.append(frame)
                continue
            }
            guard let at = offered[next...].firstIndex(of: frame) else {
                return "\(frame.kind) \(frame.text.prefix(20)) was never offered, or is late"
            }
            if let unmarked = unmarked(offered[next..<at], marks) { return unmarked }
            next = at + 1
            if frame.kind == .message { marks = [] }
        }
        return unmarked(offered[next...], marks)
    }

    private func unmarked(_ lost: ArraySlice<Item>, _ marks: [Item]) -> String? {
        for item in lost {
            let isMarked = marks.contains { mark in
                mark.source == item.source
                    && (mark.text.isEmpty
                        || (item.kind == .message && mark.text.prefix(64) == item.text.prefix(64)))
            }
            if !isMarked { return "\(item.kind) of \(item.source), \(item.text.prefix(30)), has no mark" }
        }
        return nil
    }
}

/// A tap, its reader and the model of both.
private final class TapRun {
    let tap: FrameTap
    var consumer: FrameConsumer
    var model = TapModel()
    private var random: SeededRandom
    private var open: [UInt16: String] = [:]
    private var number = 0

    init(seed: UInt64) throws {
        random = SeededRandom(seed: seed)
        let ring = try FrameRing(capacityBytes: 1 << 16)
        tap = FrameTap(ring.producer, waitingBytesMax: 50_000)
        consumer = ring.consumer
    }

    /// One random act of the feed, or of the reader.
    func act(streamCount: Int, readPerMille: Int) {
        number += 1
        if random.below(1000) < readPerMille { return poll(limit: random.below(40)) }
        switch random.below(40) {
        case 0: offer(.connected, UInt16(1000 + number), "")
        case 1: offer(.depthSnapshot, 0, "snapshot \(number)" + filling(random.below(70_000)))
        case 2: tap.tick(atNs: Int64(number))
        case 3: abandon(UInt16(1 + random.below(2)))
        default: speak(UInt16(1 + random.below(2)), streamCount)
        }
    }

    private func filling(_ count: Int) -> String { String(repeating: "x", count: count) }

    private func offer(_ kind: FrameKind, _ source: UInt16, _ text: String) {
        model.offered.append(.init(kind: kind, source: source, text: text))
        tap.offer(kind, source: source, receivedAtNs: 1, Array(text.utf8))
    }

    private func abandon(_ source: UInt16) {
        open[source] = nil
        tap.abandon(source)
    }

    private func speak(_ source: UInt16, _ streamCount: Int) {
        var piece = ""
        if open[source] == nil {
            let name = "{\"stream\":\"symbol\(10_000 + random.below(streamCount))usdt@depth@100ms\","
            piece = name + filling(64 - name.count) + "\(number)"
        }
        piece += filling(random.below(random.below(8) == 0 ? 6000 : 300))
        let isFinal = random.chance(0.7)
        let text = open[source, default: ""] + piece
        open[source] = isFinal ? nil : text
        if isFinal { model.offered.append(.init(kind: .message, source: source, text: text)) }
        tap.receive(Array(piece.utf8).span, isFinal: isFinal, source: source, receivedAtNs: 1)
    }

    private func poll(limit: Int = .max) {
        consumer.poll(limit: limit) { frame in
            if frame.kind == .tick { return }
            model.read.append(
                .init(
                    kind: frame.kind, source: frame.source,
                    text: String(decoding: frame.bytes, as: UTF8.self)))
        }
    }

    func finish() {
        while !tap.flush() { poll() }
        for _ in 0..<2 { poll() }
    }
}

struct FrameTapTests {
    /// Few streams or many, a reader that keeps up or does not: nothing is missing without a mark in front of
    /// what follows it.
    @Test(arguments: [(1, 300), (3, 60), (40, 30), (2000, 5)] as [(Int, Int)])
    func everyLossIsMarkedInOrder(_ streamCount: Int, _ readPerMille: Int) throws {
        var lost = 0
        for round in 0..<(isDebugBuild ? 3 : 40) as Range<UInt64> {
            let run = try TapRun(seed: processSeed &+ round)
            for _ in 0..<4000 { run.act(streamCount: streamCount, readPerMille: readPerMille) }
            run.finish()
            let complaint = run.model.complaint()
            #expect(complaint == nil, "LOB_SEED=\(processSeed), round \(round)")
            #expect(run.tap.waitingFrames == 0)
            lost += run.tap.droppedMessages
        }
        #expect(lost > 100 || readPerMille > 100)
    }

    /// A tap that nobody reads takes no more than its bounds, and the ring beside it gets everything.
    @Test func aTapThatIsNeverRead() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        var book = FrameOutbox(ring.producer)
        var sender = FrameOutbox.Sender(source: 1)
        var consumer = ring.consumer
        let tapRing = try FrameRing(capacityBytes: 1 << 16)
        let gauges = tapRing.gauges
        let tap = FrameTap(tapRing.producer)
        var readCount = 0
        for number in 0..<20_000 {
            let text = Array("\(number % 5000) ".utf8) + [UInt8](repeating: 0x78, count: 100 + number % 900)
            let delivery = book.receive(text.span, isFinal: true, from: &sender, receivedAtNs: 1)
            tap.receive(text.span, isFinal: true, source: 1, receivedAtNs: 1)
            #expect(delivery == .committed)
            if number % 100 == 0 {
                let source = UInt16(2 + number / 100)
                tap.offer(.connected, source: source, receivedAtNs: 1)
                tap.offer(.depthSnapshot, source: 0, receivedAtNs: 1, text)
                tap.offer(.disconnected, source: source, receivedAtNs: 1)
            }
            readCount += consumer.poll { _ in }
        }
        #expect(readCount == 20_000 && book.droppedMessages == 0)
        #expect(tap.droppedMessages > 19_000 && tap.waitingFrames < 600)
        #expect(gauges.highWaterBytes <= gauges.capacityBytes)
    }

    /// Who comes in the middle of a message cannot know whose it was.
    @Test func joinedInTheMiddleOfAMessage() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        var consumer = ring.consumer
        let tap = FrameTap(ring.producer)
        tap.joinLate(7)
        for text in ["he middle", " and the end", "whole"] {
            tap.receive(Array(text.utf8).span, isFinal: text != "he middle", source: 7, receivedAtNs: 1)
        }
        var seen: [String] = []
        consumer.poll { seen.append("\($0.kind) \(String(decoding: $0.bytes, as: UTF8.self))") }
        #expect(seen == ["dropped ", "message whole"])
    }

    /// Whoever wants no snapshots gets none, nor what is said of them, and misses nothing by that.
    @Test(arguments: [true, false]) func aTapMayCarryNoSnapshots(_ carriesSnapshots: Bool) throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        var consumer = ring.consumer
        let tap = FrameTap(ring.producer, waitingBytesMax: 1_000, carriesSnapshots: carriesSnapshots)
        let kinds = FrameKind.allCases.filter { $0 != .tick && $0 != .message }
        for kind in kinds { #expect(tap.offer(kind, source: 1, receivedAtNs: 1, [1, 2])) }
        // More than the ring and what may wait.
        let isTaken = tap.offer(
            .depthSnapshot, source: 0, receivedAtNs: 1, [UInt8](repeating: 0, count: 70_000))
        #expect(isTaken == !carriesSnapshots)
        var seen: [FrameKind] = []
        consumer.poll { seen.append($0.kind) }
        let snapshots: Set<FrameKind> = [.depthSnapshot, .snapshotFailed, .snapshotRequested]
        #expect(
            seen == kinds.filter { carriesSnapshots || !snapshots.contains($0) } + (isTaken ? [] : [.dropped])
        )
    }

    /// The news of a frame reaches a reader that sleeps.
    @Test func aSleepingReaderIsWoken() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let signal = Signal()
        let tap = FrameTap(ring.producer, signal: signal)
        let ticket = signal.ticket
        tap.receive([UInt8(1)].span, isFinal: false, source: 1, receivedAtNs: 1)
        #expect(signal.ticket == ticket)
        tap.receive([UInt8(2)].span, isFinal: true, source: 1, receivedAtNs: 1)
        #expect(signal.ticket != ticket)
    }
}
