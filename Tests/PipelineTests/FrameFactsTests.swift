// What the checker of the simulation reads off a frame by itself, also off a damaged one.

import LobHandoff
import Testing

@testable import PipelineSimulation

@Suite struct FrameFactsTests {
    private static let partial = #"{"stream":"sim3usdt@depth5@100ms","data":{"lastUpdateId":41,"bids":[]}}"#
    private static let depth =
        #"{"stream":"sim3usdt@depth@100ms","data":{"e":"depthUpdate","E":5,"s":"SIM3USDT","U":4,"u":7,"b":[]}}"#

    private static func facts(_ text: String) -> FrameFacts {
        unsafe Array(text.utf8).withUnsafeBufferPointer { bytes in
            unsafe FrameFacts(message: Frame(kind: .message, source: 1, receivedAtNs: 0, bytes: bytes))
        }
    }

    @Test func streamAndSymbolAreReadAlsoBehindADestroyedBracket() {
        for text in [Self.partial, String(Self.partial.dropFirst()), "xx" + Self.partial] {
            let facts = Self.facts(text)
            #expect(facts.stream == .partialDepth && facts.index == 3 && facts.isNamed)
            #expect(facts.lastID == 41 && !facts.mayBeDepth)
        }
        for text in [Self.depth, String(Self.depth.dropFirst(3))] {
            let facts = Self.facts(text)
            #expect(facts.stream == .depth && facts.index == 3 && facts.mayBeDepth)
            #expect(facts.lastID == 7 && facts.previousID == 3 && facts.eventUs == 5000)
        }
        let nobody = Self.facts(#"{"stream":"stranger1@depth","data":{}}"#)
        #expect(nobody.isNamed && nobody.index == nil)
        #expect(Self.facts("nothing of it can be made out").mayBeDepth)
    }
}
