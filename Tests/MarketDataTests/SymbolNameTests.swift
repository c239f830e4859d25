import MarketData
import TestSupport
import Testing

@Suite struct SymbolNameTests {
    private static let names = [
        "", "A", "B", "AB", "BTCUSDT", "BTCUSDT_240927", "BTCUSD_PERP", "btcusdt", "币安人生USDT", "这是测试币456",
        "1000SHIBUSDT", "BTC-240927-60000-C", String(repeating: "X", count: 47),
        String(repeating: "X", count: 46), String(repeating: "X", count: 46) + "Y",
    ]

    @Test func textAndBack() throws {
        for text in SymbolNameTests.names {
            let name = try #require(SymbolName(text))
            #expect(name.description == text)
            #expect(name.length == text.utf8.count)
            #expect(name.isEmpty == text.isEmpty)
            #expect(name.bytes == Array(text.utf8))
        }
        #expect(SymbolName(String()) == SymbolName())
        #expect(MemoryLayout<SymbolName>.size == 48)
    }

    @Test func atMost47Bytes() {
        #expect(SymbolName(String(repeating: "a", count: 47))?.length == 47)
        #expect(SymbolName(String(repeating: "a", count: 48)) == nil)
        // 15 characters of three bytes are 45 bytes, 16 are 48.
        #expect(SymbolName(String(repeating: "币", count: 15))?.length == 45)
        #expect(SymbolName(String(repeating: "币", count: 16)) == nil)
        #expect(SymbolName(UnsafeBufferPointer<UInt8>(start: nil, count: 0)) == SymbolName())
    }

    /// Equality, hashing and order of every pair as those of the bytes.
    @Test func everyPair() throws {
        for a in SymbolNameTests.names {
            for b in SymbolNameTests.names {
                let (x, y) = (try #require(SymbolName(a)), try #require(SymbolName(b)))
                #expect((x == y) == (a == b))
                #expect((x < y) == a.utf8.lexicographicallyPrecedes(b.utf8))
                if a == b { #expect(x.hashValue == y.hashValue && x.quickHash == y.quickHash) }
            }
        }
        #expect(Set(SymbolNameTests.names.map { SymbolName($0) }).count == SymbolNameTests.names.count)
    }

    /// Every single byte of a name counts, a zero byte at its end included.
    @Test func everyByteCounts() {
        for length in 1...47 {
            let bytes = [UInt8](repeating: 0x41, count: length)
            let name = bytes.withUnsafeBufferPointer { SymbolName($0)! }
            for index in 0..<length {
                var other = bytes
                other[index] ^= 0x80
                let changed = other.withUnsafeBufferPointer { SymbolName($0)! }
                #expect(changed != name && changed.quickHash != name.quickHash)
            }
            #expect((bytes + [0]).withUnsafeBufferPointer { SymbolName($0) } != name)
        }
    }

    /// The hash for this package's tables spreads names like the venue's: no bucket of a half-full table is
    /// crowded.
    @Test func quickHashSpreads() {
        var buckets = [Int](repeating: 0, count: 4096)
        var hashes = Set<UInt64>()
        for index in 0..<2048 {
            let base = String(index, radix: 26, uppercase: true)
            let name = SymbolName(base + ["USDT", "BTC", "USD_PERP", "FDUSD"][index % 4])!
            hashes.insert(name.quickHash)
            buckets[Int(name.quickHash % 4096)] += 1
        }
        #expect(hashes.count == 2048)
        #expect(buckets.max()! <= 8)
    }

    @Test func lowercasedASCIIOnly() throws {
        let cases = [
            ("币安人生USDT", "币安人生usdt"), ("BTCUSD_PERP", "btcusd_perp"), ("ÀÉ[Z]@", "ÀÉ[z]@"), ("", ""),
            ("1000SHIBUSDT", "1000shibusdt"),
        ]
        for (text, lowercased) in cases {
            #expect(try #require(SymbolName(text)).lowercasedASCII == lowercased)
        }
    }

    @Test func literals() {
        let name: SymbolName = "币安人生USDT"
        #expect(name == SymbolName(String("币安人生USDT")))
        let longest: SymbolName = "12345678901234567890123456789012345678901234567"
        #expect(longest.length == SymbolName.lengthMax)
    }

    @Test func aLiteralThatIsNoNameEndsTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = SymbolName("") }
        await #expect(processExitsWith: .failure) {
            _ = SymbolName("123456789012345678901234567890123456789012345678")
        }
    }
}
