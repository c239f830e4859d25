// Both halves at once. These are the tests to run under the thread sanitizer:
//
//     TSAN_OPTIONS=ignore_interceptors_accesses=0 swift test --sanitize=thread --disable-default-traits \
//         --filter HandoffTests --scratch-path .build-tsan
//
// The option matters: Swift's default makes the sanitizer blind to `memmove` and `memcmp`, that is, to every
// body. It does not know that the two mappings are the same memory, so the bytes themselves are checked as
// well.

import Foundation
import TestSupport
import Testing

@testable import LobHandoff

/// Body length of frame `number`: mostly ordinary messages, now and then none or a long one.
private func bodyLength(_ number: Int) -> Int {
    var random = SeededRandom(seed: processSeed &+ UInt64(number))
    let draw = Int(truncatingIfNeeded: random.next() &>> 33)
    return draw % 16 == 0 ? 0 : draw % 128 == 1 ? 3000 + draw % 2000 : draw % 400
}

/// The writing thread of a test.
private final class Sender: @unchecked Sendable {
    private var producer: FrameProducer
    private let bodies: Bodies

    init(_ producer: consuming FrameProducer, _ bodies: Bodies) {
        self.producer = producer
        self.bodies = bodies
    }

    /// Sends the frame in two fragments, waiting for room.
    func send(_ number: Int) {
        let length = bodyLength(number)
        while !producer.claim(length) {
            producer.abort()
            sched_yield()
        }
        bodies.with(number, length: length) { body in
            _ = producer.append(UnsafeRawBufferPointer(rebasing: body[..<(length / 3)]))
            _ = producer.append(UnsafeRawBufferPointer(rebasing: body[(length / 3)...]))
        }
        producer.commit(.message, source: 9, receivedAtNs: Int64(number))
    }

    /// Offers the frame once; whether it was taken.
    func offer(_ number: Int) -> Bool {
        bodies.with(number, length: bodyLength(number)) {
            producer.write(.message, source: 9, receivedAtNs: Int64(number), $0)
        }
    }
}

/// The reading thread of a test.
private final class Receiver: @unchecked Sendable {
    private var consumer: FrameConsumer
    private let bodies: Bodies
    private(set) var receivedCount = 0
    private(set) var last = -1
    private(set) var wrongCount = 0
    private(set) var holeCount = 0

    init(_ consumer: consuming FrameConsumer, _ bodies: Bodies) {
        self.consumer = consumer
        self.bodies = bodies
    }

    @discardableResult
    func receive(limit: Int) -> Int {
        consumer.poll(limit: limit) { frame in
            let number = Int(frame.receivedAtNs)
            if number <= last || frame.source != 9 || frame.kind != .message { wrongCount += 1 }
            if frame.bytes.count != bodyLength(number) || !bodies.isBody(number, frame.bytes) {
                wrongCount += 1
            }
            holeCount += number - last - 1
            last = number
            receivedCount += 1
        }
    }

    func receive(through number: Int) {
        while last < number { if receive(limit: 64) == 0 { sched_yield() } }
    }
}

@Suite struct TwoThreadTests {
    let bodies = Bodies(lengthMax: 5000, seed: processSeed)

    /// Every frame arrives, once, in order, byte for byte, while both threads allocate nothing.
    @Test func everyFrameArrives() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let sender = Sender(ring.producer, bodies)
        let receiver = Receiver(ring.consumer, bodies)
        // The first frames of a process also pay for what the language sets up on first use.
        let warmUpCount = 2000
        let frameCount = isDebugBuild ? 300_000 : 5_000_000
        let found = complaints(of: [
            {
                for number in 0..<warmUpCount { sender.send(number) }
                let allocated = allocatedBytes {
                    for number in warmUpCount..<frameCount { sender.send(number) }
                }
                return complaint("the sender allocated \(allocated!) bytes", unless: allocated ?? 0 == 0)
            },
            {
                receiver.receive(through: warmUpCount / 2)
                let allocated = allocatedBytes { receiver.receive(through: frameCount - 1) }
                return complaint("the receiver allocated \(allocated!) bytes", unless: allocated ?? 0 == 0)
            },
        ])
        #expect(found.isEmpty)
        #expect(receiver.receivedCount == frameCount && receiver.wrongCount == 0, "LOB_SEED=\(processSeed)")
        #expect(gauges.committedFrames == frameCount && gauges.droppedFrames == 0)
        #expect(gauges.occupancyBytes == 0 && gauges.highWaterBytes <= gauges.capacityBytes)
    }

    /// A consumer that stalls: what it misses is exactly what was counted, and what it gets is right.
    @Test func slowConsumerLosesExactlyWhatIsCounted() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let sender = Sender(ring.producer, bodies)
        let receiver = Receiver(ring.consumer, bodies)
        let frameCount = isDebugBuild ? 100_000 : 500_000
        let found = complaints(of: [
            {
                var droppedFrames = 0
                var droppedBytes = 0
                for number in 0..<frameCount where !sender.offer(number) {
                    droppedFrames += 1
                    droppedBytes += bodyLength(number)
                }
                return complaint("frames", unless: gauges.droppedFrames == droppedFrames)
                    + complaint("bytes", unless: gauges.droppedBytes == droppedBytes)
            },
            {
                while gauges.committedFrames + gauges.droppedFrames < frameCount {
                    receiver.receive(limit: 20)
                    usleep(100)
                }
                while receiver.receive(limit: 20) > 0 {}
                return []
            },
        ])
        #expect(found.isEmpty, "dropped and not counted")
        #expect(receiver.wrongCount == 0, "LOB_SEED=\(processSeed)")
        #expect(receiver.receivedCount == gauges.committedFrames)
        #expect(receiver.holeCount + (frameCount - 1 - receiver.last) == gauges.droppedFrames)
        #expect(gauges.droppedFrames > 0, "the consumer must have been too slow")
        #expect(gauges.highWaterBytes > gauges.capacityBytes * 9 / 10)
    }

    /// Gauges read by a third thread stay inside their bounds and never go back.
    @Test func gaugesAreSaneFromOutside() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let sender = Sender(ring.producer, bodies)
        let receiver = Receiver(ring.consumer, bodies)
        let frameCount = isDebugBuild ? 50_000 : 1_000_000
        let isRunning: @Sendable () -> Bool = { gauges.committedFrames + gauges.droppedFrames < frameCount }
        let found = complaints(of: [
            {
                for number in 0..<frameCount { _ = sender.offer(number) }
                return []
            },
            {
                while isRunning() { receiver.receive(limit: 64) }
                return []
            },
            {
                var found: [String] = []
                var before = (committed: 0, highWater: 0)
                while isRunning() {
                    let occupancy = gauges.occupancyBytes
                    found += complaint(
                        "occupancy \(occupancy)", unless: (0...gauges.capacityBytes).contains(occupancy))
                    let now = (committed: gauges.committedFrames, highWater: gauges.highWaterBytes)
                    found += complaint(
                        "\(now) after \(before)",
                        unless: now.committed >= before.committed && now.highWater >= before.highWater)
                    before = now
                    sched_yield()
                }
                return found
            },
        ])
        #expect(found.isEmpty)
    }

    /// One ring, a consumer that idles in each way, frames at uneven times: none is overslept.
    @Test(arguments: IdleStrategy.allCases)
    func everyIdleStrategyDelivers(strategy: IdleStrategy) throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let sender = Sender(ring.producer, bodies)
        let receiver = Receiver(ring.consumer, bodies)
        let signal = Signal()
        let frameCount = 3000
        let found = complaints(of: [
            {
                for number in 0..<frameCount {
                    sender.send(number)
                    signal.notify()
                    if number % 64 == 0 { usleep(200) }
                }
                return []
            },
            {
                var emptyTurnCount = 0
                let start = ContinuousClock.now
                while receiver.receivedCount < frameCount {
                    let ticket = signal.ticket
                    if receiver.receive(limit: 10) > 0 {
                        emptyTurnCount = 0
                        continue
                    }
                    strategy.idle(
                        emptyTurnCount: emptyTurnCount, on: signal, since: ticket, timeoutNs: 60_000_000_000)
                    emptyTurnCount += 1
                }
                return complaint(
                    "a notification was lost", unless: ContinuousClock.now - start < .seconds(50))
            },
        ])
        #expect(found.isEmpty)
        #expect(receiver.wrongCount == 0 && receiver.holeCount == 0)
    }
}
