import TestSupport
import Testing

@testable import LobHandoff

private let capacity = FrameRing.capacityBytesRange.lowerBound
private let frameBytesMax = capacity - 144

/// What a ring must do, in a few lines without memory: a list of frames, a byte count and the rules of
/// dropping.
private struct NaiveRing {
    struct Frame: Equatable {
        var number: Int
        var length: Int
        var kind: FrameKind
    }

    var waiting: [Frame] = []
    var occupancyBytes = 0
    var highWaterBytes = 0
    var committedFrames = 0
    var droppedFrames = 0
    var droppedBytes = 0
    var openLength = 0
    var isOpenLost = false

    mutating func claim(_ length: Int) -> Bool {
        if length > frameBytesMax || occupancyBytes + expectedRecordLength(length) > capacity {
            isOpenLost = true
        }
        return !isOpenLost
    }

    mutating func append(_ count: Int) -> Bool {
        openLength += count
        return claim(openLength)
    }

    mutating func commit(_ kind: FrameKind, number: Int) -> Bool {
        let frame = Frame(number: number, length: openLength, kind: kind)
        let fits = claim(openLength)
        abort()
        return enter(frame, fits: fits)
    }

    mutating func write(_ kind: FrameKind, number: Int, length: Int) -> Bool {
        let keeps = isOpenLost || openLength == 0 ? 0 : expectedRecordLength(openLength)
        let fits =
            length <= frameBytesMax && occupancyBytes + expectedRecordLength(length) + keeps <= capacity
        return enter(Frame(number: number, length: length, kind: kind), fits: fits)
    }

    private mutating func enter(_ frame: Frame, fits: Bool) -> Bool {
        if fits {
            waiting.append(frame)
            occupancyBytes += expectedRecordLength(frame.length)
            highWaterBytes = max(highWaterBytes, occupancyBytes)
            committedFrames += 1
        } else {
            droppedFrames += 1
            droppedBytes += frame.length
        }
        return fits
    }

    mutating func abort() {
        openLength = 0
        isOpenLost = false
    }

    mutating func poll(limit: Int) -> [Frame] {
        let taken = Array(waiting.prefix(limit))
        waiting.removeFirst(taken.count)
        for frame in taken { occupancyBytes -= expectedRecordLength(frame.length) }
        return taken
    }
}

@Suite struct FrameDropTests {
    let bodies = Bodies(lengthMax: 2 * capacity, seed: processSeed)

    /// Random calls on both halves; every answer, every frame and every gauge must be the model's.
    @Test(arguments: 0..<4)
    func agreesWithTheModel(run: Int) throws {
        let seed = processSeed &+ UInt64(run)
        var numbers = SeededRandom(seed: seed)
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        var model = NaiveRing()
        var openNumber = 0
        for step in 0..<(isDebugBuild ? 25_000 : 250_000) {
            let lengthMax = [3, 200, 3000, 30_000, capacity + 100][Int.random(in: 0..<5, using: &numbers)]
            let length = Int.random(in: 0...lengthMax, using: &numbers)
            var agrees = true
            switch Int.random(in: 0..<10, using: &numbers) {
            case 0...2:
                if model.openLength == 0 { openNumber = step }
                let start = model.openLength
                let whole = bodies.with(openNumber, length: min(start + length, capacity)) { body in
                    producer.append(UnsafeRawBufferPointer(rebasing: body[min(start, body.count)...]))
                }
                let count = max(0, min(start + length, capacity) - start)
                agrees = whole == model.append(count)
            case 3:
                agrees = producer.claim(length) == model.claim(length)
            case 4...5:
                let committed = producer.commit(.message, source: 3, receivedAtNs: Int64(openNumber))
                agrees = committed == model.commit(.message, number: openNumber)
            case 6:
                let written = bodies.with(step, length: length) {
                    producer.write(.depthSnapshot, source: 3, receivedAtNs: Int64(step), $0)
                }
                agrees = written == model.write(.depthSnapshot, number: step, length: length)
            case 7 where length % 4 == 0:
                producer.abort()
                model.abort()
            default:
                let limit = Int.random(in: 0...6, using: &numbers)
                agrees = takes(&consumer, model.poll(limit: limit))
            }
            try #require(agrees, "LOB_SEED=\(seed), step \(step)")
            try #require(
                gauges.occupancyBytes == model.occupancyBytes && gauges.highWaterBytes == model.highWaterBytes
                    && gauges.committedFrames == model.committedFrames
                    && gauges.droppedFrames == model.droppedFrames
                    && gauges.droppedBytes == model.droppedBytes,
                "LOB_SEED=\(seed), step \(step)")
        }
        #expect(model.droppedFrames > 500 && model.committedFrames > 500, "the run must meet both outcomes")
    }

    /// Whether polling gives exactly these frames. A poll may stop early, so it is asked until it has them.
    private func takes(_ consumer: inout FrameConsumer, _ expected: [NaiveRing.Frame]) -> Bool {
        var index = 0
        var agrees = true
        while index < expected.count {
            let count = consumer.poll(limit: expected.count - index) { frame in
                let number = Int(frame.receivedAtNs)
                let found = NaiveRing.Frame(number: number, length: frame.bytes.count, kind: frame.kind)
                agrees = agrees && found == expected[index] && bodies.isBody(number, frame.bytes)
                index += 1
            }
            if count == 0 { return false }
        }
        return agrees
    }

    /// A small ring with the bodies at hand, for the cases below.
    private struct Bench: ~Copyable {
        let bodies: Bodies
        let gauges: FrameRingGauges
        var producer: FrameProducer
        var consumer: FrameConsumer

        init(_ bodies: Bodies) throws {
            let ring = try FrameRing(capacityBytes: capacity)
            self.bodies = bodies
            gauges = ring.gauges
            producer = ring.producer
            consumer = ring.consumer
        }

        mutating func append(_ length: Int) -> Bool {
            bodies.with(0, length: length) { producer.append($0) }
        }

        mutating func commit() -> Bool { producer.commit(.message, source: 0, receivedAtNs: 0) }

        mutating func write(_ length: Int) -> Bool {
            bodies.with(0, length: length) { producer.write(.message, source: 0, receivedAtNs: 0, $0) }
        }

        mutating func claim(_ length: Int) -> Bool { producer.claim(length) }

        /// Lengths of the frames polled; their bytes are checked.
        mutating func polled() -> [Int] {
            var lengths: [Int] = []
            consumer.poll { frame in lengths.append(bodies.isBody(0, frame.bytes) ? frame.bytes.count : -1) }
            return lengths
        }
    }

    @Test func longestFrameFitsAndOneByteMoreDoesNot() throws {
        var bench = try Bench(bodies)
        let answers = [bench.write(frameBytesMax), bench.commit()]
        #expect(answers == [true, false])
        #expect(bench.gauges.occupancyBytes == capacity)
        let first = bench.polled()
        #expect(first == [frameBytesMax])
        let isLongerTaken = bench.write(frameBytesMax + 1)
        #expect(!isLongerTaken)
        #expect(bench.gauges.droppedFrames == 2 && bench.gauges.droppedBytes == frameBytesMax + 1)
        let second = bench.polled()
        #expect(second.isEmpty)
    }

    @Test func frameThatGrowsTooLongIsDroppedWholeAndOnlyItself() throws {
        var bench = try Bench(bodies)
        var fits: [Bool] = []
        for _ in 0..<100 { fits.append(bench.append(1000)) }
        #expect(fits.firstIndex(of: false) == frameBytesMax / 1000)
        #expect(!fits[(frameBytesMax / 1000)...].contains(true))
        let isTaken = bench.commit()
        #expect(!isTaken)
        #expect(bench.gauges.droppedFrames == 1 && bench.gauges.droppedBytes == 100_000)
        let next = [bench.append(1000), bench.commit()]
        #expect(next == [true, true])
        let lengths = bench.polled()
        #expect(lengths == [1000])
    }

    @Test func frameLostHalfWayStaysLostWhenRoomComesBack() throws {
        var bench = try Bench(bodies)
        let before = [bench.write(40_000), bench.append(40_000)]
        #expect(before == [true, false])
        let first = bench.polled()
        #expect(first == [40_000])
        let after = [bench.append(10), bench.commit()]
        #expect(after == [false, false])
        #expect(bench.gauges.droppedFrames == 1 && bench.gauges.droppedBytes == 40_010)
        let second = bench.polled()
        #expect(second.isEmpty)
    }

    @Test func abortedFrameLeavesNoTrace() throws {
        var bench = try Bench(bodies)
        var answers = [bench.append(50_000)]
        bench.producer.abort()
        answers += [bench.append(50_000), bench.append(50_000)]
        bench.producer.abort()
        #expect(answers == [true, true, false])
        #expect(bench.gauges.droppedFrames == 0 && bench.gauges.highWaterBytes == 0)
        let last = [bench.append(50_000), bench.commit()]
        #expect(last == [true, true])
        let lengths = bench.polled()
        #expect(lengths == [50_000])
    }

    @Test func highWaterMarkMovesByTheSmallestStep() throws {
        var bench = try Bench(bodies)
        for length in stride(from: 0, through: 2000, by: 64) {
            let isTaken = bench.write(length)
            #expect(isTaken && bench.gauges.highWaterBytes == expectedRecordLength(length))
            _ = bench.polled()
        }
        let isTaken = bench.write(0)
        #expect(isTaken && bench.gauges.occupancyBytes == expectedRecordLength(0))
        #expect(bench.gauges.highWaterBytes == expectedRecordLength(1984))
    }

    /// A caller that would rather wait than lose asks first; nothing is counted as dropped.
    @Test func refusedClaimIsNotADrop() throws {
        var bench = try Bench(bodies)
        var answers = [bench.claim(frameBytesMax), bench.claim(.max), bench.claim(0)]
        bench.producer.abort()
        answers += [bench.commit(), bench.claim(frameBytesMax)]
        bench.producer.abort()
        answers += [bench.claim(0)]
        #expect(answers == [true, false, false, true, false, true])
        #expect(bench.gauges.droppedFrames == 0 && bench.gauges.committedFrames == 1)
    }
}
