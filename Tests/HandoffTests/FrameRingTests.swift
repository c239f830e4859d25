import Foundation
import Testing

@testable import LobHandoff

private let capacity = FrameRing.capacityBytesRange.lowerBound
private let frameBytesMax = capacity - 144

/// Record length as the layout's diagram says, not as the code computes it.
func expectedRecordLength(_ bodyLength: Int) -> Int {
    var length = 16 + bodyLength + 128
    while length % 64 != 0 { length += 1 }
    return length
}

/// Moves both halves forward by one empty frame if `distance`, the bytes moved in this round of a loop, is an
/// even number of cache lines. A ring has a power of two of them, so an odd step comes to each before it
/// comes to one again.
private func stepOdd(_ producer: inout FrameProducer, _ consumer: inout FrameConsumer, after distance: Int) {
    if distance / 64 % 2 == 1 { return }
    producer.write(.tick, source: 0, receivedAtNs: 0)
    consumer.poll { _ in }
}

@Suite struct FrameRingTests {
    let bodies = Bodies(lengthMax: capacity, seed: processSeed)

    @Test func kindsKeepTheirNumbers() {
        #expect(FrameKind.allCases.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        #expect(
            FrameKind.allCases == [
                .connected, .disconnected, .message, .depthSnapshot, .snapshotFailed, .tick,
                .retired, .dropped, .snapshotRequested, .resubscribed,
            ])
    }

    @Test(arguments: [0, -1, 1 << 15, (1 << 16) + 4096, 3 << 16, 1 << 31, Int.max])
    func refusesOtherCapacities(capacityBytes: Int) {
        #expect(throws: FrameRingError.capacity(bytes: capacityBytes)) {
            _ = try FrameRing(capacityBytes: capacityBytes)
        }
    }

    @Test func startsEmpty() throws {
        let ring = try FrameRing()
        let gauges = ring.gauges
        var consumer = ring.consumer
        let count = consumer.poll { _ in Issue.record("a frame from nowhere") }
        #expect(count == 0)
        #expect(gauges.capacityBytes == 8 << 20)
        #expect(gauges.occupancyBytes == 0 && gauges.highWaterBytes == 0 && gauges.committedFrames == 0)
        #expect(gauges.droppedFrames == 0 && gauges.droppedBytes == 0)
    }

    @Test func headerTravels() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        var producer = ring.producer
        var consumer = ring.consumer
        for (index, kind) in FrameKind.allCases.enumerated() {
            producer.commit(kind, source: UInt16(65535 - index), receivedAtNs: Int64.max - Int64(index))
        }
        producer.write(.tick, source: 0, receivedAtNs: .min)
        var seen: [FrameKind] = []
        consumer.poll(limit: FrameKind.allCases.count) { frame in
            #expect(frame.source == 65535 - UInt16(seen.count))
            #expect(frame.receivedAtNs == Int64.max - Int64(seen.count))
            #expect(frame.bytes.isEmpty)
            seen.append(frame.kind)
        }
        #expect(seen == FrameKind.allCases)
        consumer.poll { #expect($0.receivedAtNs == .min) }
    }

    /// Every start offset in the ring, for every body length of two cache lines and for those near the
    /// largest.
    @Test func everyLengthAtEveryOffset() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        #expect(producer.frameBytesMax == frameBytesMax)
        var wrong = 0
        for length in Array(0...130) + [frameBytesMax / 2, frameBytesMax - 1, frameBytesMax] {
            for offset in 0..<(capacity / 64) {
                bodies.with(offset, length: length) {
                    _ = producer.write(.message, source: 7, receivedAtNs: Int64(offset), $0)
                }
                if gauges.occupancyBytes != expectedRecordLength(length) { wrong += 1 }
                let count = consumer.poll { frame in
                    if frame.bytes.count != length || frame.receivedAtNs != Int64(offset) { wrong += 1 }
                    if !bodies.isBody(offset, frame.bytes) { wrong += 1 }
                }
                if count != 1 { wrong += 1 }
                stepOdd(&producer, &consumer, after: expectedRecordLength(length))
            }
        }
        #expect(wrong == 0)
        #expect(gauges.droppedFrames == 0)
    }

    /// A frame put ahead of an open one, at every offset, so that the move of the open one crosses the end
    /// everywhere.
    @Test func writeOvertakesTheOpenFrame() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        var producer = ring.producer
        var consumer = ring.consumer
        var wrong = 0
        for (openLength, wholeLength) in [
            (1, 0), (50, 3), (700, 64), (3000, 200), (40_000, 20_000), (200, 9000),
        ] {
            for _ in 0..<(capacity / 64) {
                bodies.with(1, length: openLength) { body in
                    _ = producer.append(UnsafeRawBufferPointer(rebasing: body[..<(openLength / 2)]))
                    bodies.with(2, length: wholeLength) {
                        if !producer.write(.tick, source: 0, receivedAtNs: 1, $0) { wrong += 1 }
                    }
                    _ = producer.append(UnsafeRawBufferPointer(rebasing: body[(openLength / 2)...]))
                }
                if !producer.commit(.message, source: 1, receivedAtNs: 2) { wrong += 1 }
                var number = 2
                consumer.poll { frame in
                    if frame.kind != (number == 2 ? .tick : .message) { wrong += 1 }
                    if frame.bytes.count != (number == 2 ? wholeLength : openLength) { wrong += 1 }
                    if !bodies.isBody(number, frame.bytes) { wrong += 1 }
                    number -= 1
                }
                if number != 0 { wrong += 1 }
                let moved = expectedRecordLength(openLength) + expectedRecordLength(wholeLength)
                stepOdd(&producer, &consumer, after: moved)
            }
        }
        #expect(wrong == 0)
    }

    /// While a frame is held, everything that the producer can do leaves it and 128 bytes behind it alone.
    @Test func heldFrameAndGuardAreNotWritten() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        var producer = ring.producer
        var consumer = ring.consumer
        var wrong = 0
        for length in [0, 1, 47, 48, 49, 111, 112, 113, 2000] {
            for _ in 0..<(capacity / 64) {
                var moved = expectedRecordLength(length)
                bodies.with(3, length: length) {
                    _ = producer.write(.message, source: 0, receivedAtNs: 0, $0)
                }
                consumer.poll(limit: 1) { frame in
                    let behind = UnsafeRawBufferPointer(start: frame.bytes.baseAddress! + length, count: 128)
                    let before = Array(behind)
                    bodies.with(4, length: 900) { body in
                        while producer.write(.message, source: 0, receivedAtNs: 0, body) {
                            moved += expectedRecordLength(900)
                        }
                    }
                    if Array(behind) != before || !bodies.isBody(3, frame.bytes) { wrong += 1 }
                }
                consumer.poll { _ in }
                stepOdd(&producer, &consumer, after: moved)
            }
        }
        #expect(wrong == 0)
    }

    @Test func everySplitIntoFragments() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        var producer = ring.producer
        var consumer = ring.consumer
        let length = 150
        for first in 0...length {
            for second in stride(from: first, through: length, by: 7) {
                bodies.with(first, length: length) { body in
                    for part in [0..<first, first..<second, second..<length] {
                        _ = producer.append(UnsafeRawBufferPointer(rebasing: body[part]))
                    }
                }
                let early = consumer.poll { _ in }
                #expect(early == 0)
                producer.commit(.message, source: 0, receivedAtNs: 0)
                consumer.poll { frame in
                    #expect(frame.bytes.count == length && bodies.isBody(first, frame.bytes))
                }
            }
        }
    }

    /// Memory is gone with the last of the halves and the gauges, in whatever order they go.
    @Test func releasesItsMemory() throws {
        func mappedRingCount() throws -> Int {
            let maps = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
            let text = String(decoding: try maps.readToEnd() ?? Data(), as: UTF8.self)
            return text.split(separator: "\n").count { $0.contains("memfd:frames") } / 2
        }
        let ring = try FrameRing(capacityBytes: capacity)
        let before = try mappedRingCount()
        #expect(before >= 1)
        for round in 0..<300 {
            let ring = try FrameRing(capacityBytes: capacity)
            let gauges = ring.gauges
            if round % 2 == 0 { _ = ring.producer } else { _ = ring.consumer }
            #expect(gauges.occupancyBytes == 0)
        }
        // Other tests of this process make and free a few rings meanwhile.
        #expect(try mappedRingCount() < before + 50)
        #expect(ring.gauges.occupancyBytes == 0)
    }

    /// Every frame comes with the one behind it, as far as that was there when the batch began.
    @Test func aFrameIsShownWithTheNextOne() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        var producer = ring.producer
        var consumer = ring.consumer
        for number in 1...5 {
            producer.write(
                .message, source: 0, receivedAtNs: Int64(number), [UInt8](repeating: 7, count: number).span)
        }
        var (seen, lengths): ([[Int64]], [Int]) = ([], [])
        func take(_ frame: Frame, _ next: Frame?) {
            seen.append([frame.receivedAtNs, next?.receivedAtNs ?? 0])
            lengths.append(next?.bytes.count ?? 0)
        }
        var counts = [consumer.pollAhead(limit: 2, take)]
        producer.write(.tick, source: 0, receivedAtNs: 6)
        counts.append(consumer.pollAhead(take))
        counts.append(consumer.pollAhead(take))
        #expect(counts == [2, 3, 1])
        #expect(lengths == [2, 3, 4, 5, 0, 0])
        #expect(seen == [[1, 2], [2, 3], [3, 4], [4, 5], [5, 0], [6, 0]])
    }
}
