// Ways to bring frames from one thread to another, and the reader at their end.

import CLobKernels
import Foundation
import LobHandoff
import Synchronization

/// A way to bring frames from one thread to another, holding about 512 frames at most.
protocol FrameHandOver: AnyObject, Sendable {
    static var name: String { get }
    /// Whether it runs on the two pinned threads alone. The waits of another are its own doing: whether its
    /// rounds are disturbed is told by the ring's, a moment before.
    static var isPinned: Bool { get }
    init(_ reader: FrameReader) throws
    /// Copies the frame and hands it over; waits for room. Called on the sender's thread.
    func send(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer)
    /// Has `frameCount` frames read and returns. Called on the receiver's thread.
    func receive(_ frameCount: Int)
}

/// All contenders; the others are compared with the first.
let ringContenders: [any FrameHandOver.Type] = [
    RingHandOver.self, SpinningQueue.self, SleepingQueue.self, DispatchHandOver.self,
]

/// How many frames a queue of frames may hold: as many of the mean length as fit into the ring.
private let queuedFrameCountMax = 512

final class RingHandOver: FrameHandOver, @unchecked Sendable {
    static let name = "frame-ring"
    static let isPinned = true
    private let reader: FrameReader
    private var producer: FrameProducer
    private var consumer: FrameConsumer

    init(_ reader: FrameReader) throws {
        self.reader = reader
        let ring = try FrameRing(capacityBytes: 1 << 20)
        producer = ring.producer
        consumer = ring.consumer
    }

    func send(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer) {
        while !producer.claim(bytes.count) {
            producer.abort()
            lob_pause()
        }
        producer.append(bytes)
        producer.commit(.message, source: 0, receivedAtNs: Int64(bitPattern: sentAtTicks))
    }

    func receive(_ frameCount: Int) {
        var rest = frameCount
        while rest > 0 {
            let count = consumer.poll { frame in
                reader.read(UInt64(bitPattern: frame.receivedAtNs), UnsafeRawBufferPointer(frame.bytes))
            }
            if count == 0 { lob_pause() }
            rest -= count
        }
    }
}

/// Frames in the order they came; taking one is O(1) but for a rare clean-up.
private struct FrameFIFO {
    private var frames: [(sentAtTicks: UInt64, bytes: [UInt8])?] = []
    private var head = 0

    var isFull: Bool { frames.count - head >= queuedFrameCountMax }

    mutating func push(_ sentAtTicks: UInt64, _ bytes: [UInt8]) { frames.append((sentAtTicks, bytes)) }

    mutating func pop() -> (sentAtTicks: UInt64, bytes: [UInt8])? {
        if head == frames.count { return nil }
        let frame = frames[head].take()
        head += 1
        if head == 2 * queuedFrameCountMax {
            frames.removeFirst(head)
            head = 0
        }
        return frame
    }
}

/// A mutex around an array; both sides spin.
final class SpinningQueue: FrameHandOver {
    static let name = "mutex-array"
    static let isPinned = true
    private let reader: FrameReader
    private let queue = Mutex(FrameFIFO())

    init(_ reader: FrameReader) { self.reader = reader }

    func send(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer) {
        let copy = [UInt8](bytes)
        while true {
            let isTaken = queue.withLock { queue in
                if queue.isFull { return false }
                queue.push(sentAtTicks, copy)
                return true
            }
            if isTaken { return }
            lob_pause()
        }
    }

    func receive(_ frameCount: Int) {
        for _ in 0..<frameCount {
            while true {
                if let frame = queue.withLock({ $0.pop() }) {
                    frame.bytes.withUnsafeBytes { reader.read(frame.sentAtTicks, $0) }
                    break
                }
                lob_pause()
            }
        }
    }
}

/// A mutex around an array with condition variables; both sides sleep.
final class SleepingQueue: FrameHandOver, @unchecked Sendable {
    static let name = "condition-array"
    static let isPinned = true
    private let reader: FrameReader
    private let condition = NSCondition()
    private var queue = FrameFIFO()

    init(_ reader: FrameReader) { self.reader = reader }

    func send(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer) {
        let copy = [UInt8](bytes)
        condition.lock()
        while queue.isFull { condition.wait() }
        queue.push(sentAtTicks, copy)
        condition.signal()
        condition.unlock()
    }

    func receive(_ frameCount: Int) {
        for _ in 0..<frameCount {
            condition.lock()
            var frame = queue.pop()
            while frame == nil {
                condition.wait()
                frame = queue.pop()
            }
            condition.signal()
            condition.unlock()
            if let frame { frame.bytes.withUnsafeBytes { reader.read(frame.sentAtTicks, $0) } }
        }
    }
}

/// One block on a serial dispatch queue for each frame. Its worker thread is the library's and is not pinned.
final class DispatchHandOver: FrameHandOver {
    static let name = "dispatch-async"
    static let isPinned = false
    private let reader: FrameReader
    private let queue = DispatchQueue(label: "frames", qos: .userInteractive)
    private let room = DispatchSemaphore(value: queuedFrameCountMax)
    private let finished = DispatchSemaphore(value: 0)

    init(_ reader: FrameReader) { self.reader = reader }

    func send(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer) {
        let copy = [UInt8](bytes)
        room.wait()
        queue.async { [self] in
            copy.withUnsafeBytes { reader.read(sentAtTicks, $0) }
            room.signal()
            finished.signal()
        }
    }

    func receive(_ frameCount: Int) {
        for _ in 0..<frameCount { finished.wait() }
    }
}

// MARK: - The reader

/// Adds up every byte, eight at a time.
func sumOfWords(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var sum: UInt64 = 0
    var offset = 0
    while offset &+ 8 <= bytes.count {
        sum &+= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        offset &+= 8
    }
    while offset < bytes.count {
        sum &+= UInt64(bytes[offset])
        offset &+= 1
    }
    return sum
}

/// What the reading side does with each frame, whoever brings it.
final class FrameReader: @unchecked Sendable {
    private(set) var sum: UInt64 = 0
    private(set) var latencyTicks: [UInt64] = []

    init(frameCount: Int) { latencyTicks.reserveCapacity(frameCount) }

    func read(_ sentAtTicks: UInt64, _ bytes: UnsafeRawBufferPointer) {
        latencyTicks.append(lob_cycles() &- sentAtTicks)
        sum &+= sumOfWords(bytes)
    }
}
