// Every truncation and every change of one byte of messages of each kind. Whatever comes out must never be wrong:
// what is accepted must say exactly what Foundation reads in it, and nothing of a book may pass as `.other`.
//
// Everyday runs try every value that means something to the grammar and a sample of the others;
// `LOB_PARSER_MUTATIONS=all` tries all 255.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceDepth

private let isComplete = ProcessInfo.processInfo.environment["LOB_PARSER_MUTATIONS"] == "all"

/// Why an outcome is wrong, or nil.
private func objection(to outcome: Outcome, _ message: [UInt8], _ market: Market) -> String? {
    guard var parsed = outcome.parsed else { return nil }
    let naive = NaiveDecoder.decode(message, market)
    let text = String(decoding: message, as: UTF8.self)
    if parsed.kind == .other {
        // Recognised by a few bytes only; it need not be JSON, but it must not be about a book.
        return naive == nil || naive?.kind == .other ? nil : "\(text) passed as other"
    }
    // Foundation refuses numbers beyond a double, wherever they stand; here none is read.
    if parsed.kind == .serverShutdown && naive == nil { return nil }
    parsed.reply?.id = .absent
    parsed.reply?.text = nil
    return parsed == naive ? nil : "\(text)\nread as \(parsed)\nbut is \(naive.map { "\($0)" } ?? "nothing")"
}

@Suite struct ParserMutationTests {
    @Test(arguments: Frames.all.indices) func everyTruncation(index: Int) {
        let (text, market) = Frames.all[index]
        let message = Array(text.utf8)
        for after in [0, 128] {
            // Behind a message cut short, its own rest is the most tempting thing to read on.
            for count in 0..<message.count {
                var parser = ParserUnderTest(
                    after: after, byteCount: 4096, poison: String(decoding: message[count...], as: UTF8.self))
                let outcome = parser.parse(Array(message[..<count]), market)
                #expect(outcome.refusal != nil, "\(count) bytes of \(text)")
            }
        }
    }

    @Test(arguments: Frames.all.indices) func everyChangeOfOneByte(index: Int) {
        let (text, market) = Frames.all[index]
        var message = Array(text.utf8)
        let tempting = Array(#""\{}[],:.0123456789-+eE uUbaApsT"#.utf8) + [0, 0x1F, 0x7F, 0x80, 0xFF]
        var tight = ParserUnderTest(after: 0, byteCount: 4096)
        var roomy = ParserUnderTest(after: 128, byteCount: 4096)
        var scalar = ParserUnderTest(after: 128, usesKernel: false, byteCount: 4096)
        var accepted = 0
        let tightBytes = tight.memory.place(message, after: 0, poison: tight.poison)
        let roomyBytes = roomy.memory.place(message, after: 128, poison: roomy.poison)
        let scalarBytes = scalar.memory.place(message, after: 128, poison: scalar.poison)
        for place in message.indices {
            let original = message[place]
            let values =
                isComplete ? Array(0...UInt8.max) : tempting + [UInt8(truncatingIfNeeded: place &* 37)]
            for value in values where value != original {
                message[place] = value
                (tightBytes[place], roomyBytes[place], scalarBytes[place]) = (value, value, value)
                let outcome = roomy.parse(roomyBytes, market)
                let other =
                    place % 2 == 0 ? tight.parse(tightBytes, market) : scalar.parse(scalarBytes, market)
                if outcome != other {
                    Issue.record("paths differ: \(String(decoding: message, as: UTF8.self))")
                }
                if let complaint = objection(to: outcome, message, market) { Issue.record("\(complaint)") }
                if outcome.parsed != nil { accepted += 1 }
            }
            message[place] = original
            (tightBytes[place], roomyBytes[place], scalarBytes[place]) = (original, original, original)
        }
        // Digits may become other digits: a parser that refused everything would be useless.
        #expect(accepted > 100, "\(text)")
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64]) func manyChanges(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var roomy = ParserUnderTest(after: 128, byteCount: 4096)
        var tight = ParserUnderTest(after: 0, byteCount: 4096)
        var accepted = 0
        for _ in 0..<(isComplete ? 200_000 : 2_000) {
            let (text, market) = Frames.all[random.below(Frames.all.count)]
            var message = Array(text.utf8)
            for _ in 0...random.below(3) { mutate(&message, &random) }
            let outcome = roomy.parse(message, market)
            let same = outcome == tight.parse(message, market)
            if !same {
                Issue.record("seed \(seed), paths differ: \(String(decoding: message, as: UTF8.self))")
            }
            if let complaint = objection(to: outcome, message, market) {
                Issue.record("seed \(seed): \(complaint)")
            }
            if outcome.parsed != nil { accepted += 1 }
        }
        #expect(accepted > 50, "seed \(seed)")
    }

    /// Removes, repeats or moves a piece, or puts in something that means something.
    private func mutate(_ message: inout [UInt8], _ random: inout SeededRandom) {
        let pieces = [
            "\"", ",", "[", "]", "{", "}", "[]", "\"0\"", "[\"1.0\",\"2.0\"],", " ", "\\\"", "\"u\":1,", "0",
            "9",
        ]
        let first = random.below(message.count)
        let last = min(first + random.below(24), message.count)
        switch random.below(4) {
        case 0: message.removeSubrange(first..<last)
        case 1: message.insert(contentsOf: message[first..<last], at: random.below(message.count))
        case 2: message.insert(contentsOf: pieces[random.below(pieces.count)].utf8, at: first)
        default: message[first] = UInt8(truncatingIfNeeded: random.next())
        }
        if message.isEmpty { message = [0x7B] }
    }
}
