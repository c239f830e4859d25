// The kernel that copies the best levels reads eight slots at a time, four times without asking whether they
// are still wanted. Here it meets every density of free slots, every distance from the end of the memory and
// every number of levels wanted, beside a loop over single slots.

import CLobKernels
import MarketData
import TestSupport
import Testing

@testable import DepthBook

@Test("The best levels are those of a walk over single slots, and nothing is written behind the wanted ones")
func bestLevelsAtEveryDensity() {
    var random = SeededRandom(seed: 20)
    let margin = 16
    for round in 0..<2_000 {
        let width = Int.random(in: 1...96, using: &random)
        let density = Double.random(in: 0...1, using: &random)
        // Outside the slots: nothing that may be taken for a free one.
        var keys = [Int64](repeating: .min, count: margin) + (0..<Int64(width)).map { $0 * 3 }
        var quantities = [Int64](repeating: 1, count: margin)
        for _ in 0..<width {
            quantities.append(Double.random(in: 0..<1, using: &random) < density ? .random(in: 1...9) : 0)
        }
        keys += [Int64](repeating: .max, count: margin)
        quantities += [Int64](repeating: 1, count: margin)
        let flip: Int64 = round.isMultiple(of: 2) ? 0 : -1
        let wanted = round.isMultiple(of: 3) ? 20 : Int.random(in: 0...40, using: &random)
        guard let high = (0..<width).last(where: { quantities[margin + $0] != 0 }) else { continue }

        let expected = (0...high).reversed().filter { quantities[margin + $0] != 0 }.prefix(wanted)
        // Price and quantity of each level in turn; -7 is nothing's.
        var words = [Int64](repeating: -7, count: 2 * (wanted + 8))
        let count = keys.withUnsafeBufferPointer { keys in
            quantities.withUnsafeBufferPointer { quantities in
                words.withUnsafeMutableBytes { words in
                    lob_best_levels(
                        keys.baseAddress! + margin, quantities.baseAddress! + margin, Int64(high), flip,
                        words.baseAddress!.assumingMemoryBound(to: lob_level.self), Int64(wanted))
                }
            }
        }
        let isSame = expected.enumerated().allSatisfy { at, slot in
            words[2 * at] == keys[margin + slot] ^ flip && words[2 * at + 1] == quantities[margin + slot]
        }
        let isKept = words[(2 * wanted)...].allSatisfy { $0 == -7 }
        #expect(count == expected.count && isSame && isKept, "round \(round), high \(high), wanted \(wanted)")
    }
}
