import Foundation
import TestSupport
import Testing

@testable import LobHandoff

/// A value that shows when it was torn: every word says which publication it belongs to.
private protocol Stamped: BitwiseCopyable, Sendable {
    init(stamp: UInt64)
    var stamp: UInt64? { get }
}

extension UInt64: Stamped {
    fileprivate init(stamp: UInt64) { self = stamp }
    fileprivate var stamp: UInt64? { self }
}

/// 20 bytes: the last word is half a word.
private struct Ragged: Stamped {
    var a: UInt32, b: UInt32, c: UInt32, d: UInt32, e: UInt32
    init(stamp: UInt64) {
        let word = UInt32(truncatingIfNeeded: stamp)
        (a, b, c, d, e) = (word, word, word, word, word)
    }
    var stamp: UInt64? { a == b && b == c && c == d && d == e ? UInt64(a) : nil }
}

/// 3 bytes: less than a word.
private struct Tiny: Stamped {
    var a: UInt8, b: UInt8, c: UInt8
    init(stamp: UInt64) {
        let byte = UInt8(truncatingIfNeeded: stamp)
        (a, b, c) = (byte, byte, byte)
    }
    var stamp: UInt64? { a == b && b == c ? UInt64(a) : nil }
}

/// 4 KiB.
private struct Large: Stamped {
    var words: InlineArray<512, UInt64>
    init(stamp: UInt64) { words = InlineArray(repeating: stamp) }
    var stamp: UInt64? {
        var difference: UInt64 = 0
        for index in words.indices { difference |= words[index] ^ words[0] }
        return difference == 0 ? words[0] : nil
    }
}

@Suite struct LatestValueTests {
    @Test func givesTheLatestAndItsVersion() {
        let mailbox = LatestValue(UInt64(70))
        var writer = mailbox.writer
        let reader = mailbox.reader
        var value: UInt64 = 0
        #expect(reader.version == 0)
        #expect(reader.read(into: &value) == .new(version: 0) && value == 70)
        #expect(reader.read(into: &value, ifNewerThan: 0) == .unchanged && value == 70)
        writer.publish(71)
        writer.publish(72)
        #expect(reader.read(into: &value, ifNewerThan: 0, attemptsMax: 1) == .new(version: 2) && value == 72)
        #expect(reader.read(into: &value, ifNewerThan: 2) == .unchanged)
        #expect(reader.read(into: &value, ifNewerThan: 9) == .unchanged)
        #expect(reader.version == 2)
    }

    /// A writer that stands still half way: readers give up, keep what they had, and know nothing newer.
    @Test func givesUpOnAHalfWrittenValue() {
        let mailbox = LatestValue(Large(stamp: 1))
        var writer = mailbox.writer
        let reader = mailbox.reader
        writer.publish(Large(stamp: 2))
        let sequence = writer.storage.sequence.pointee.load(ordering: .relaxed)
        writer.storage.sequence.pointee.store(sequence + 1, ordering: .relaxed)
        var value = Large(stamp: 5)
        #expect(reader.read(into: &value, attemptsMax: 1) == .contended && value.stamp == 5)
        #expect(reader.read(into: &value, ifNewerThan: 0) == .contended && value.stamp == 5)
        #expect(reader.read(into: &value, ifNewerThan: 1) == .unchanged && value.stamp == 5)
        writer.storage.sequence.pointee.store(sequence, ordering: .relaxed)
        #expect(reader.read(into: &value) == .new(version: 1) && value.stamp == 2)
    }

    /// Who may wait gets the value when the writer goes on, however long it stood still.
    @Test func waitsForAHalfWrittenValue() {
        let mailbox = LatestValue(UInt64(1))
        var writer = mailbox.writer
        let reader = mailbox.reader
        writer.publish(2)
        let storage = writer.storage
        let sequence = storage.sequence.pointee.load(ordering: .relaxed)
        storage.sequence.pointee.store(sequence + 1, ordering: .relaxed)
        Thread {
            usleep(50_000)
            storage.sequence.pointee.store(sequence, ordering: .releasing)
        }.start()
        #expect(reader.latest(0) == 2)
    }

    @Test func tornReadHunt() {
        hunt(UInt64.self, publishCount: isDebugBuild ? 200_000 : 5_000_000, stampMask: .max)
        hunt(Ragged.self, publishCount: isDebugBuild ? 200_000 : 5_000_000, stampMask: 0xFFFF_FFFF)
        hunt(Tiny.self, publishCount: isDebugBuild ? 200_000 : 5_000_000, stampMask: 0xFF)
        hunt(Large.self, publishCount: isDebugBuild ? 3000 : 300_000, stampMask: .max)
    }

    /// One writer, three readers; each value read must be whole, of the version told, and never older than
    /// the last.
    private func hunt<Value: Stamped>(_: Value.Type, publishCount: Int, stampMask: UInt64) {
        let mailbox = LatestValue(Value(stamp: 0))
        let writer = Handed(mailbox.writer)
        let reader = mailbox.reader
        let read: @Sendable () -> [String] = {
            var value = Value(stamp: 0)
            var seen: UInt64 = 0
            var found: [String] = []
            let readUntil: (Int) -> Void = { last in
                while seen < last {
                    let reading = reader.read(into: &value, ifNewerThan: seen, attemptsMax: 1)
                    guard case .new(let version) = reading else {
                        if value.stamp != seen & stampMask { found.append("\(reading) changed the value") }
                        if reading == .unchanged { sched_yield() }
                        continue
                    }
                    if version <= seen || value.stamp != version & stampMask {
                        found.append(
                            "version \(version) after \(seen) reads \(String(describing: value.stamp))")
                    }
                    seen = version
                }
            }
            readUntil(publishCount / 10)
            let allocated = allocatedBytes { readUntil(publishCount) }
            return found + complaint("a reader allocated \(allocated!) bytes", unless: allocated ?? 0 == 0)
        }
        let write: @Sendable () -> [String] = {
            let publish: (ClosedRange<Int>) -> Void = { stamps in
                for stamp in stamps {
                    writer.value.publish(Value(stamp: UInt64(stamp)))
                    if stamp % 1024 == 0 { sched_yield() }
                }
            }
            publish(1...publishCount / 10)
            let allocated = allocatedBytes { publish(publishCount / 10 + 1...publishCount) }
            return complaint("the writer allocated \(allocated!) bytes", unless: allocated ?? 0 == 0)
        }
        let found = complaints(of: [write, read, read, read])
        #expect(found.isEmpty, "\(Value.self)")
    }
}
