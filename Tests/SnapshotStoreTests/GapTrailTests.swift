// Gaps out of looks: those that a view shows, and those that only the counters tell of.

import BookEngine
import DepthBook
import MarketData
import Testing

@testable import SnapshotStore

/// A trail and the number of its last gap.
private final class Looks {
    private var trail = GapTrail("BTCUSDT")
    private var count = 0

    func look(
        _ atNs: Int64, _ state: BookState, id: Int64, status: (gaps: Int, id: Int64)? = nil
    ) -> [StoredGap] {
        var view = BookView()
        (view.state, view.lastUpdateID) = (state, UpdateID(id))
        if state == .stale { view.reason = .gap }
        var new: SymbolStatus?
        if let status {
            var made = SymbolStatus("BTCUSDT")
            (made.state, made.lastUpdateID, made.counters.gaps) = (.live, UpdateID(status.id), status.gaps)
            new = made
        }
        var number = count
        defer { count = number }
        return trail.look(view, new, atNs: atNs, monotonicNs: atNs) {
            number += 1
            return number
        }
    }
}

@Suite struct GapTrailTests {
    private let looks = Looks()

    @Test func whatIsSeenBeginsAndEnds() {
        let begun = looks.look(10, .syncing, id: 0)
        #expect(begun == [StoredGap(number: 1, symbol: "BTCUSDT", fromNs: 10, reason: "syncing")])
        let over = looks.look(20, .live, id: 5)
        #expect(over.map(\.toNs) == [20] && over.map(\.idAfter) == [UpdateID(5)])
        let stale = looks.look(30, .stale, id: 6)
        #expect(
            stale == [
                StoredGap(number: 2, symbol: "BTCUSDT", fromNs: 30, reason: "gap", idBefore: UpdateID(5))
            ])
    }

    /// The status comes once a second: what it tells of is anywhere between the last two.
    @Test func whatIsMendedUnseenIsInItsGap() {
        #expect(looks.look(1000, .live, id: 100, status: (0, 99)).isEmpty)
        #expect(looks.look(1500, .live, id: 150).isEmpty)
        var expected = StoredGap(
            number: 1, symbol: "BTCUSDT", fromNs: 1000, reason: "mended", idBefore: UpdateID(99))
        (expected.toNs, expected.idAfter) = (2000, UpdateID(180))
        #expect(looks.look(2000, .live, id: 181, status: (1, 180)) == [expected])
        #expect(looks.look(2950, .live, id: 250).isEmpty)
        expected.number = 2
        (expected.fromNs, expected.idBefore) = (1500, UpdateID(180))
        (expected.toNs, expected.idAfter) = (3000, UpdateID(300))
        #expect(looks.look(3000, .live, id: 301, status: (2, 300)) == [expected])
    }
}
