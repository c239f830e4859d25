// Levels packed and unpacked; what is damaged is nil.

import MarketData
import TestSupport
import Testing

@testable import SnapshotStore

@Suite struct LevelsBlobTests {
    @Test func whatIsPackedComesOut() throws {
        let blob = try #require(LevelsBlob())
        var random = SeededRandom(seed: 1)
        for levels in [0, 1, 2, 17, 300, 5000] {
            let book = randomBook(&random, levels: levels).book
            let packed = try #require(blob.pack(bids: book.bids, asks: book.asks))
            let sides = try #require(blob.unpack(packed))
            #expect(sides.bids == book.bids && sides.asks == book.asks)
            if levels >= 300 { #expect(packed.bytes.count < 12 * (book.bids.count + book.asks.count)) }
        }
    }

    @Test func whatIsDamagedIsNothingOrAnotherBook() throws {
        let blob = try #require(LevelsBlob())
        var random = SeededRandom(seed: 2)
        let book = randomBook(&random, levels: 60).book
        let packed = try #require(blob.pack(bids: book.bids, asks: book.asks))
        for length in 0..<packed.bytes.count {
            let cut = LevelsBlob.Packed(length: packed.length, bytes: Array(packed.bytes.prefix(length)))
            #expect(blob.unpack(cut) == nil)
        }
        for _ in 0..<2000 {
            var flipped = packed
            let index = random.below(packed.bytes.count)
            flipped.bytes[index] ^= UInt8(1) << UInt8(random.below(8))
            // What comes out must not be taken for the book; its digest tells.
            if let sides = blob.unpack(flipped), sides == (book.bids, book.asks) {
                Issue.record("a flip in byte \(index) went unnoticed and changed nothing")
            }
        }
        for length in [-1, 0, packed.length - 1, packed.length + 1, 1 << 40] {
            #expect(blob.unpack(LevelsBlob.Packed(length: length, bytes: packed.bytes)) == nil)
        }
    }
}

private func == (
    a: (bids: [PriceLevel], asks: [PriceLevel]), b: ([PriceLevel], [PriceLevel])
) -> Bool { a.bids == b.0 && a.asks == b.1 }
