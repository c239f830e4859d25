import Foundation
import MarketData
import TestSupport
import Testing

/// The text of a decimal, by padding digits.
private func naiveText(_ mantissa: Int64, _ decimals: Int) -> String {
    var digits = String(mantissa.magnitude)
    digits = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
    let text = decimals == 0 ? digits : digits.dropLast(decimals) + "." + digits.suffix(decimals)
    return (mantissa < 0 ? "-" : "") + text
}

private let edges: [Int64] =
    [0, 1, 9, 10, 99, .max, .max - 1]
    + (1...18).flatMap { power -> [Int64] in
        let ten = (0..<power).reduce(Int64(1)) { product, _ in product * 10 }
        return [ten - 1, ten, ten + 1]
    }

@Suite struct DecimalTextTests {
    /// The number nearest to the text, which `Double` reads for itself.
    @Test func floatingPoint() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            let decimals = Int(random.next() % 19)
            let scales = SymbolScales(priceDecimals: decimals, quantityDecimals: decimals)
            let price = Price(Int64(random.next() >> (11 + random.next() % 40)))
            let quantity = Quantity(Int64(random.next() >> 1))
            #expect(scales.double(price) == Double(scales.text(price)))
            let nearest = Double(scales.text(quantity))!
            #expect(abs(scales.double(quantity) - nearest) <= nearest.ulp)
        }
    }

    @Test func thereAndBackForAllDecimals() throws {
        for decimals in 0...18 {
            let scales = SymbolScales(priceDecimals: decimals, quantityDecimals: 18 - decimals)
            for edge in edges {
                let text = decimalText(mantissa: edge, decimals: decimals)
                #expect(text == naiveText(edge, decimals))
                #expect(try mantissa(text, decimals: decimals) == edge)
                #expect(scales.text(Price(edge)) == text)
                let quantity = scales.text(Quantity(edge))
                #expect(quantity == naiveText(edge, 18 - decimals))
                #expect(try scales.quantity(quantity) == Quantity(edge))
            }
        }
    }

    @Test func writtenBytesAndNothingElse() {
        var random = SeededRandom(seed: 8)
        for round in 0..<20_000 {
            let value = Int64(random.next() &>> UInt64(1 + random.below(63)))
            let decimals = round % 19
            var bytes = [UInt8](repeating: 0xAA, count: 22)
            let length = writeDecimal(value, decimals: decimals, to: &bytes)
            let isRight = String(decoding: bytes[..<length], as: UTF8.self) == naiveText(value, decimals)
            if !isRight || length > 20 || !bytes[length...].allSatisfy({ $0 == 0xAA }) {
                Issue.record("seed 8: \(value) with \(decimals) decimals: \(bytes), length \(length)")
            }
        }
    }

    /// Against an implementation that shares nothing with this package.
    @Test func agreesWithFoundation() throws {
        var random = SeededRandom(seed: 9)
        for _ in 0..<500 {
            let value = Int64(random.next() &>> UInt64(1 + random.below(63)))
            let decimals = random.below(19)
            let ours = try #require(Decimal(string: decimalText(mantissa: value, decimals: decimals)))
            let significand = try #require(Decimal(string: String(value)))
            #expect(ours == Decimal(sign: .plus, exponent: -decimals, significand: significand))
        }
    }

    @Test func negativesAreForPeople() {
        #expect(decimalText(mantissa: -5, decimals: 2) == "-0.05")
        #expect(decimalText(mantissa: .min, decimals: 8) == "-92233720368.54775808")
        #expect(throws: DecimalError.digitExpected) { try mantissa("-0.05", decimals: 2) }
    }

    @Test func paddedAndShortened() throws {
        let cases: [(String, Int, Int64)] = [
            ("1", 2, 100), ("1.5", 2, 150), ("1.50", 1, 15), ("1.500000", 1, 15), ("0", 18, 0), ("0.0", 0, 0),
            ("92233720368.54775807", 8, .max), ("92233720368.5", 8, 9_223_372_036_850_000_000),
        ]
        for (text, decimals, wanted) in cases {
            #expect(try mantissa(text, decimals: decimals) == wanted, "\(text)")
        }
        for (text, decimals) in [
            ("1.05", 1), ("0.001", 2), ("92233720368.6", 8), ("10", 18), ("1.000001", 0),
        ] {
            #expect(throws: DecimalError.overflow, "\(text)") { try mantissa(text, decimals: decimals) }
        }
        let strangers = [
            "", " ", "1 ", " 1", "1.", ".1", "1..2", "1.2.3", "-1", "+1", "1e5", "0x10", "NaN", "１", "1,5",
        ]
        for text in strangers {
            #expect(throws: DecimalError.digitExpected, "\(text)") { try mantissa(text, decimals: 8) }
        }
        for text in ["01", "00", "00.1"] {
            #expect(throws: DecimalError.leadingZero, "\(text)") { try mantissa(text, decimals: 8) }
        }
    }

    @Test func pricesAndQuantitiesOfASymbol() throws {
        let scales = SymbolScales(priceDecimals: 2, quantityDecimals: 8)
        #expect(try scales.price("61803.4") == Price(6_180_340))
        #expect(try scales.quantity("0.5") == Quantity(50_000_000))
        #expect(try scales.quantity("92233720368.54775807") == Quantity(.max))
        #expect(scales.text(Price(6_180_340)) == "61803.40")
        #expect(scales.text(Quantity(.max)) == "92233720368.54775807")
        #expect(throws: DecimalError.overflow) { try scales.price("0.001") }
        #expect(throws: DecimalError.leadingZero) { try scales.price("00.1") }
        // A price has at most 18 digits, a quantity may be any Int64.
        #expect(try scales.price("9999999999999999.99") == Price(Price.mantissaMax))
        #expect(throws: DecimalError.overflow) { try scales.price("10000000000000000.00") }
    }
}
