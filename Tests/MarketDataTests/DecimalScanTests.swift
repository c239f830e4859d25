import MarketData
import TestSupport
import Testing

/// What reading a number from the front of a text gives.
private enum Scan: Equatable, CustomStringConvertible {
    case number(Int64, decimals: Int, length: Int)
    case failure(DecimalError, at: Int)

    var description: String {
        switch self {
        case .number(let mantissa, let decimals, let length): "\(mantissa)e-\(decimals) in \(length)"
        case .failure(let error, let offset): "\(error) at \(offset)"
        }
    }
}

/// The scanner under test, on the first `length` of these bytes; what lies behind must not matter.
private func scan(_ bytes: [UInt8], length: Int? = nil) -> Scan {
    bytes.withUnsafeBufferPointer { run in
        // An empty array has no address to start at.
        guard let start = run.baseAddress else { return scan([0x39], length: 0) }
        var cursor = start
        var decimals = -1
        do throws(DecimalError) {
            let value = try scanDecimal(&cursor, end: start + (length ?? run.count), decimals: &decimals)
            return .number(value, decimals: decimals, length: cursor - start)
        } catch {
            return .failure(error, at: cursor - start)
        }
    }
}

private func scan(_ text: String) -> Scan { scan(Array(text.utf8)) }

/// The grammar once more, by runs of characters and 128-bit arithmetic.
private func naiveScan(_ text: [UInt8]) -> Scan {
    func digits(from start: Int) -> [UInt8] {
        Array(text[min(start, text.count)...].prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
    }
    let whole = digits(from: 0)
    if whole.count > 19 { return .failure(.overflow, at: 19) }
    if whole.isEmpty { return .failure(.digitExpected, at: 0) }
    if whole.count > 1 && whole[0] == UInt8(ascii: "0") { return .failure(.leadingZero, at: 0) }
    var all = whole
    var length = whole.count
    if length < text.count && text[length] == UInt8(ascii: ".") {
        let fraction = digits(from: length + 1)
        if whole.count + fraction.count > 19 { return .failure(.overflow, at: 20) }
        if fraction.isEmpty { return .failure(.digitExpected, at: length + 1) }
        all += fraction
        length += 1 + fraction.count
    }
    let value = all.reduce(Int128(0)) { $0 * 10 + Int128($1 - 48) }
    guard let mantissa = Int64(exactly: value) else { return .failure(.overflow, at: 0) }
    return .number(mantissa, decimals: all.count - whole.count, length: length)
}

@Suite struct DecimalScanTests {
    /// Every text of up to five characters that can stand in or near a number: against the naive scanner for
    /// value and offset, and against a regular expression for which texts are decimals as a whole.
    @Test func everyShortText() throws {
        let alphabet = Array("019.-e ".utf8)
        var texts: [[UInt8]] = [[]]
        var longest = texts
        for _ in 0..<5 {
            longest = longest.flatMap { text in alphabet.map { text + [$0] } }
            texts += longest
        }
        #expect(texts.count == 19_608)
        var decimalCount = 0
        for bytes in texts {
            let found = scan(bytes)
            if found != naiveScan(bytes) { Issue.record("\(bytes): \(found), not \(naiveScan(bytes))") }
            let text = String(decoding: bytes, as: UTF8.self)
            let isDecimal = text.wholeMatch(of: /(0|[1-9][0-9]*)(\.[0-9]+)?/) != nil
            var isAccepted = false
            if case .number(_, _, let length) = found { isAccepted = length == bytes.count }
            if isAccepted != isDecimal { Issue.record("\(text): accepted \(isAccepted)") }
            let value = try? mantissa(text, decimals: 4)
            if (value != nil) != isDecimal { Issue.record("\(text): mantissa \(value ?? -1)") }
            decimalCount += isDecimal ? 1 : 0
        }
        // 3 + 6 + 18 + 54 + 162 without a fraction; 3 × 39 + 6 × 12 + 18 × 3 with one.
        #expect(decimalCount == 243 + 243)
    }

    /// Every byte in front of, inside and behind a number.
    @Test func everyByte() {
        for byte in UInt8.min...UInt8.max {
            for text in [
                [byte], [byte, 0x31], [0x31, byte], [0x31, byte, 0x32], [0x31, 0x2E, byte, 0x32],
            ] {
                #expect(scan(text) == naiveScan(text), "\(text)")
            }
        }
    }

    @Test func overflowEdges() {
        let cases: [(String, Scan)] = [
            ("9223372036854775807", .number(.max, decimals: 0, length: 19)),
            ("9223372036854775808", .failure(.overflow, at: 0)),
            ("9999999999999999999", .failure(.overflow, at: 0)),
            ("1000000000000000000", .number(1_000_000_000_000_000_000, decimals: 0, length: 19)),
            ("10000000000000000000", .failure(.overflow, at: 19)),
            ("0.922337203685477580", .number(922_337_203_685_477_580, decimals: 18, length: 20)),
            ("9.223372036854775807", .number(.max, decimals: 18, length: 20)),
            ("9.223372036854775808", .failure(.overflow, at: 0)),
            ("0.0000000000000000001", .failure(.overflow, at: 20)),
            ("0.000000000000000000", .number(0, decimals: 18, length: 20)),
            ("92233720368.54775807", .number(.max, decimals: 8, length: 20)),
            ("184467440737.09551616", .failure(.overflow, at: 20)),
            ("00000000000000000000", .failure(.overflow, at: 19)),
            ("0000000000000000000", .failure(.leadingZero, at: 0)),
            (String(repeating: "9", count: 40), .failure(.overflow, at: 19)),
            ("1." + String(repeating: "0", count: 40), .failure(.overflow, at: 20)),
            ("NaN", .failure(.digitExpected, at: 0)), ("+1", .failure(.digitExpected, at: 0)),
            ("１", .failure(.digitExpected, at: 0)), ("1_0", .number(1, decimals: 0, length: 1)),
        ]
        for (text, wanted) in cases {
            #expect(scan(text) == wanted, "\(text)")
            #expect(naiveScan(Array(text.utf8)) == wanted, "naive \(text)")
        }
    }

    /// Long texts of digits and points, where the counting of digits is what matters.
    @Test func longTexts() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<20_000 {
            let count = 14 + random.below(12)
            var text = (0..<count).map { _ in UInt8(48 + (random.chance(0.5) ? random.below(10) : 9)) }
            if random.chance(0.8) { text[random.below(count)] = UInt8(ascii: ".") }
            let (found, wanted) = (scan(text), naiveScan(text))
            if found != wanted { Issue.record("seed 3: \(text): \(found), not \(wanted)") }
        }
    }

    /// Bytes behind the end are not part of the number, whatever they are.
    @Test func theEndIsTheEnd() {
        let text = Array("123.4567".utf8)
        for length in 0...text.count {
            #expect(scan(text, length: length) == naiveScan(Array(text[..<length])), "\(length)")
        }
    }
}
