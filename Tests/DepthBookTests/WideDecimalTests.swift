import DepthBook
import TestSupport
import Testing

@Suite struct WideDecimalTests {
    @Test(
        arguments: [
            ("0", 0, 0, "0"), ("0", 3, 0, "0.000"), ("12.5", 1, 125, "12.5"), ("12.5", 3, 12_500, "12.500"),
            ("0.001", 3, 1, "0.001"), ("7.5000", 1, 75, "7.5"), ("00.10", 2, 10, "0.10"),
        ] as [(String, Int, Int128, String)])
    func texts(_ text: String, _ decimals: Int, _ mantissa: Int128, _ printed: String) {
        let decimal = WideDecimal(text, decimals: decimals)
        #expect(decimal?.mantissa == mantissa)
        #expect(decimal.map { "\($0)" } == printed)
    }

    @Test(arguments: ["", ".", "1.", ".5", "-1", "+1", "1e3", "1.2.3", " 1", "1 ", "٣", "1.001"])
    func noDecimals(_ text: String) { #expect(WideDecimal(text, decimals: 2) == nil) }

    @Test func greatOnesAndNegativeOnes() {
        #expect("\(WideDecimal(-5, decimals: 2))" == "-0.05")
        #expect("\(WideDecimal(.min, decimals: 0))" == "-170141183460469231731687303715884105728")
        #expect(WideDecimal("170141183460469231731687303715884105727", decimals: 0)?.mantissa == .max)
        #expect(WideDecimal("170141183460469231731687303715884105728", decimals: 0) == nil)
        #expect(WideDecimal("17014118346046923173168730371588410573", decimals: 1) == nil)
    }

    @Test func everyDecimalIsReadAsItIsPrinted() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<500 {
            let mantissa = Int128(random.next()) * Int128(random.below(1 << 30))
            let decimal = WideDecimal(mantissa, decimals: random.below(39))
            #expect(WideDecimal("\(decimal)", decimals: decimal.decimals) == decimal)
        }
    }
}
