// Fronts of updates: the kernel remembers their layouts, so every message is parsed by a parser that has seen
// others, and must mean what it means to one without kernel, which remembers nothing.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// The lengths that make a front.
private struct FrontWriter {
    var random: SeededRandom

    mutating func number(_ digits: Int) -> String {
        var text = String(1 + random.below(9))
        for _ in 1..<digits { text += String(random.below(10)) }
        return text
    }

    mutating func name(_ length: Int) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        return String((0..<length).map { _ in letters[random.below(letters.count)] })
    }

    /// An update of one level; equal lengths for equal seeds.
    mutating func message(_ layout: UInt64, isLinked: Bool) -> String {
        var lengths = SeededRandom(seed: layout)
        let symbol = name(1 + lengths.below(17))
        let digits = 1 + lengths.below(17)
        var fields = #"{"e":"depthUpdate","E":"# + number(lengths.chance(0.8) ? 13 : 1 + lengths.below(18))
        if lengths.chance(isLinked ? 0.9 : 0.1) { fields += #","T":"# + number(13) }
        fields += #","s":"\#(symbol)""#
        if lengths.chance(isLinked ? 0.5 : 0.1) { fields += #","ps":"\#(name(lengths.below(18)))""# }
        fields += #","U":"# + number(digits) + #","u":"# + number(digits + (lengths.chance(0.1) ? 1 : 0))
        if isLinked { fields += #","pu":"# + number(digits) }
        let level = #"["\#(number(4)).\#(number(2))","\#(number(1)).000"]"#
        fields += random.chance(0.5) ? #","b":[\#(level)],"a":[]}"# : #","b":[],"a":[\#(level)]}"#
        if lengths.chance(0.2) { return fields }
        let speeds = ["", "@100ms", "@0ms", "@500ms", "@", "@1234567890123456"]
        let stream =
            (lengths.chance(0.9) ? symbol.lowercased() : name(18)) + "@depth" + speeds[lengths.below(6)]
        return #"{"stream":"\#(stream)","data":\#(fields)}"#
    }
}

private struct FrontCheck: ~Copyable {
    var parser = MessageParser(levelCapacity: 16)
    var scalar = MessageParser(levelCapacity: 16, usesKernel: false)
    let guarded = GuardedRoom(capacity: 4096)
    let poisoned = PoisonedRoom(capacity: 4096)
    var tried = 0
    var delivered = 0
    var wrong: [String] = []

    mutating func check(_ bytes: [UInt8], _ market: Market) {
        let slow = scalar.answer(guarded.place(bytes), market)
        let poison = PoisonedRoom.poisons[tried % PoisonedRoom.poisons.count]
        let behind = parser.answer(
            UnsafeBufferPointer(poisoned.place(bytes, poison: poison)), market, readableAfter: 128)
        let tight = parser.answer(guarded.place(bytes), market)
        tried += 1
        delivered += slow.book == nil ? 0 : 1
        if slow != behind || slow != tight, wrong.count < 5 {
            wrong.append("\(String(decoding: bytes, as: UTF8.self)): \(slow), \(behind), \(tight)")
        }
    }
}

@Test("Streams of many layouts in turn, more than are remembered", arguments: [Market.spot, .usdm])
func manyFronts(market: Market) {
    var writer = FrontWriter(random: SeededRandom(seed: 0xF0))
    var check = FrontCheck()
    for round in 0..<(isStress ? 400 : 8) {
        for step in 0..<400 {
            let layout = UInt64(round % 2 == 0 ? step : writer.random.below(100))
            check.check(Array(writer.message(layout, isLinked: market == .usdm).utf8), market)
        }
    }
    #expect(check.wrong == [])
    #expect(check.delivered > check.tried / 3)
}

@Test("A front that is known, each byte of it another", arguments: SampleFrame.all)
func changedFronts(frame: SampleFrame) {
    let message = frame.bytes
    var check = FrontCheck()
    let telling = Array("\"\\@[]{}:,.-+019eEuUaz_/ \n".utf8) + [0, 0x1F, 0x7F, 0x80, 0xB5, 0xFF]
    for place in 0..<min(message.count, 260) {
        check.check(message, frame.market)
        for byte in isStress ? Array(0...255) : telling {
            var changed = message
            changed[place] = byte
            check.check(changed, frame.market)
        }
    }
    #expect(check.wrong == [])
}

@Test("Names that look like a known front but are no stream of updates")
func strangeNamesOfKnownFronts() {
    var check = FrontCheck()
    let update =
        #"{"e":"depthUpdate","E":1722902400123,"s":"ABUSDT","U":99,"u":101,"b":[["1.00","2.00"]],"a":[]}"#
    for name in ["abusdt", "ab@dt5", "@busdt", "abus@t", #"ab\"dt"#, #"abu\nt"#, "abu\u{e9}t", "abus\"t"] {
        for speed in ["@depth@100ms", "@depth@1\\0ms", "@depth5@10ms", "@rpiDept@0ms", "@depth@100\"s"] {
            for symbol in ["ABUSDT", #"AB\"DT"#, #"AB\nDT"#, "AB\u{e9}DT", "AB@SDT", "AB\"SDT"] {
                check.check(Array(#"{"stream":"abusdt@depth@100ms","data":\#(update)}"#.utf8), .spot)
                let other = update.replacing("ABUSDT", with: symbol)
                check.check(Array(#"{"stream":"\#(name)\#(speed)","data":\#(other)}"#.utf8), .spot)
                check.check(Array(other.utf8), .spot)
            }
        }
    }
    #expect(check.wrong == [])
}

/// Names that a stream of updates might have, with the same lengths: only where the first `@` stands tells.
@Test(
    "Another kind of stream behind the first @ of a name",
    arguments: [
        ("abcdusdt@depth@100ms", "a@depth5@depth@100ms"), ("abcusdt@depth", "@depth5@depth"),
        ("abcdefusdt@depth@100ms", "a@rpiDepth@depth@100ms"), ("abcdeusdt@depth", "@rpiDepth@depth"),
    ])
func kindsBehindTheFirstAtSign(known: String, hostile: String) {
    var check = FrontCheck()
    for name in [known, hostile, known, hostile] {
        let update =
            #"{"e":"depthUpdate","E":1722902400123,"s":"ABUSDT","U":99,"u":101,"b":[["1.00","2.00"]],"a":[]}"#
        check.check(Array(#"{"stream":"\#(name)","data":\#(update)}"#.utf8), .spot)
    }
    #expect(check.wrong == [])
    #expect(check.delivered >= 2)
}

@Test("The first level shows the decimals, whatever the message before had")
func decimalsOfTheMessageBefore() {
    var check = FrontCheck()
    let levels = [
        #"["1.00","2.000"]"#, #"["1.00","0"]"#, #"["1.00","0.000"]"#, #"["1","2"]"#, #"["10","0"]"#,
        #"["1.0","2.000"]"#, #"["1.00","12345678901234.5"]"#, #"["123456789012.34","1"]"#,
    ]
    for first in levels {
        for second in levels {
            for third in levels {
                for (bids, asks) in [
                    (first, ""), ("", second), (second, third), ("\(second),\(third)", first),
                ] {
                    let update =
                        #"{"e":"depthUpdate","E":1722902400123,"s":"ABUSDT","U":99,"u":101,"b":[\#(bids)],"a":[\#(asks)]}"#
                    check.check(Array(#"{"stream":"abusdt@depth","data":\#(update)}"#.utf8), .spot)
                }
            }
        }
    }
    #expect(check.wrong == [])
}
