import Testing

@testable import Handoff

private let capacity = FrameRing.capacityBytesRange.lowerBound
private let frameBytesMax = capacity - 144

/// What a ring must do, in a few lines without memory: a list of frames, a byte count and the rules of dropping.
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
        var numbers = SeededNumbers(state: seed)
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

    @Test func longestFrameFitsAndOneByteMoreDoesNot() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        let longest = bodies.with(0, length: frameBytesMax) {
            producer.write(.depthSnapshot, source: 0, receivedAtNs: 0, $0)
        }
        #expect(longest)
        #expect(gauges.occupancyBytes == capacity)
        #expect(!producer.commit(.tick, source: 0, receivedAtNs: 0))
        #expect(consumer.poll { #expect($0.bytes.count == frameBytesMax && bodies.isBody(0, $0.bytes)) } == 1)
        let longer = bodies.with(0, length: frameBytesMax + 1) {
            producer.write(.depthSnapshot, source: 0, receivedAtNs: 0, $0)
        }
        #expect(!longer)
        #expect(gauges.droppedFrames == 2 && gauges.droppedBytes == frameBytesMax + 1)
        #expect(consumer.poll { _ in } == 0)
    }

    @Test func frameThatGrowsTooLongIsDroppedWholeAndOnlyItself() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        bodies.with(0, length: 1000) { part in
            var answers: [Bool] = []
            for _ in 0..<100 { answers.append(producer.append(part)) }
            #expect(answers.firstIndex(of: false) == frameBytesMax / 1000)
            #expect(!answers[(frameBytesMax / 1000)...].contains(true))
            #expect(!producer.commit(.message, source: 0, receivedAtNs: 0))
            #expect(
                gauges.droppedFrames == 1 && gauges.droppedBytes == 100_000 && gauges.committedFrames == 0)
            _ = producer.append(part)
            #expect(producer.commit(.message, source: 0, receivedAtNs: 0))
        }
        #expect(consumer.poll { #expect(bodies.isBody(0, $0.bytes)) } == 1)
    }

    @Test func frameLostHalfWayStaysLostWhenRoomComesBack() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        bodies.with(0, length: 40_000) { part in
            #expect(producer.write(.message, source: 0, receivedAtNs: 0, part))
            #expect(!producer.append(part))
            consumer.poll { _ in }
            #expect(!producer.append(UnsafeRawBufferPointer(rebasing: part[..<10])))
            #expect(!producer.commit(.message, source: 0, receivedAtNs: 0))
            #expect(gauges.droppedFrames == 1 && gauges.droppedBytes == 40_010)
        }
        #expect(consumer.poll { _ in } == 0)
    }

    @Test func abortedFrameLeavesNoTrace() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        var consumer = ring.consumer
        bodies.with(0, length: 50_000) { part in
            producer.append(part)
            producer.abort()
            producer.append(part)
            producer.append(part)
            producer.abort()
            #expect(gauges.droppedFrames == 0 && gauges.occupancyBytes == 0 && gauges.highWaterBytes == 0)
            producer.append(part)
            #expect(producer.commit(.message, source: 0, receivedAtNs: 0))
        }
        #expect(consumer.poll { #expect(bodies.isBody(0, $0.bytes)) } == 1)
    }

    /// A caller that would rather wait than lose asks first; nothing is counted as dropped.
    @Test func refusedClaimIsNotADrop() throws {
        let ring = try FrameRing(capacityBytes: capacity)
        let gauges = ring.gauges
        var producer = ring.producer
        #expect(producer.claim(frameBytesMax))
        #expect(!producer.claim(frameBytesMax + 1))
        producer.abort()
        #expect(producer.commit(.tick, source: 0, receivedAtNs: 0))
        #expect(!producer.claim(frameBytesMax))
        producer.abort()
        #expect(gauges.droppedFrames == 0 && gauges.committedFrames == 1)
    }
}
