// Both halves at once. These are the tests that run under the thread sanitizer; it does not know that the two mappings
// are the same memory, so the bytes themselves are checked as well.

import Foundation
import TestSupport
import Testing

@testable import Handoff

@Suite struct TwoThreadTests {
    let bodies = Bodies(lengthMax: 5000, seed: processSeed)

    /// Body length of frame `number`: mostly ordinary messages, now and then none or a long one.
    private static func bodyLength(_ number: Int) -> Int {
        var numbers = SeededRandom(seed: processSeed &+ UInt64(number))
        let draw = Int(truncatingIfNeeded: numbers.next() &>> 33)
        return draw % 16 == 0 ? 0 : draw % 128 == 1 ? 3000 + draw % 2000 : draw % 400
    }

    /// Every frame arrives, once, in order, byte for byte, while both threads allocate nothing.
    @Test func everyFrameArrives() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let producer = Handed(ring.producer)
        let consumer = Handed(ring.consumer)
        let bodies = bodies
        let frameCount = isDebugBuild ? 200_000 : 5_000_000
        runTogether([
            {
                let allocated = allocatedBytes {
                    for number in 0..<frameCount {
                        let length = Self.bodyLength(number)
                        while !producer.value.claim(length) {
                            producer.value.abort()
                            sched_yield()
                        }
                        bodies.with(number, length: length) { body in
                            let middle = length / 3
                            _ = producer.value.append(UnsafeRawBufferPointer(rebasing: body[..<middle]))
                            _ = producer.value.append(UnsafeRawBufferPointer(rebasing: body[middle...]))
                        }
                        producer.value.commit(.message, source: 9, receivedAtNs: Int64(number))
                    }
                }
                #expect(allocated == nil || allocated == 0)
            },
            {
                var next = 0
                var wrong = 0
                let allocated = allocatedBytes {
                    while next < frameCount {
                        let count = consumer.value.poll(limit: 64) { frame in
                            if frame.receivedAtNs != Int64(next) || frame.source != 9 { wrong += 1 }
                            if frame.bytes.count != Self.bodyLength(next) { wrong += 1 }
                            if !bodies.isBody(next, frame.bytes) { wrong += 1 }
                            next += 1
                        }
                        if count == 0 { sched_yield() }
                    }
                }
                #expect(wrong == 0, "LOB_SEED=\(processSeed)")
                #expect(allocated == nil || allocated == 0)
            },
        ])
        #expect(gauges.committedFrames == frameCount && gauges.droppedFrames == 0)
        #expect(gauges.occupancyBytes == 0 && gauges.highWaterBytes <= gauges.capacityBytes)
    }

    /// A consumer that stalls: what it misses is exactly what was counted, and what it gets is right.
    @Test func slowConsumerLosesExactlyWhatIsCounted() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let producer = Handed(ring.producer)
        let consumer = Handed(ring.consumer)
        let done = LatestValue(false)
        let doneWriter = Handed(done.writer)
        let doneReader = done.reader
        let bodies = bodies
        let frameCount = isDebugBuild ? 50_000 : 500_000
        runTogether([
            {
                var droppedFrames = 0
                var droppedBytes = 0
                for number in 0..<frameCount {
                    let length = Self.bodyLength(number)
                    let written = bodies.with(number, length: length) {
                        producer.value.write(.message, source: 0, receivedAtNs: Int64(number), $0)
                    }
                    if !written { droppedFrames += 1; droppedBytes += length }
                }
                #expect(gauges.droppedFrames == droppedFrames && gauges.droppedBytes == droppedBytes)
                #expect(gauges.committedFrames == frameCount - droppedFrames)
                doneWriter.value.publish(true)
            },
            {
                var received = 0
                var last: Int64 = -1
                var wrong = 0
                var isDone = false
                repeat {
                    _ = doneReader.read(into: &isDone)
                    while consumer.value.poll(
                        limit: 20,
                        { frame in
                            if frame.receivedAtNs <= last { wrong += 1 }
                            last = frame.receivedAtNs
                            if frame.bytes.count != Self.bodyLength(Int(last)) { wrong += 1 }
                            if !bodies.isBody(Int(last), frame.bytes) { wrong += 1 }
                            received += 1
                        }) > 0
                    {
                        usleep(100)
                    }
                } while !isDone
                #expect(wrong == 0, "LOB_SEED=\(processSeed)")
                #expect(received == gauges.committedFrames)
            },
        ])
        #expect(gauges.droppedFrames > 0, "the consumer must have been too slow")
        #expect(gauges.highWaterBytes > gauges.capacityBytes * 9 / 10)
    }

    /// Gauges read by a third thread stay inside their bounds and never go back.
    @Test func gaugesAreSaneFromOutside() throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let gauges = ring.gauges
        let producer = Handed(ring.producer)
        let consumer = Handed(ring.consumer)
        let frameCount = isDebugBuild ? 50_000 : 1_000_000
        runTogether([
            {
                for number in 0..<frameCount {
                    producer.value.write(.tick, source: 0, receivedAtNs: Int64(number))
                }
            },
            {
                while gauges.committedFrames + gauges.droppedFrames < frameCount {
                    consumer.value.poll { _ in }
                }
            },
            {
                var committed = 0
                var highWater = 0
                var wrong = 0
                while gauges.committedFrames + gauges.droppedFrames < frameCount {
                    let occupancy = gauges.occupancyBytes
                    if occupancy < 0 || occupancy > gauges.capacityBytes { wrong += 1 }
                    let now = (gauges.committedFrames, gauges.highWaterBytes)
                    if now.0 < committed || now.1 < highWater { wrong += 1 }
                    (committed, highWater) = now
                    sched_yield()
                }
                #expect(wrong == 0)
            },
        ])
    }

    /// One ring, a parked or spinning consumer, frames at uneven times: none is overslept.
    @Test(arguments: IdleStrategy.allCases)
    func everyIdleStrategyDelivers(strategy: IdleStrategy) throws {
        let ring = try FrameRing(capacityBytes: 1 << 16)
        let producer = Handed(ring.producer)
        let consumer = Handed(ring.consumer)
        let signal = Signal()
        let frameCount = 2000
        runTogether([
            {
                for number in 0..<frameCount {
                    while !producer.value.claim(0) {
                        producer.value.abort()
                        sched_yield()
                    }
                    producer.value.commit(.tick, source: 0, receivedAtNs: Int64(number))
                    signal.notify()
                    if number % 64 == 0 { usleep(200) }
                }
            },
            {
                var received = 0
                var emptyTurnCount = 0
                let start = ContinuousClock.now
                while received < frameCount {
                    let ticket = signal.ticket
                    let count = consumer.value.poll(limit: 10) { frame in
                        if frame.receivedAtNs != Int64(received) { Issue.record("frame out of order") }
                        received += 1
                    }
                    emptyTurnCount = count > 0 ? 0 : emptyTurnCount + 1
                    if count == 0 {
                        strategy.idle(
                            emptyTurnCount: emptyTurnCount, on: signal, since: ticket,
                            timeoutNs: 60_000_000_000)
                    }
                }
                #expect(ContinuousClock.now - start < .seconds(50), "a notification was lost")
            },
        ])
    }
}
