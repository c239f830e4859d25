// Every truncation and every single-byte change of frames of every kind. Whatever the bytes, the parser never
// reads behind the message, says the same with poisoned bytes behind it and with the kernel off, and delivers
// a book exactly where the naive decoder finds the same one.
//
// Everyday runs try the bytes that mean something in JSON and their neighbours at each place, and ask the
// naive decoder about a part of the refusals of changed bytes; release builds and `LOB_STRESS` try all 255,
// and always ask.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

private struct Mutator: ~Copyable {
    let market: Market
    /// Whether the naive decoder is asked about every refusal.
    let asksAlways: Bool
    var parser = MessageParser(levelCapacity: 64)
    var scalar = MessageParser(levelCapacity: 64, usesKernel: false)
    let guarded = GuardedRoom(capacity: 4096)
    let poisoned = PoisonedRoom(capacity: 4096)
    var tried = 0
    var delivered = 0
    var refused = 0

    init(_ market: Market, asksAlways: Bool = isStress) {
        (self.market, self.asksAlways) = (market, asksAlways)
    }

    mutating func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) {
        let room = guarded.place(bytes)
        let answer = parser.answer(room, market)
        let poison = PoisonedRoom.poisons[tried % PoisonedRoom.poisons.count]
        checkBehind(bytes, poison, answer, what())
        tried += 1
        if isStress || tried % 4 == 0 {
            let slow = scalar.answer(room, market)
            if answer != slow { Issue.record("\(what()): \(answer), but \(slow) without kernel") }
        }
        if let error = answer.error {
            refused += 1
            if error.offset < 0 || error.offset > bytes.count { Issue.record("\(what()): \(error)") }
        }
        if answer.book != nil { delivered += 1 }
        guard asksAlways || answer.book != nil || tried % 16 == 0 else { return }
        let naive = try? BookContents.naive(bytes, market)
        if answer.book != naive {
            Issue.record("\(what()): \(answer), naive \(String(describing: naive))")
        }
    }

    /// The message in front of this poison must get the same answer.
    @discardableResult
    mutating func checkBehind(
        _ bytes: [UInt8], _ poison: String, _ answer: ParserAnswer, _ what: @autoclosure () -> String
    ) -> Bool {
        let behind = parser.answer(
            UnsafeBufferPointer(poisoned.place(bytes, poison: poison)), market, readableAfter: 128)
        if answer == behind { return true }
        Issue.record("\(what()): \(answer), but \(behind) before \(poison)")
        return false
    }
}

/// What a byte is changed to in everyday runs, besides its neighbours.
private let tellingBytes = Array("\"\\[]{}:,.-+0189eEuUnb \n\0@".utf8) + [0x1F, 0x7F, 0x80, 0xFF]

@Test("Every truncation", arguments: SampleFrame.all)
func truncations(frame: SampleFrame) {
    let bytes = frame.bytes
    var mutator = Mutator(frame.market, asksAlways: true)
    for count in 0...bytes.count { mutator.check(Array(bytes[..<count]), "\(frame) cut at \(count)") }
    for count in 1..<bytes.count { mutator.check(Array(bytes[count...]), "\(frame) from \(count)") }
    #expect(mutator.delivered <= 6, "whole, or without some of the blanks around it")
}

@Test("Every truncation, closed by brackets, before every poison", arguments: SampleFrame.all)
func closedTruncations(frame: SampleFrame) {
    let bytes = frame.bytes
    var mutator = Mutator(frame.market)
    for count in 1..<min(bytes.count, isStress ? .max : 80) {
        for closing in isStress ? ["}", "]", "}}", "]]", "]]}}"] : ["}", "]]"] {
            let message = Array(bytes[..<count] + closing.utf8)
            let answer = mutator.parser.answer(mutator.guarded.place(message), frame.market)
            for poison in PoisonedRoom.poisons {
                let what = "\(frame) cut at \(count) + \(closing)"
                if !mutator.checkBehind(message, poison, answer, what) { return }
            }
        }
    }
}

@Test("Every change of one byte", arguments: SampleFrame.all)
func oneByteChanges(frame: SampleFrame) {
    var bytes = frame.bytes
    var mutator = Mutator(frame.market)
    for place in bytes.indices {
        let original = bytes[place]
        let near = [original ^ 1, original &+ 1, original &- 1, original ^ 0x20, original ^ 0x80]
        for value in isStress ? Array(0...255) : tellingBytes + near where value != original {
            bytes[place] = value
            mutator.check(bytes, "\(frame), byte \(place) = \(value)")
        }
        bytes[place] = original
    }
    print("\(frame): \(mutator.tried) changes, \(mutator.delivered) books, \(mutator.refused) refused")
    #expect(mutator.refused > mutator.tried / 4)
}

@Test("Every byte left out, doubled, or swapped with the next", arguments: SampleFrame.all)
func shifts(frame: SampleFrame) {
    let bytes = frame.bytes
    var mutator = Mutator(frame.market, asksAlways: true)
    for place in bytes.indices {
        mutator.check(Array(bytes[..<place] + bytes[(place + 1)...]), "\(frame) without byte \(place)")
        mutator.check(Array(bytes[...place] + bytes[place...]), "\(frame) with byte \(place) twice")
        var swapped = bytes
        swapped.swapAt(place, min(place + 1, bytes.count - 1))
        mutator.check(swapped, "\(frame), byte \(place) swapped")
    }
}

@Test("Unchanged, each frame is what it is", arguments: SampleFrame.all)
func unchangedFrames(frame: SampleFrame) throws {
    var parser = MessageParser()
    let answer = parser.answer(frame.text, frame.market)
    #expect(answer.kind == frame.kind)
    let naive = try BookContents.naive(frame.bytes, frame.market)
    #expect(answer.book == naive)
    if let naive { #expect(try naive.foundationAgrees(frame.bytes)) }
}
