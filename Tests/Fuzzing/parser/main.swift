// A fuzzer of the message parser under AddressSanitizer. Each input is parsed three times: with kernel and
// 128 poisoned bytes behind it, with kernel in memory that ends with the message, and by the scalar reader
// alone. The three must agree in everything, errors and offsets included.
//
//     LOB_FUZZ=1 swift build -c release --product fuzz-parser --disable-default-traits --scratch-path
//     .build-fuzz SWIFT_BACKTRACE=enable=no .build-fuzz/release/fuzz-parser CORPUS -max_total_time=300
//     -max_len=4096
//
// CORPUS is a folder of messages, one a file; without one the fuzzer starts from a few built-in messages.
//
// SAFETY: each copy is freed where it was made; the driver calls back on one thread.
import CFuzzer
import MarketData

@testable import BinanceVenue

/// The three parsers, kept from input to input as a connection keeps one.
struct Parsers: ~Copyable {
    var roomy = MessageParser(levelCapacity: 4, usesKernel: true)
    var tight = MessageParser(levelCapacity: 4, usesKernel: true)
    var scalar = MessageParser(levelCapacity: 4, usesKernel: false)

    mutating func agree(_ message: UnsafeBufferPointer<UInt8>, _ market: Market) {
        let a = Parsers.parse(&roomy, message, market, after: 128)
        let b = Parsers.parse(&tight, message, market, after: 0)
        let c = Parsers.parse(&scalar, message, market, after: 16)
        precondition(a == b && b == c, "outcomes differ")
        guard case .success(let kind) = a else { return }
        precondition(
            Parsers.same(roomy, tight, kind) && Parsers.same(tight, scalar, kind), "contents differ")
    }

    private static func parse(
        _ parser: inout MessageParser, _ message: UnsafeBufferPointer<UInt8>, _ market: Market, after: Int
    ) -> Result<MessageKind, ParseError> {
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: message.count + after + 1)
        defer { copy.deallocate() }
        // One byte further: an empty message has an address too, and AddressSanitizer guards what follows.
        let start = copy + 1
        if let bytes = message.baseAddress { start.update(from: bytes, count: message.count) }
        let poison = Array(#"1.0"],["2.0","3.0"]]}}"#.utf8)
        for index in 0..<after { start[message.count + index] = poison[index % poison.count] }
        do throws(ParseError) {
            let bytes = UnsafeBufferPointer(start: start, count: message.count)
            return .success(try parser.parse(bytes, market: market, readableAfter: after))
        } catch {
            return .failure(error)
        }
    }

    private static func same(
        _ a: borrowing MessageParser, _ b: borrowing MessageParser, _ kind: MessageKind
    ) -> Bool {
        if a.stream != b.stream { return false }
        switch kind {
        case .depthUpdate:
            return a.update.symbol == b.update.symbol && a.update.first == b.update.first
                && a.update.last == b.update.last && a.update.previousLast == b.update.previousLast
                && a.update.eventTimeUs == b.update.eventTimeUs
                && a.update.transactionTimeUs == b.update.transactionTimeUs
                && a.update.scales == b.update.scales && a.update.extras == b.update.extras
                && same(a.update.bids, b.update.bids) && same(a.update.asks, b.update.asks)
        case .partialDepth, .depthSnapshot:
            return a.snapshot.symbol == b.snapshot.symbol
                && a.snapshot.lastUpdateID == b.snapshot.lastUpdateID
                && a.snapshot.eventTimeUs == b.snapshot.eventTimeUs
                && a.snapshot.transactionTimeUs == b.snapshot.transactionTimeUs
                && a.snapshot.scales == b.snapshot.scales && same(a.snapshot.bids, b.snapshot.bids)
                && same(a.snapshot.asks, b.snapshot.asks)
        case .bookTicker:
            return a.ticker.symbol == b.ticker.symbol && a.ticker.updateID == b.ticker.updateID
                && a.ticker.eventTimeUs == b.ticker.eventTimeUs && a.ticker.scales == b.ticker.scales
                && a.ticker.transactionTimeUs == b.ticker.transactionTimeUs && a.ticker.bid == b.ticker.bid
                && a.ticker.ask == b.ticker.ask
        case .serverShutdown, .other: return true
        }
    }

    private static func same(_ a: borrowing LevelBuffer, _ b: borrowing LevelBuffer) -> Bool {
        a.count == b.count && (0..<a.count).allSatisfy { a.base[$0] == b.base[$0] }
    }
}

nonisolated(unsafe) var parsers = Parsers()

var argumentCount = CommandLine.argc
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = CommandLine.unsafeArgv
_ = LLVMFuzzerRunDriver(&argumentCount, &arguments) { data, length in
    let message = UnsafeBufferPointer(start: data, count: length)
    // Every market reads every input: what one of them needs another one ignores.
    for market in Market.allCases { parsers.agree(message, market) }
    return 0
}
