// Whose message it is: the two names of one that can be read, and the candidates of one that cannot.

import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

@Suite struct MessageNamesTests {
    /// Random names and single damages, against the rule in its plainest form.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func twoNamesAreComparedAsTheNaiveRuleDoes(_ seed: UInt64)
    {
        var random = SeededRandom(seed: seed)
        let alphabet = Array("ABCDXYZUSDT0189_-.币é".unicodeScalars)
        var (same, different) = (0, 0)
        for _ in 0..<20_000 {
            let count = 1 + random.below(random.below(4) == 0 ? 20 : 14)
            var text = ""
            for _ in 0..<count { text.unicodeScalars.append(alphabet[random.below(alphabet.count)]) }
            guard let symbol = SymbolName(text) else { continue }
            var stream = Array((symbol.lowercasedASCII + "@depth").utf8)
            if random.below(3) > 0 {
                let place = random.below(stream.count)
                switch random.below(4) {
                case 0: stream[place] ^= UInt8(1 << random.below(8))
                case 1: stream.remove(at: place)
                case 2: stream.insert(stream[random.below(stream.count)], at: place)
                default: if case 0x61...0x7A = stream[place] { stream[place] &= 0xDF }
                }
            }
            // With nothing behind the name, and with more than a word of it.
            let message =
                Array("{\"stream\":\"".utf8) + stream
                + (random.below(2) == 0 ? [] : Array(#"","data":{"e":"#.utf8))
            let range = 11..<11 + stream.count
            let found = message.withUnsafeBufferPointer {
                unsafe MessageParser.isMisnamed(symbol, range, $0)
            }
            let expected = Self.isMisnamed(symbol.bytes, stream)
            #expect(
                found == expected, "seed \(seed): \(symbol) in \(String(decoding: stream, as: UTF8.self))")
            if found { different += 1 } else { same += 1 }
        }
        #expect(same > 2_000 && different > 2_000)
        let nothing: [UInt8] = []
        nothing.withUnsafeBufferPointer { #expect(unsafe !MessageParser.isMisnamed("BTCUSDT", nil, $0)) }
    }

    private static func isMisnamed(_ symbol: [UInt8], _ stream: [UInt8]) -> Bool {
        guard let at = stream.firstIndex(of: UInt8(ascii: "@")) else { return stream[0] != UInt8(ascii: "!") }
        return at != symbol.count
            || zip(symbol, stream).contains { a, b in
                a != b && !(a ^ b == 0x20 && a < 0x80)
            }
    }

    @Test(
        "Whose an unreadable message may have been",
        arguments: [
            (
                #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT""#, "BTCUSDT", "-",
                true
            ),
            (
                #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"ETHUSDT""#, "BTCUSDT",
                "ETHUSDT", true
            ),
            (#"{"stream":"btcusdt~depth","data":{"s":"BTCUSDT","U":1"#, "BTCUSDT~DEPTH", "BTCUSDT", true),
            (#"{"stream":"@depth","data":{"s":"BTCUSDT","U":1"#, "BTCUSDT", "-", true),
            (#"{"strxam":"btcusdt@depth","data":{"s":"BTCUSDT","U":1"#, "BTCUSDT", "-", true),
            (#"{"e":"depthUpdate","s":"BTCUSDT","U":1"#, "BTCUSDT", "-", true),
            (#"{"stream":"btcusdt@depth@1"#, "-", "-", true),
            (#"{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":1"#, "BTCUSDT", "-", false),
            (#"{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"ETHUSDT""#, "BTCUSDT", "ETHUSDT", false),
            (#"{"stream":"btcusdt@bookTickex","data":{"u":1,"s":"BTCUSDT""#, "BTCUSDT", "-", true),
            (#"{"stream":"!bookTicker","data":{"u":1,"s":"BTCUSDT""#, "!BOOKTICKER", "BTCUSDT", false),
            (#"{"stream":"!bookTickes","data":{"u":1,"s":"BTCUSDT""#, "!BOOKTICKES", "BTCUSDT", true),
            (#"{"u":1,"s":"BTCUSDT","b":"#, "BTCUSDT", "-", false), ("rubbish", "-", "-", true),
            ("", "-", "-", true),
        ])
    func owners(_ head: String, _ symbol: String, _ other: String, _ mayBeUpdate: Bool) {
        let owner = MessageOwner(Array(head.utf8))
        #expect(owner.symbol?.description ?? "-" == symbol)
        #expect(owner.otherSymbol?.description ?? "-" == other)
        #expect(owner.mayBeUpdate == mayBeUpdate)
    }
}
