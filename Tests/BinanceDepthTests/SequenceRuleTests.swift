// The two sequence rules, id by id. What they are for is proved by the exhaustive runs of the synchronizer.

import BookSync
import MarketData
import Testing

struct SequenceRuleTests {
    /// `U … u` and `pu` of an update, the book's id, and what the rule says.
    struct Row: Sendable {
        var first: Int64, last: Int64, previous: Int64?, book: Int64, says: Continuity

        init(_ first: Int64, _ last: Int64, pu previous: Int64? = nil, book: Int64, _ says: Continuity) {
            (self.first, self.last, self.previous, self.book, self.says) = (first, last, previous, book, says)
        }

        var update: UpdateRange {
            UpdateRange(
                first: UpdateID(first), last: UpdateID(last), previousLast: previous.map(UpdateID.init))
        }
    }

    static let spot = [
        Row(101, 105, book: 90, .gap),
        Row(101, 105, book: 99, .gap),  // id 100 was missed
        Row(101, 105, book: 100, .connects),  // the clean boundary
        Row(101, 105, book: 101, .connects),
        Row(101, 105, book: 104, .connects),  // overlap: applied whole
        Row(101, 105, book: 105, .stale),
        Row(101, 105, book: 200, .stale),
        Row(101, 101, book: 100, .connects),
        Row(105, 101, book: 100, .gap),  // inverted
        Row(105, 101, book: 103, .stale),
        Row(105, 101, book: 104, .stale),
        Row(.max, .max, book: .max - 1, .connects),
        Row(.max, .max, book: .max, .stale),
        Row(.min, .max, book: .min, .connects),
        Row(.min, .min, book: .min, .stale),
    ]

    static let futuresJoin = [
        Row(110, 115, pu: 101, book: 100, .gap),  // the snapshot is too old
        Row(110, 115, pu: 101, book: 101, .connects),  // exact link, though U > lastUpdateId + 1
        Row(110, 115, pu: 101, book: 105, .connects),  // in the hole between two updates
        Row(110, 115, pu: 101, book: 112, .connects),
        Row(110, 115, pu: 101, book: 115, .connects),  // nothing new, but anchors the chain
        Row(110, 115, pu: 101, book: 116, .stale),
        Row(110, 115, book: 112, .gap),  // a futures update without `pu`
        Row(110, 105, pu: 120, book: 104, .gap),  // inverted
        Row(.max, .max, pu: .max - 1, book: .max, .connects),
    ]

    static let futuresFollow = [
        Row(110, 115, pu: 101, book: 100, .gap),
        Row(110, 115, pu: 101, book: 101, .connects),
        Row(110, 115, pu: 101, book: 102, .gap),  // overlap inside one chain: the chain is broken
        Row(110, 115, pu: 101, book: 114, .gap),
        Row(110, 115, pu: 101, book: 115, .stale),  // duplicate
        Row(110, 115, pu: 101, book: 300, .stale),
        Row(102, 115, pu: 100, book: 101, .gap),  // U == L + 1 proves nothing
        Row(110, 115, book: 101, .gap),
        Row(110, 105, pu: 105, book: 105, .stale),
    ]

    @Test(arguments: spot) func spotJudgesByRange(row: Row) {
        #expect(SequenceRule.spot.join(row.update, UpdateID(row.book)) == row.says)
        #expect(SequenceRule.spot.follow(row.update, UpdateID(row.book)) == row.says)
    }

    @Test(arguments: futuresJoin) func futuresJoinsBySpan(row: Row) {
        #expect(SequenceRule.futures.join(row.update, UpdateID(row.book)) == row.says)
    }

    @Test(arguments: futuresFollow) func futuresFollowsByLink(row: Row) {
        #expect(SequenceRule.futures.follow(row.update, UpdateID(row.book)) == row.says)
    }

    @Test func everyMarketHasItsRule() {
        let update = UpdateRange(first: UpdateID(110), last: UpdateID(115), previousLast: UpdateID(101))
        #expect(SequenceRule.of(.spot).follow(update, UpdateID(101)) == .gap)
        #expect(SequenceRule.of(.usdm).follow(update, UpdateID(101)) == .connects)
        #expect(SequenceRule.of(.coinm).follow(update, UpdateID(101)) == .connects)
    }

    /// Ids at the ends of the number line, in every combination: no trap, and nothing that connects goes
    /// back.
    @Test func extremeIDsNeverTrapAndNeverGoBack() {
        let ends: [Int64] = [.min, .min + 1, -1, 0, 1, 2, .max - 1, .max]
        var backwards = 0
        for rule in [SequenceRule.spot, .futures] {
            for first in ends {
                for last in ends {
                    for previous in ends.map(Optional.some) + [nil] {
                        for book in ends.map(UpdateID.init) {
                            let update = Row(first, last, pu: previous, book: 0, .gap).update
                            for says in [rule.join(update, book), rule.follow(update, book)] {
                                if says == .connects && update.last < book { backwards += 1 }
                            }
                        }
                    }
                }
            }
        }
        #expect(backwards == 0)
    }

    @Test func idsAreTakenFromAnUpdate() {
        var update = DepthUpdate(levelCapacity: 1)
        update.first = UpdateID(3)
        update.last = UpdateID(5)
        update.previousLast = UpdateID(1)
        #expect(
            UpdateRange(update)
                == UpdateRange(first: UpdateID(3), last: UpdateID(5), previousLast: UpdateID(1)))
    }
}
