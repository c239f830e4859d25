// Once the longest message has been seen, parsing allocates nothing, whichever path a message takes and also
// if it is refused.
//
// Swift Testing puts a backtrace of every error thrown on the heap, caught or not, through hooks of the
// runtime; they are taken out while the parser is measured.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// 2,400 levels a side, as many as the busiest captured message has on both.
private func longUpdate() -> String {
    let side = (0..<2400).map { #"["\#(61000 + $0).10","\#($0).001"]"# }.joined(separator: ",")
    return #"{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSDT","U":1,"u":2,"pu":0,"b":[\#(side)],"a":[\#(side)]}"#
}

/// Bytes allocated by `body`, without those of the test library for each error; nil without jemalloc.
private func bytesAllocatedByParser(_ body: () throws -> Void) throws -> UInt64? {
    // The runtime falls back from the hook of typed throws to that of the others.
    let hooks = try ["_swift_willThrowTypedImpl", "_swift_willThrow"].map { (name: String) in
        try #require(dlsym(nil, name), "\(name)").assumingMemoryBound(to: UnsafeRawPointer?.self)
    }
    let installed = hooks.map { $0.pointee }
    for hook in hooks { hook.pointee = nil }
    defer { for (hook, function) in zip(hooks, installed) { hook.pointee = function } }
    return try allocatedBytes(body)
}

@Suite(.serialized)
struct ParserAllocationTests {
    @Test("No allocation in steady state", arguments: SampleFrame.all)
    func steadyStateAllocatesNothing(frame: SampleFrame) throws {
        var parser = MessageParser(levelCapacity: 16)
        let room = PoisonedRoom(capacity: 1 << 18)
        let long = UnsafeBufferPointer(room.place(longUpdate().utf8, poison: "0"))
        let partial =
            longUpdate().replacing("{\"e\"", with: "{\"stream\":\"a@depth20\",\"data\":{\"e\"") + "}"
        // Partial depth of futures trades the buffers of update and snapshot, so both must see the longest.
        for _ in 0..<2 {
            #expect(try parser.parse(long, market: .usdm) == .depthUpdate)
            _ = parser.answer(partial, .usdm)
        }
        let message = UnsafeBufferPointer(room.place(frame.bytes, poison: "]"))
        for readableAfter in [0, 128] {
            var wrong = 0
            func round() throws(ParseError) {
                for _ in 0..<1000
                where try parser.parse(message, market: frame.market, readableAfter: readableAfter)
                    != frame.kind
                {
                    wrong += 1
                }
            }
            try round()
            let allocated = try bytesAllocatedByParser { try round() }
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
        let broken = SampleFrame.updates[0].text.replacing("\"12.345\"", with: "\"12.3x\"")
        let message = UnsafeBufferPointer(room.place(broken.utf8, poison: "0"))
        var refused = 0
        func round() {
            for _ in 0..<1000 {
                do throws(ParseError) {
                    _ = try parser.parse(message, market: .spot, readableAfter: readableAfter)
                } catch {
                    refused += error.code == .digitExpected ? 1 : 0
                }
            }
        }
        round()
        let allocated = try bytesAllocatedByParser { round() }
        #expect(refused == 2000)
        #if !DEBUG
            if let allocated { #expect(allocated == 0) }
        #else
            _ = allocated
        #endif
    }
}
