// Whatever comes, in whatever order and at whatever time: the engine goes on, its buffers stay within their
// bounds, and no view is live that contradicts itself.

import BinanceVenue
import BookSync
import DepthBook
import LobHandoff
import MarketData
import TestSupport
import Testing

@testable import BookEngine

private let odd: [Int64] = [
    .min, .min + 1, -1, 0, 1, 2, 1 << 53, 1 << 62, .max / 1001, .max / 1000, .max - 1, .max,
]

/// Frames of all kinds out of one seed: mostly such as may come, and odd ones among them.
private struct AnyInput: ~Copyable {
    private var random: SeededRandom
    private let oddPerMille: UInt64
    private let bufferBytesMax = 4096
    private var (nowNs, steadyNs): (Int64, Int64) = (1_700_000_000_000_000_000, 1)
    private var id: Int64 = 100
    var harness: EngineHarness

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        oddPerMille = [0, 20, 200, 500][Int(seed % 4)]
        var any = random
        harness = EngineHarness(
            seed / 4 % 2 == 0 ? .spot : .usdm, symbols: seed / 8 % 4 == 0 ? [] : ["AUSDT", "BUSDT"]
        ) { configuration in
            configuration.bufferBytesMax = 4096
            configuration.bufferSumBytesMax = 6000
            configuration.symbolCountMax = 3
            configuration.levelCountMax = 8
            configuration.addsUnknownSymbols = seed / 16 % 2 == 0
            configuration.requestsAreAnnounced = seed / 32 % 2 == 0
            configuration.provenLevelCountMin = 3
            configuration.auditEveryNs = 20_000_000_000
            configuration.statusEveryNs = 1_000_000_000
            if seed / 64 % 2 == 0 { return }
            let times: [WritableKeyPath<EngineConfiguration, Int64>] = [
                \.auditEveryNs, \.aheadNsMin, \.aheadNsMax, \.snapshotAheadNsMax, \.doubtNsMin,
                \.idsPerSecondMax, \.firstEventNsMax, \.silenceNsMin, \.silenceNsMax, \.lagNsMax,
                \.statusEveryNs,
            ]
            let time = times[Int(any.next() % UInt64(times.count))]
            configuration[keyPath: time] = odd[Int(any.next() % UInt64(odd.count))]
        }
    }

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
    private mutating func isOdd() -> Bool { random.next() % 1000 < oddPerMille }
    private mutating func oddValue() -> Int64 { odd[below(odd.count)] }
    private mutating func anID() -> Int64 { isOdd() ? oddValue() : id + Int64(below(4)) - 1 }

    private mutating func levels() -> String {
        let texts = (0..<below(4)).map { _ in
            let price =
                isOdd()
                ? ["0", "9223372036854775807", "1e5", "-1", "0.123456789"][below(5)] : "\(1 + below(30))"
            return "[\"\(price).0\",\"\(below(3)).0\"]"
        }
        return "[\(texts.joined(separator: ","))]"
    }

    private mutating func message() -> [UInt8] {
        let symbol = ["AUSDT", "BUSDT", "CUSDT", "DUSDT"][isOdd() ? below(4) : below(2)]
        let timeMs = isOdd() ? oddValue() : nowNs / 1_000_000
        var text: String
        switch below(8) {
        case 0:
            text =
                "{\"u\":\(anID()),\"s\":\"\(symbol)\",\"b\":\"9.0\",\"B\":\"1.0\","
                + "\"a\":\"12.0\",\"A\":\"1.0\"}"
        case 1:
            text =
                "{\"stream\":\"\(symbol.lowercased())@depth5\",\"data\":{\"lastUpdateId\":\(anID()),"
                + "\"bids\":\(levels()),\"asks\":\(levels())}}"
        default:
            let first = anID()
            if !isOdd() { id += 1 }
            text =
                "{\"e\":\"depthUpdate\",\"E\":\(timeMs),\"T\":\(timeMs),\"s\":\"\(symbol)\",\"U\":\(first),"
                + "\"u\":\(anID()),\"pu\":\(anID()),\"b\":\(levels()),\"a\":\(levels())}"
        }
        if isOdd() { text.removeLast(below(text.count)) }
        return Array(text.utf8)
    }

    private mutating func envelope(_ body: String) -> [UInt8] {
        let symbol = SymbolName(["AUSDT", "BUSDT", "CUSDT"][below(isOdd() ? 3 : 2)])!
        let limit = [0, 1, 2, 5, 5000, .max][below(6)]
        let bytes = SnapshotEnvelope(symbol: symbol, limit: limit).bytes + Array(body.utf8)
        return isOdd() ? Array(bytes.prefix(below(bytes.count))) : bytes
    }

    /// The next frame.
    mutating func step() {
        nowNs = isOdd() ? oddValue() : nowNs &+ Int64(below(400_000_000))
        steadyNs = isOdd() ? oddValue() : steadyNs &+ Int64(below(400_000_000))
        harness.nowNs = nowNs
        let source = UInt16(isOdd() ? below(5) : 1)
        switch below(40) {
        case 0: harness.frame(.connected, source: source)
        case 1: harness.frame([FrameKind.disconnected, .retired][below(2)], source: source)
        case 2:
            harness.frame(
                [FrameKind.dropped, .resubscribed][below(2)], Array(message().prefix(below(80))),
                source: source)
        case 3: harness.frame([FrameKind.snapshotRequested, .snapshotFailed][below(2)], envelope(""))
        case 4...7:
            harness.frame(
                .depthSnapshot,
                envelope("{\"lastUpdateId\":\(anID()),\"bids\":\(levels()),\"asks\":\(levels())}"))
        case 8...15: harness.tick(wallNs: nowNs, monotonicNs: steadyNs)
        case 16: harness.frame(.tick, [UInt8](repeating: 255, count: below(12)))
        default: harness.frame(.message, message(), source: source)
        }
    }
}

@Suite struct EngineAnyInputTests {
    @Test(arguments: 0..<128 as Range<UInt64>) func goesOn(_ seed: UInt64) {
        var input = AnyInput(seed: seed)
        for _ in 0..<600 {
            input.step()
            if seed % 2 == 0 { _ = input.harness.requests() }
            input.expectSound(seed)
        }
    }
}

extension AnyInput {
    /// What holds of every book at any time.
    fileprivate mutating func expectSound(_ seed: UInt64) {
        var bufferedBytes = 0
        for symbol in harness.engine.symbols {
            let status = harness.engine.status(symbol)!
            bufferedBytes += status.bufferedBytes
            let isSound = harness.engine.withBook(symbol) { book in
                status.state != .live
                    || (!book.isCrossed && book.hasProvenBest(.bid) && book.hasProvenBest(.ask))
            }
            #expect(isSound == true, "seed \(seed)")
        }
        #expect(bufferedBytes <= 6000, "seed \(seed)")
        #expect(harness.engine.symbols.count <= 3)
    }
}
