// Arrays of levels of every width, through the kernel, without it, and through the naive decoder.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// Writes arrays of levels whose numbers look like the venue's, and a few that do not.
private struct LevelWriter {
    var random: SeededRandom
    let priceDecimals: Int
    let quantityDecimals: Int
    /// How many digits numbers have before the point: one width, or one of several at random.
    var priceWidths: ClosedRange<Int>
    var quantityWidths: ClosedRange<Int>
    /// Probability that a level is written in a way the kernel leaves alone.
    var oddness: Double

    mutating func number(_ widths: ClosedRange<Int>, _ decimals: Int) -> String {
        let width = widths.lowerBound + random.below(widths.count)
        var text = width == 1 ? String(random.below(10)) : String(1 + random.below(9))
        for _ in 1..<max(width, 1) { text += String(random.below(10)) }
        if decimals > 0 { text += "." }
        for _ in 0..<decimals { text += String(random.below(10)) }
        return text
    }

    mutating func quantity() -> String {
        switch random.below(12) {
        case 0: "0"
        case 1: decimalText(mantissa: 0, decimals: quantityDecimals)
        default: number(quantityWidths, quantityDecimals)
        }
    }

    mutating func array(count: Int) -> String {
        var rows: [String] = []
        for _ in 0..<count {
            let price = number(priceWidths, priceDecimals)
            let amount = quantity()
            guard random.chance(oddness) else {
                rows.append(#"["\#(price)","\#(amount)"]"#)
                continue
            }
            switch random.below(4) {
            case 0: rows.append(#"["\#(price)","\#(amount)",[]]"#)
            case 1: rows.append(#"[ "\#(price)","\#(amount)"]"#)
            case 2: rows.append(#"["\#(price)", "\#(amount)"] "#)
            default: rows.append(#" ["\#(price)","0.0"]"#)
            }
        }
        return "[" + rows.joined(separator: ",") + "]"
    }
}

private struct KernelCheck: ~Copyable {
    var parser = MessageParser(levelCapacity: 16)
    var scalar = MessageParser(levelCapacity: 16, usesKernel: false)
    let guarded = GuardedRoom(capacity: 1 << 17)
    let poisoned = PoisonedRoom(capacity: 1 << 17)
    var levelCount = 0
    var refused = 0

    /// The same levels as a REST body and as an update, in its wrapper and bare.
    mutating func check(bids: String, asks: String, _ what: @autoclosure () -> String) {
        let update =
            #"{"e":"depthUpdate","E":1722902400123,"s":"ABUSDT","U":99,"u":101,"b":\#(bids),"a":\#(asks)}"#
        check(#"{"lastUpdateId":1,"bids":\#(bids),"asks":\#(asks)}"#, what())
        check(update, what())
        check(#"{"stream":"abusdt@depth@100ms","data":\#(update)}"#, what())
    }

    private mutating func check(_ text: String, _ what: String) {
        let bytes = Array(text.utf8)
        let naive = try? BookContents.naive(bytes, .spot)
        let answer = parser.answer(guarded.place(bytes), .spot)
        let slow = scalar.answer(guarded.place(bytes), .spot)
        let poison = PoisonedRoom.poisons[levelCount % PoisonedRoom.poisons.count]
        let behind = parser.answer(
            UnsafeBufferPointer(poisoned.place(bytes, poison: poison)), .spot, readableAfter: 128)
        levelCount += answer.book.map { $0.bids.count + $0.asks.count } ?? 0
        refused += answer.error == nil ? 0 : 1
        if answer != slow || answer != behind || answer.book != naive {
            Issue.record(
                "\(what): \(text.prefix(2000)): kernel \(answer.error as Any), scalar \(slow.error as Any)")
        }
    }

    /// The message cut anywhere, with the rest of it readable behind the cut.
    mutating func checkCuts(_ text: String, _ market: Market) {
        let bytes = Array(text.utf8)
        for cut in 1...bytes.count {
            let room = guarded.place(bytes)
            let answer = parser.answer(
                UnsafeBufferPointer(rebasing: room[..<cut]), market, readableAfter: bytes.count - cut)
            let slow = scalar.answer(guarded.place(bytes[..<cut]), market)
            if answer != slow { Issue.record("\(text) cut at \(cut): \(answer), scalar \(slow)") }
            refused += answer.error == nil ? 0 : 1
        }
    }
}

@Test("An update cut anywhere, the rest of it behind")
func cutUpdates() {
    var check = KernelCheck()
    var messageCount = 0
    let levels = #"["1297.00","1.500"],["1298.10","0.000"],["13000.00","20.125"]"#
    for (bids, asks) in [(levels, levels), (levels, ""), ("", levels), ("", "")] {
        for (ids, market) in [
            (#""U":99,"u":101"#, Market.spot), (#""U":99,"u":101,"pu":98"#, .usdm),
            (#""U":0,"u":1"#, .spot), (#""U":9007199254740991,"u":9007199254740993"#, .spot),
        ] {
            let update =
                #"{"e":"depthUpdate","E":1722902400123,"s":"ABUSDT",\#(ids),"b":[\#(bids)],"a":[\#(asks)]}"#
            for stream in ["abusdt@depth", "abusdt@depth@0ms", "ab@depth@100ms"] {
                check.checkCuts(#"{"stream":"\#(stream)","data":\#(update)}"#, market)
                messageCount += 1
            }
            check.checkCuts(update, market)
            messageCount += 1
        }
    }
    #expect(check.refused > 100 * messageCount)
}

@Test("All decimals and widths, steady and alternating")
func kernelAgainstScalar() {
    let seed: UInt64 = isStress ? UInt64.random(in: 0 ... .max) : 0x10B
    print("seed \(seed)")
    var random = SeededRandom(seed: seed)
    var check = KernelCheck()
    for _ in 0..<(isStress ? 20 : 1) {
        for priceDecimals in 0...12 {
            for quantityDecimals in 0...12 {
                // Up to 19 digits in all, so some prices are beyond 18 digits and must be refused.
                let priceWidth = 1 + random.below(random.chance(0.1) ? 19 - priceDecimals : 7)
                let quantityWidth = 1 + random.below(random.chance(0.2) ? 19 - quantityDecimals : 8)
                let alternates = random.chance(0.5)
                let longest = random.chance(isStress ? 0.3 : 0.03) ? 301 : 24
                var writer = LevelWriter(
                    random: SeededRandom(seed: random.next()), priceDecimals: priceDecimals,
                    quantityDecimals: quantityDecimals,
                    priceWidths: (alternates ? 1 : priceWidth)...priceWidth,
                    quantityWidths: (alternates ? 1 : quantityWidth)...quantityWidth,
                    oddness: random.chance(0.3) ? 0.1 : 0)
                let bids = writer.array(count: random.below(longest))
                let asks = writer.array(count: random.below(longest))
                check.check(
                    bids: bids, asks: asks, "seed \(seed), decimals \(priceDecimals), \(quantityDecimals)")
            }
        }
    }
    print("\(check.levelCount) levels, \(check.refused) messages refused")
    #expect(check.levelCount > 1000)
    #expect(check.refused < 169 * (isStress ? 20 : 1))
}

@Test("Each number of 1 to 20 digits at each length of array")
func kernelWidths() {
    var check = KernelCheck()
    for digits in 1...20 {
        for decimals in 0..<min(digits, 19) {
            var nines = String(repeating: "9", count: digits)
            if decimals > 0 { nines.insert(".", at: nines.index(nines.endIndex, offsetBy: -decimals)) }
            for count in [1, 2, 5] {
                let prices = Array(repeating: #"["\#(nines)","1"]"#, count: count).joined(separator: ",")
                check.check(bids: "[\(prices)]", asks: "[]", "price \(nines)")
                let quantities = Array(repeating: #"["1","\#(nines)"]"#, count: count).joined(separator: ",")
                check.check(bids: "[]", asks: "[\(quantities)]", "quantity \(nines)")
            }
        }
    }
    #expect(check.refused > 0)
}

@Test("One strange level at each place of an array")
func strangeLevels() {
    let strange = [
        #"["1.00","0"]"#, #"["1.00","0.0"]"#, #"["1.00","2.00",[]]"#, #"["1.0","2.00"]"#, #"["1.00","2.0"]"#,
        #"["1.00","-2.00"]"#, #"["01.00","2.00"]"#, #"["1.00","02.00"]"#, #"["1.00","2.00","3.00"]"#,
        #"["1.00"]"#, "[]", #"["1.00",2.00]"#, #"[1.00,"2.00"]"#, #"["1.00","2.00""#, #""1.00","2.00"]"#,
        #"["1..0","2.00"]"#, #"["1.00","2,00"]"#, #"["",""]"#, #"["1.00",""]"#, #"["1.00","2.00",[1]]"#,
        #"["1.00","2.00",null]"#, #"["1.00","2.00"],"#, #"{"1.00":"2.00"}"#, #"["NaN","2.00"]"#, "null",
        #"["1.00","1e2"]"#, #"["+1.00","2.00"]"#, #"[".100","2.00"]"#, #"["100.","2.00"]"#,
        #"["1234567890123.45","2.00"]"#, #"["1.00","12345678901234567.89"]"#,
        #"["1.00","9223372036854775808"]"#,
        #"["1.00","2.00"]]"#, #"["1.00"."2.00"]"#, #"["1.00";"2.00"]"#, #"["1.00","2.00"]["1.00","2.00"]"#,
    ]
    var check = KernelCheck()
    for (index, odd) in strange.enumerated() {
        for count in isStress ? Array(0...12) : [0, 1, 3, 8] {
            for place in 0...count {
                var rows = Array(repeating: #"["1.00","2.00"]"#, count: count)
                rows.insert(odd, at: place)
                let side = "[" + rows.joined(separator: ",") + "]"
                check.check(
                    bids: side, asks: #"[["1.00","2.00"]]"#, "strange \(index) at \(place) of \(count)")
                check.check(bids: "[]", asks: side, "strange \(index) at \(place) of \(count), asks")
            }
        }
    }
    #expect(check.refused > 0)
}

@Test("Zeros before the first other quantity, in all prints and orders")
func zerosFirst() {
    var check = KernelCheck()
    let quantities = ["0", "0.0", "0.00", "1", "1.0", "1.00"]
    for first in quantities {
        for second in quantities {
            for third in quantities {
                for fourth in quantities {
                    check.check(
                        bids: #"[["5.0","\#(first)"],["4.0","\#(second)"]]"#,
                        asks: #"[["6.0","\#(third)"],["7.0","\#(fourth)"],["8.0","0"],["9.0","0.00"]]"#,
                        "\(first) \(second) \(third) \(fourth)")
                }
            }
        }
    }
    #expect(check.refused == 0)
}
