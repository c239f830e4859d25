import LobHandoff
import TestSupport
import Testing

@testable import BookEngine

extension MessageBuffer {
    fileprivate mutating func append(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { bytes in
            append(Frame(kind: .message, source: 1, receivedAtNs: 0, bytes: bytes))
        }
    }
}

@Suite struct MessageBufferTests {
    /// The budget counts memory: what is held, and the room and the index beside it; all of it comes back.
    @Test func theBudgetCountsMemory() {
        let budget = BufferBudget(bytesMax: 100_000)
        var random = SeededRandom(seed: 7)
        do {
            var buffer = MessageBuffer(bytesMax: 60_000, budget: budget)
            var other = MessageBuffer(bytesMax: 60_000, budget: budget)
            for round in 0..<20 {
                var kept: [[UInt8]] = []
                while true {
                    let length = 1 + random.below(2_000)
                    let message = [UInt8](repeating: UInt8(kept.count % 251), count: length)
                    let before = budget.byteCount
                    guard buffer.append(message) else {
                        #expect(budget.byteCount >= before && budget.byteCount <= budget.bytesMax)
                        break
                    }
                    kept.append(message)
                    #expect(budget.byteCount >= buffer.byteCount + other.byteCount + 8 * buffer.count)
                    if round % 2 == 1 { _ = other.append(message) }
                }
                #expect(buffer.byteCount > (round % 2 == 0 ? 55_000 : 20_000), "round \(round)")
                #expect(buffer.count == kept.count)
                for index in kept.indices {
                    #expect(buffer.withMessage(index) { bytes, _ in Array(bytes) } == kept[index])
                }
                buffer.removeAll()
                other.removeAll()
                #expect(budget.byteCount == 0)
            }
            _ = buffer.append([1, 2, 3])
            #expect(budget.byteCount > 0)
        }
        #expect(budget.byteCount == 0)
    }

    /// A budget nearly spent refuses rather than copying everything for each message.
    @Test func aNearlySpentBudgetRefuses() {
        let budget = BufferBudget(bytesMax: 1_000)
        var buffer = MessageBuffer(bytesMax: 10_000, budget: budget)
        var count = 0
        while buffer.append([UInt8](repeating: 7, count: 20)) { count += 1 }
        #expect(count > 15 && budget.byteCount <= 1_000)
    }
}
