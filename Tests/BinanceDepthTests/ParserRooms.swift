// Memory for messages in tests, and the parser's answer in a form that can be compared.

import Foundation
import MarketData
import Testing

@testable import BinanceVenue

/// What the parser made of a message.
struct ParserAnswer: Equatable {
    var kind: MessageKind?
    var error: ParseError?
    /// The contents, if the message was about a book.
    var book: BookContents?
    /// Where the parser says the stream name stands.
    var stream: Range<Int>?
}

/// Memory that ends where the message ends: the next byte belongs to a page nobody may read.
final class GuardedRoom {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    init(capacity: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        byteCount = (capacity + page - 1) / page * page
        base = mmap(nil, byteCount + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(base != MAP_FAILED && mprotect(base + byteCount, page, PROT_NONE) == 0)
    }

    deinit { munmap(base, byteCount + Int(sysconf(Int32(_SC_PAGESIZE)))) }

    /// The last `count` bytes before the forbidden page.
    func last(_ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
        let bytes = (base + byteCount - count).bindMemory(to: UInt8.self, capacity: count)
        return UnsafeMutableBufferPointer(start: bytes, count: count)
    }

    /// Puts a message there.
    func place(_ message: some Collection<UInt8>) -> UnsafeBufferPointer<UInt8> {
        let room = last(message.count)
        _ = room.update(fromContentsOf: message)
        return UnsafeBufferPointer(room)
    }
}

/// A message with 128 readable bytes behind it that would change its meaning if anybody believed them.
final class PoisonedRoom {
    static let poisons = [
        "000000000000000000000", "\"\"\"\"\"\"\"\"\"\"\"\"", "]]}}]]}}", "\"],[\"1.00\",\"2.00\"],[",
        ",\"a\":[[\"1.00\",\"2.00\"]]}}", "}}", "\",\"data\":[",
        "\",\"data\":{\"e\":\"depthUpdate\",\"E\":",
    ]
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(capacity: Int) { bytes = .allocate(capacity: capacity + 128) }

    deinit { bytes.deallocate() }

    func place(_ message: some Collection<UInt8>, poison: String) -> UnsafeMutableBufferPointer<UInt8> {
        let text = Array(poison.utf8)
        _ = bytes.update(fromContentsOf: message)
        for index in 0..<128 { bytes[message.count + index] = text[index % text.count] }
        return UnsafeMutableBufferPointer(rebasing: bytes[..<message.count])
    }
}

extension MessageParser {
    /// Parses, and copies out everything there is to compare.
    mutating func answer(
        _ message: UnsafeBufferPointer<UInt8>, _ market: Market, readableAfter: Int = 0
    ) -> ParserAnswer {
        do throws(ParseError) {
            let kind = try parse(message, market: market, readableAfter: readableAfter)
            if let stream, stream.upperBound > message.count {
                return ParserAnswer(kind: kind, stream: stream)
            }
            return ParserAnswer(kind: kind, book: contents(kind, message), stream: stream)
        } catch {
            return ParserAnswer(error: error, stream: stream)
        }
    }

    /// The same for bytes anywhere; the message is parsed in guarded memory.
    mutating func answer(_ message: [UInt8], _ market: Market) -> ParserAnswer {
        let room = GuardedRoom(capacity: message.count)
        return answer(room.place(message), market)
    }

    mutating func answer(_ message: String, _ market: Market) -> ParserAnswer {
        answer(Array(message.utf8), market)
    }

    private func contents(_ kind: MessageKind, _ message: UnsafeBufferPointer<UInt8>) -> BookContents? {
        var found = BookContents(kind: kind, stream: stream.map { Array(message[$0]) })
        let scales: SymbolScales?
        switch kind {
        case .depthUpdate:
            found.symbol = update.symbol.bytes
            (found.first, found.last) = (update.first.value, update.last.value)
            found.previousLast = update.previousLast?.value
            (found.eventTimeUs, found.transactionTimeUs) = (update.eventTimeUs, update.transactionTimeUs)
            (found.bids, found.asks) = (update.bids.array(), update.asks.array())
            found.extras = update.extras
            scales = update.scales
        case .partialDepth, .depthSnapshot:
            found.symbol = snapshot.symbol.bytes
            found.last = snapshot.lastUpdateID.value
            (found.eventTimeUs, found.transactionTimeUs) = (snapshot.eventTimeUs, snapshot.transactionTimeUs)
            (found.bids, found.asks) = (snapshot.bids.array(), snapshot.asks.array())
            scales = snapshot.scales
        case .bookTicker:
            found.symbol = ticker.symbol.bytes
            found.last = ticker.updateID.value
            (found.eventTimeUs, found.transactionTimeUs) = (ticker.eventTimeUs, ticker.transactionTimeUs)
            (found.bids, found.asks) = ([ticker.bid], [ticker.ask])
            scales = ticker.scales
        case .serverShutdown, .other:
            return nil
        }
        if let scales {
            (found.priceDecimals, found.quantityDecimals) = (
                Int(scales.priceDecimals), Int(scales.quantityDecimals)
            )
        }
        return found
    }
}
