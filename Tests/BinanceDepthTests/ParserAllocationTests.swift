// Once the longest message has been seen, parsing allocates nothing.

import MarketData
import TestSupport
import Testing

@testable import BinanceDepth

/// 2,400 levels a side, as many as the busiest captured message has on both.
private func longUpdate() -> String {
    let side = (0..<2400).map { #"["\#(61000 + $0).10","\#($0).001"]"# }.joined(separator: ",")
    return #"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[\#(side)],"a":[\#(side)]}"#
}

@Test("No allocation in steady state", arguments: SampleFrame.all)
func steadyStateAllocatesNothing(frame: SampleFrame) throws {
    var parser = MessageParser(levelCapacity: 16)
    let room = PoisonedRoom(capacity: 1 << 18)
    let long = UnsafeBufferPointer(room.place(longUpdate().utf8, poison: "0"))
    let partial = longUpdate().replacing("{\"e\"", with: "{\"stream\":\"a@depth20\",\"data\":{\"e\"") + "}"
    // Partial depth of futures trades the buffers of update and snapshot, so both must have seen the longest.
    for _ in 0..<2 {
        #expect(try parser.parse(long, market: .usdm) == .depthUpdate)
        _ = parser.answer(partial, .usdm)
    }
    let message = UnsafeBufferPointer(room.place(frame.bytes, poison: "]"))
    for readableAfter in [0, 128] {
        var wrong = 0
        func round() throws(ParseError) {
            for _ in 0..<1000
            where try parser.parse(message, market: frame.market, readableAfter: readableAfter) != frame.kind
            {
                wrong += 1
            }
        }
        try round()
        let allocated = try allocatedBytes { try round() }
        #expect(wrong == 0)
        #if !DEBUG
            if let allocated { #expect(allocated == 0) }
        #else
            _ = allocated
        #endif
    }
}

@Test("Refusing a message allocates nothing", arguments: [0, 128])
func refusalsAllocateNothing(readableAfter: Int) throws {
    var parser = MessageParser()
    let room = PoisonedRoom(capacity: 4096)
    let broken = SampleFrame.updates[0].text.replacing("\"12.345\"", with: "\"12.34\"")
    let message = UnsafeBufferPointer(room.place(broken.utf8, poison: "0"))
    var refused = 0
    func round() {
        for _ in 0..<1000 {
            do throws(ParseError) {
                _ = try parser.parse(message, market: .spot, readableAfter: readableAfter)
            } catch {
                refused += error.code == .decimalsDiffer ? 1 : 0
            }
        }
    }
    round()
    let allocated = allocatedBytes { round() }
    #expect(refused == 2000)
    #if !DEBUG
        if let allocated { #expect(allocated == 0) }
    #else
        _ = allocated
    #endif
}
