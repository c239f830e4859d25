// What every parser test needs: a result that can be compared, and memory that faults on the first byte read
// beyond what the parser was allowed.

import Foundation
import MarketData

@testable import BinanceDepth

/// Everything a parse left behind, in values.
struct Parsed: Equatable {
    var kind: MessageKind
    var stream: String?
    var symbol = ""
    var ids: [Int64] = []
    var eventTimeUs: Int64 = 0
    var transactionTimeUs: Int64 = 0
    var scales: SymbolScales?
    var bids: [PriceLevel] = []
    var asks: [PriceLevel] = []
    var reply: ControlReply?
}

enum Outcome: Equatable, CustomStringConvertible {
    case parsed(Parsed)
    case refused(ParseError)

    var parsed: Parsed? { if case .parsed(let parsed) = self { parsed } else { nil } }
    var refusal: ParseError? { if case .refused(let error) = self { error } else { nil } }

    var description: String {
        switch self {
        case .parsed(let parsed): "\(parsed)"
        case .refused(let error): "refused: \(error)"
        }
    }
}

/// Pages with a page behind them that may not be touched; a message is put flush against it.
final class GuardedMemory {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int
    private let pageBytes = Int(getpagesize())

    init(byteCount wanted: Int) {
        byteCount = (wanted + pageBytes - 1) / pageBytes * pageBytes
        base = mmap(
            nil, byteCount + pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
        precondition(base != MAP_FAILED && mprotect(base + byteCount, pageBytes, PROT_NONE) == 0)
    }

    deinit { munmap(base, byteCount + pageBytes) }

    /// The place of a message that may be followed by `after` readable bytes, here filled with `poison`.
    func place(_ message: [UInt8], after: Int, poison: [UInt8]) -> UnsafeMutableBufferPointer<UInt8> {
        precondition(message.count + after <= byteCount)
        let start = (base + byteCount - after - message.count).assumingMemoryBound(to: UInt8.self)
        message.withUnsafeBufferPointer {
            start.update(from: $0.baseAddress ?? UnsafePointer(start), count: $0.count)
        }
        for index in 0..<after { start[message.count + index] = poison[index % poison.count] }
        return UnsafeMutableBufferPointer(start: start, count: message.count)
    }
}

/// A parser and its guarded memory.
struct ParserUnderTest: ~Copyable {
    var parser: MessageParser
    let memory: GuardedMemory
    let after: Int
    let poison: [UInt8]

    init(
        after: Int = 128, usesKernel: Bool = true, byteCount: Int = 1 << 16,
        poison: String = #"1.0"],["2.0","3.0"],["4.0","5.0"]]}}"#
    ) {
        parser = MessageParser(levelCapacity: 4, usesKernel: usesKernel)
        memory = GuardedMemory(byteCount: byteCount)
        self.after = after
        self.poison = Array(poison.utf8)
    }

    mutating func parse(_ message: [UInt8], _ market: Market) -> Outcome {
        parse(memory.place(message, after: after, poison: poison), market)
    }

    mutating func parse(_ text: String, _ market: Market = .spot) -> Outcome {
        parse(Array(text.utf8), market)
    }

    mutating func parse(_ message: UnsafeMutableBufferPointer<UInt8>, _ market: Market) -> Outcome {
        do throws(ParseError) {
            let bytes = UnsafeBufferPointer(message)
            let kind = try parser.parse(bytes, market: market, readableAfter: after)
            return .parsed(contents(kind, bytes))
        } catch {
            precondition(parser.update.last.value == 0 && parser.update.levelCount == 0)
            precondition(parser.snapshot.lastUpdateID.value == 0 && parser.snapshot.bids.count == 0)
            precondition(parser.ticker.updateID.value == 0 && parser.stream == nil)
            return .refused(error)
        }
    }

    mutating func parseSnapshot(_ text: String) -> Outcome {
        let bytes = UnsafeBufferPointer(memory.place(Array(text.utf8), after: after, poison: poison))
        do throws(ParseError) {
            try parser.parseSnapshot(bytes, readableAfter: after)
            return .parsed(contents(.depthSnapshot, bytes))
        } catch {
            return .refused(error)
        }
    }

    private borrowing func contents(_ kind: MessageKind, _ message: UnsafeBufferPointer<UInt8>) -> Parsed {
        var parsed = Parsed(kind: kind)
        parsed.stream = parser.stream.map { String(decoding: message[$0], as: UTF8.self) }
        switch kind {
        case .depthUpdate:
            parsed.symbol = parser.update.symbol.description
            parsed.ids = [parser.update.first.value, parser.update.last.value]
            if let previous = parser.update.previousLast { parsed.ids.append(previous.value) }
            parsed.eventTimeUs = parser.update.eventTimeUs
            parsed.transactionTimeUs = parser.update.transactionTimeUs
            parsed.scales = parser.update.scales
            parsed.bids = parser.update.bids.array()
            parsed.asks = parser.update.asks.array()
        case .partialDepth, .depthSnapshot:
            parsed.symbol = parser.snapshot.symbol.description
            parsed.ids = [parser.snapshot.lastUpdateID.value]
            parsed.eventTimeUs = parser.snapshot.eventTimeUs
            parsed.transactionTimeUs = parser.snapshot.transactionTimeUs
            parsed.scales = parser.snapshot.scales
            parsed.bids = parser.snapshot.bids.array()
            parsed.asks = parser.snapshot.asks.array()
        case .bookTicker:
            parsed.symbol = parser.ticker.symbol.description
            parsed.ids = [parser.ticker.updateID.value]
            parsed.eventTimeUs = parser.ticker.eventTimeUs
            parsed.transactionTimeUs = parser.ticker.transactionTimeUs
            parsed.scales = parser.ticker.scales
            parsed.bids = [parser.ticker.bid]
            parsed.asks = [parser.ticker.ask]
        case .controlReply, .errorReply: parsed.reply = parser.reply
        case .serverShutdown, .other: break
        }
        return parsed
    }
}

/// Real and composed messages, one or more of each kind and market, short enough to try every change of them.
enum Frames {
    static let spotDiff =
        #"{"stream":"nexousdt@depth@100ms","data":{"e":"depthUpdate","E":1721749183710,"s":"NEXOUSDT","U":134180600,"u":134180602,"b":[["1.18800000","169.66000000"]],"a":[["1.21600000","0.00000000"],["1.21700000","3859.93000000"]]}}"#
    static let usdmDiff =
        #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1789469123020,"T":1789469122959,"s":"BTCUSDT","ps":"BTCUSDT","U":429012285135,"u":429012285724,"pu":429012282643,"b":[["73099.90","0.0020"],["76949.90","0.0129"]],"a":[],"st":1}}"#
    static let coinmDiff =
        #"{"e":"depthUpdate","E":1622368000245,"T":1622368000234,"s":"BTCUSD_210625","ps":"BTCUSD","U":127531213607,"u":127531214406,"pu":127531213513,"b":[["35943.8","60"],["35965.2","896"]],"a":[["36038.3","9"],["36038.4","21"]]}"#
    static let spotPartial =
        #"{"stream":"ethusdt@depth20","data":{"lastUpdateId":17044571457,"bids":[["1782.00000000","6.48300000"]],"asks":[["1782.01000000","15.46080000"]]}}"#
    static let usdmPartial =
        #"{"stream":"ethusdt_220624@depth20","data":{"e":"depthUpdate","E":1653864801536,"T":1653864801453,"s":"ETHUSDT_220624","U":1555027694421,"u":1555027698095,"pu":1555027693966,"b":[["1817.59","0.246"]],"a":[["1817.98","0.704"]]}}"#
    static let spotTicker =
        #"{"stream":"btcusdt@bookTicker","data":{"u":100530416204,"s":"BTCUSDT","b":"86704.77000000","B":"4.67811000","a":"86704.78000000","A":"0.73337000"}}"#
    static let usdmTicker =
        #"{"e":"bookTicker","u":429012292786,"s":"BTCUSDT","ps":"BTCUSDT","b":"76949.90","B":"0.0129","a":"76968.30","A":"994.0223","T":1789469123634,"E":1789469123635,"st":1}"#
    static let coinmTicker =
        #"{"stream":"btcusd_perp@bookTicker","data":{"u":1007198632021,"e":"bookTicker","s":"BTCUSD_PERP","ps":"BTCUSD","b":"61804.7","B":"35","a":"61804.8","A":"1645","T":1723161257465,"E":1723161257476}}"#
    static let coinmRest =
        #"{"lastUpdateId":1007198635033,"E":1723161257835,"T":1723161257823,"symbol":"BTCUSD_PERP","pair":"BTCUSD","bids":[["61804.7","35"],["61802.0","8"]],"asks":[["61804.8","1645"]]}"#
    static let oldDiff =
        #"{"e":"depthUpdate","E":1508460865901,"s":"ETHBTC","U":17570121,"u":17570130,"b":[["0.05383600","0.00000000",[]],["0.05382000","10.10900000",[]]],"a":[]}"#
    static let apiResult =
        #"{"id":"d1","status":200,"result":{"lastUpdateId":7010,"bids":[["812.10","3.4120"]],"asks":[]},"rateLimits":[{"limit":6000}]}"#
    static let error = #"{"error":{"code":2,"msg":"Invalid request: \"x\"","data":"x@trade"},"id":-1}"#
    static let shutdown = #"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1790000000000}}"#
    static let trade =
        #"{"e":"trade","E":1790000000100,"s":"BNBUSDT","t":91,"p":"812.10000000","q":"0.5","m":true,"M":true}"#

    static let all: [(text: String, market: Market)] = [
        (spotDiff, .spot), (usdmDiff, .usdm), (coinmDiff, .coinm), (spotPartial, .spot), (usdmPartial, .usdm),
        (spotTicker, .spot), (usdmTicker, .usdm), (coinmTicker, .coinm), (coinmRest, .coinm),
        (oldDiff, .spot),
        (apiResult, .spot), (error, .spot), (shutdown, .spot), (trade, .spot),
    ]
}
