// Once a parser has met its longest message, it allocates nothing more: jemalloc's own counter says so.
//
// Messages that are refused, and those that go from the straight path to the general one, are left out of the
// first test and the general path is called by itself in the second: Swift Testing takes a backtrace, on the
// heap, of every error that is thrown, also of those that are caught a line further on.

import MarketData
import TestSupport
import Testing

@testable import BinanceDepth

@Suite struct ParserAllocationTests {
    /// Every frame and one long one, each with 128 blanks behind it that belong to no message.
    private let messages: [(bytes: UnsafeBufferPointer<UInt8>, market: Market)] = {
        let levels = (1...200).map { "[\"\(60_000 + $0).5\",\"\($0).25\"]" }.joined(separator: ",")
        let head = #"{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":["#
        let long = (text: head + levels + #"],"a":["# + levels + "]}", market: Market.spot)
        return (Frames.all + [long]).map { text, market in
            let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count + 128)
            room.initialize(repeating: 0x20)
            _ = room.update(fromContentsOf: Array(text.utf8))
            return (UnsafeBufferPointer(rebasing: room[..<text.utf8.count]), market)
        }
    }()

    private func expectNoAllocation(_ parse: (UnsafeBufferPointer<UInt8>, Market) -> Bool) {
        var parsed = 0
        func parseAll() {
            // By index: unoptimised code allocates for every element of a `for … in`.
            for index in 0..<messages.count where parse(messages[index].bytes, messages[index].market) {
                parsed += 1
            }
        }
        // Partial depth of futures swaps the buffers of update and snapshot, so both grow.
        for _ in 0..<4 { parseAll() }
        let first = parsed / 4
        let allocated = allocatedBytes { for _ in 0..<50 { parseAll() } }
        #expect(first > 8 && parsed == 54 * first)
        for message in messages { message.bytes.deallocate() }
        guard let allocated else { return print("SKIPPED: no allocation counters without jemalloc") }
        #expect(allocated == 0)
    }

    @Test func noAllocationOnTheStraightPath() {
        var parser = MessageParser(levelCapacity: 1)
        expectNoAllocation { bytes, market in
            guard let first = bytes.baseAddress else { return false }
            let cursor = JSONCursor(first, count: bytes.count, readableAfter: 128)
            // Replies and shutdowns are always for the general path.
            if bytes.starts(with: #"{"id"#.utf8) || bytes.starts(with: #"{"error"#.utf8) { return false }
            if bytes.starts(with: #"{"stream":"!"#.utf8) { return false }
            parser.stream = nil
            return parser.straight(cursor, market) != nil
        }
    }

    @Test func noAllocationOnTheGeneralPath() {
        var parser = MessageParser(levelCapacity: 1)
        expectNoAllocation { bytes, market in
            guard let first = bytes.baseAddress else { return false }
            let cursor = JSONCursor(first, count: bytes.count, readableAfter: 0)
            do throws(ParseError) {
                _ = try parser.general(cursor, market)
                return true
            } catch {
                return false
            }
        }
    }
}
