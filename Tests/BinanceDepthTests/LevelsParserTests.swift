// The kernel against the scalar reader: every combination of decimals and lengths, mixed with everything that the
// kernel must leave alone.

import MarketData
import TestSupport
import Testing

@testable import BinanceDepth

/// Writes level arrays as the venue might, or nearly so.
private struct LevelWriter {
    var random: SeededRandom
    var priceDecimals: Int
    var quantityDecimals: Int
    /// Chance that a level is strange, and chance of a number longer than the kernel reads.
    var strangeness = 0.0
    var oddity = 0.05

    /// Up to 18 digits, or 19 if the first one is a zero.
    mutating func number(_ decimals: Int) -> String {
        let digits = max(decimals + 1, 1 + random.below(random.chance(oddity) ? 18 : min(decimals + 7, 16)))
        var text = ""
        for place in 0..<digits {
            let isLeading = place == 0 && digits - decimals > 1
            text += String(isLeading ? 1 + random.below(9) : place == 0 && digits > 18 ? 0 : random.below(10))
            if place == digits - decimals - 1 && decimals > 0 { text += "." }
        }
        return text
    }

    mutating func level() -> String {
        let price = number(priceDecimals)
        let quantity = random.chance(0.2) ? zero() : number(quantityDecimals)
        guard random.chance(strangeness) else { return "[\"\(price)\",\"\(quantity)\"]" }
        switch random.below(12) {
        case 0: return "[ \"\(price)\" , \"\(quantity)\" ]"
        case 1: return "[\"\(price)\",\"\(quantity)\",[]]"
        case 2: return "[\"\(price)\",\"\(quantity)\", [ ] ]\n"
        case 3: return "[\"\(price)\",\"0\"]"
        case 4: return "[\"\(price)\",\"00\"]"
        case 5: return "[\"0\(price)\",\"\(quantity)\"]"
        case 6: return "[\"\(price)0\",\"\(quantity)\"]"
        case 7: return "[\"\(price)\",\"\(quantity)0\"]"
        case 8: return "[\"\(price)\";\"\(quantity)\"]"
        case 9: return "[\"\(price)\"\"\(quantity)\"]"
        case 10: return "[\"\(price)\",\"\(quantity)\"]" + String(repeating: " ", count: random.below(3))
        default: return "[\"0\",\"\(quantity)\"]"
        }
    }

    private mutating func zero() -> String {
        quantityDecimals == 0 ? "0" : "0." + String(repeating: "0", count: quantityDecimals)
    }

    mutating func array(_ count: Int) -> String {
        "[" + (0..<count).map { _ in level() }.joined(separator: ",") + "]"
    }

    mutating func message() -> String {
        let count = random.chance(0.2) ? random.below(120) : random.below(12)
        return #"{"lastUpdateId":1,"bids":"# + array(count) + #","asks":"# + array(random.below(6)) + "}"
    }
}

@Suite struct LevelsParserTests {
    @Test(arguments: 0...18) func everyPairOfDecimals(priceDecimals: Int) {
        let seed = UInt64(1000 + priceDecimals)
        var kernel = ParserUnderTest(after: 128)
        var tight = ParserUnderTest(after: 0)
        var scalar = ParserUnderTest(after: 128, usesKernel: false)
        var accepted = 0
        for quantityDecimals in 0...18 {
            var writer = LevelWriter(
                random: SeededRandom(seed: seed &* 100 &+ UInt64(quantityDecimals)),
                priceDecimals: priceDecimals, quantityDecimals: quantityDecimals)
            for round in 0..<24 {
                writer.strangeness = round % 3 == 0 ? 0 : 0.02 * Double(round)
                let message = writer.message()
                let expected = scalar.parse(message)
                let isSame = kernel.parse(message) == expected && tight.parse(message) == expected
                #expect(isSame, "decimals \(priceDecimals)/\(quantityDecimals), round \(round): \(message)")
                if expected.parsed != nil { accepted += 1 }
            }
        }
        #expect(accepted > 40, "decimals \(priceDecimals)")
    }

    @Test func everyPairOfLengths() {
        var kernel = ParserUnderTest(after: 128)
        for decimals in [0, 1, 3, 8] {
            for price in 1...(18 - decimals) {
                for quantity in 1...(19 - decimals) {
                    let first = number(integers: price, decimals, digit: 7)
                    let second = number(integers: quantity, decimals, digit: 1)
                    let level = "[\"\(first)\",\"\(second)\"]"
                    // Steady, then another length, then steady again.
                    let levels = [
                        level, level, level, "[\"\(first)\",\"\(number(integers: 1, decimals, digit: 3))\"]",
                        level,
                    ]
                    let text =
                        #"{"lastUpdateId":1,"bids":["# + levels.joined(separator: ",") + #"],"asks":[]}"#
                    let expected = PriceLevel(
                        Int64(first.filter { $0 != "." })!, Int64(second.filter { $0 != "." })!)
                    let parsed = kernel.parse(text).parsed
                    #expect(
                        parsed?.bids.count == 5 && parsed?.bids.first == expected
                            && parsed?.bids.last == expected)
                }
            }
        }
    }

    private func number(integers: Int, _ decimals: Int, digit: Int) -> String {
        let text = String(repeating: String(digit), count: integers)
        return decimals == 0 ? text : text + "." + String(repeating: "9", count: decimals)
    }

    @Test func everyDigitInEveryPlace() {
        var kernel = ParserUnderTest(after: 128)
        for length in 1...16 {
            for place in 0..<length {
                for digit in (length > 1 && place == 0 ? 1 : 0)...9 {
                    var digits = Array(repeating: 1, count: length)
                    digits[place] = digit
                    let text = digits.map(String.init).joined()
                    let price = String(
                        text.suffix(15).drop { $0 == "0" }.isEmpty ? "1" : text.suffix(15).drop { $0 == "0" })
                    let level = "[\"\(price)\",\"\(text)\"]"
                    let message =
                        #"{"lastUpdateId":1,"bids":["# + "\(level),\(level),\(level)" + #"],"asks":[]}"#
                    let expected = PriceLevel(Int64(price)!, Int64(text)!)
                    #expect(
                        kernel.parse(message).parsed?.bids == [expected, expected, expected], "\(message)")
                }
            }
        }
    }

    @Test func aSnapshotOfFiveThousandLevelsASide() {
        var writer = LevelWriter(
            random: SeededRandom(seed: 7), priceDecimals: 8, quantityDecimals: 8)
        let message =
            #"{"lastUpdateId":1,"bids":"# + writer.array(5000) + #","asks":"# + writer.array(5000) + "}"
        var kernel = ParserUnderTest(after: 128, byteCount: 1 << 20)
        var scalar = ParserUnderTest(after: 0, usesKernel: false, byteCount: 1 << 20)
        let outcome = kernel.parse(message)
        #expect(outcome.parsed?.bids.count == 5000 && outcome.parsed?.asks.count == 5000)
        #expect(outcome == scalar.parse(message))
    }
}
