// What is told of a book that is looked at now and then.

import BookEngine
import DepthBook
import MarketData
import Testing

@testable import BookService

/// A book that is looked at ten times a second, and whose counters come once a second.
private struct WatchedBook {
    var watch = BookMonitor()
    var view = BookView()
    var status = SymbolStatus(SymbolName("BTCUSDT"))
    var atMs: Int64 = 0

    /// The book is in this state at the next look; `gaps` so far if counters come with it.
    mutating func look(_ state: BookState, _ reason: StaleReason = .none, gaps: Int? = nil) -> [BookEvent] {
        atMs += 100
        (view.state, view.reason) = (state, reason)
        guard let gaps else { return watch.look(view, nil, atNs: atMs * 1_000_000) }
        status.state = state
        status.counters.gaps = gaps
        return watch.look(view, status, atNs: atMs * 1_000_000)
    }

    /// The book `afterMs` later, when all is over.
    func outcome(_ end: BookState, afterMs: Int64 = 0) -> BookOutcome {
        watch.outcome(end, atNs: (atMs + afterMs) * 1_000_000)
    }
}

@Suite struct BookWatchTests {
    /// A loss that a look sees is told as such, and its count, which comes later, tells nothing new.
    @Test func aLossThatIsSeenIsToldOnce() {
        var book = WatchedBook()
        #expect(book.look(.syncing, gaps: 2) == [])
        #expect(book.look(.live) == [.live(UpdateID(0))])
        #expect(book.look(.live, gaps: 2) == [])
        #expect(book.look(.stale, .gap) == [.stale(.gap)])
        #expect(book.look(.stale, .gap) == [])
        #expect(book.look(.live) == [.liveAgain(UpdateID(0), afterMs: 200)])
        #expect(book.look(.live, gaps: 3) == [])
        #expect(book.look(.live, gaps: 3) == [])
    }

    /// The counters of a loss may come while the book is still stale, and again with the next loss.
    @Test func aLossAcrossCountersIsToldOnce() {
        var book = WatchedBook()
        _ = (book.look(.live), book.look(.live, gaps: 0))
        #expect(book.look(.stale, .gap, gaps: 1) == [.stale(.gap)])
        #expect(book.look(.live) == [.liveAgain(UpdateID(0), afterMs: 100)])
        #expect(book.look(.live, gaps: 1) == [])
        #expect(book.look(.stale, .gap) == [.stale(.gap)])
        #expect(book.look(.stale, .disconnected, gaps: 2) == [.stale(.disconnected)])
        #expect(book.look(.live, gaps: 2) == [.liveAgain(UpdateID(0), afterMs: 200)])
    }

    /// A loss shorter than the time between two looks is told when it is counted, as something that is over.
    @Test func aLossBetweenTwoLooksIsTold() {
        var book = WatchedBook()
        _ = (book.look(.live), book.look(.live, gaps: 0))
        #expect(book.look(.live, gaps: 2) == [.mended(gaps: 2)])
        #expect(book.look(.live, gaps: 2) == [])
        #expect(book.look(.live, gaps: 3) == [.mended(gaps: 1)])
    }

    /// What was missing before the first live book is no loss of it.
    @Test func gapsWhileSyncingAreNotTold() {
        var book = WatchedBook()
        #expect(book.look(.syncing, gaps: 3) == [])
        #expect(book.look(.live, gaps: 4) == [.live(UpdateID(0))])
        #expect(book.look(.live, gaps: 4) == [])
    }

    /// Ids of another market: hardly an event follows the one before, and nothing is ever applied.
    @Test func idsOfAnotherMarket() {
        var book = WatchedBook()
        book.status.counters.buffered = 10
        #expect(book.look(.syncing, gaps: 9) == [])
        #expect(book.look(.syncing, gaps: 10) == [.unchained])
        #expect(book.look(.syncing, gaps: 30) == [])

        var lossy = WatchedBook()
        lossy.status.counters.buffered = 100
        #expect(lossy.look(.syncing, gaps: 20) == [])
    }

    @Test func findingsAreToldOnce() {
        var book = WatchedBook()
        _ = (book.look(.live), book.look(.live, gaps: 0))
        book.status.counters.tickersCompared = 2
        book.status.counters.tickersAgreed = 1
        book.status.counters.auditsCompared = 1
        book.status.counters.auditsAgreed = 1
        book.status.counters.rescales = 1
        #expect(book.look(.live, gaps: 0) == [.auditAgreed, .tickerContradicted, .rescaled])
        book.status.counters.tickersCompared = 3
        book.status.counters.tickersAgreed = 2
        book.status.counters.auditsCompared = 3
        #expect(book.look(.live, gaps: 0) == [.auditDiffered(nil)])
    }

    /// To be mended at the end is no failure; not to come back for half a minute is one.
    @Test func outcomes() {
        var book = WatchedBook()
        _ = book.look(.syncing)
        #expect(book.outcome(.syncing) == .neverLive)
        #expect(book.outcome(.live) == .live)
        _ = book.look(.live)
        #expect(book.outcome(.live) == .live)
        #expect(book.outcome(.stale, afterMs: 90) == .mending(forMs: 0))
        _ = book.look(.stale, .gap)
        _ = book.look(.stale, .disconnected)
        #expect(book.outcome(.stale) == .mending(forMs: 100))
        #expect(book.outcome(.stale, afterMs: 29_899) == .mending(forMs: 29_999))
        #expect(book.outcome(.stale, afterMs: 29_900) == .lost(forMs: 30_000))
        #expect(book.outcome(.live, afterMs: 60_000) == .live)
        let all: [BookOutcome] = [.live, .mending(forMs: 1), .lost(forMs: 30_000), .neverLive]
        #expect(all.map(\.isFailure) == [false, false, true, true])
    }

    /// A book that was live between two looks only was live.
    @Test func staleAtTheFirstLook() {
        var book = WatchedBook()
        #expect(book.look(.stale, .gap) == [.stale(.gap)])
        #expect(book.outcome(.stale) == .mending(forMs: 0))
        #expect(book.look(.live) == [.liveAgain(UpdateID(0), afterMs: 100)])
    }
}
