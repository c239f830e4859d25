// One book as its readers see it.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// A book that is kept live elsewhere. May be copied, and used by any thread or task; no reader makes it
/// wait.
public struct LiveBook: Sendable {
    /// Its symbol.
    public let symbol: SymbolName
    private let readers: SymbolReaders

    init(symbol: SymbolName, _ readers: SymbolReaders) { (self.symbol, self.readers) = (symbol, readers) }

    /// The best twenty levels a side with everything needed to judge them, whenever any of that changes: `for
    /// await` in a task, `waiter()` on a thread. Always the newest, never a queue of old ones. Checks of a
    /// quiet book only renew `checkedAtNs` and return nothing here; `view` has the newest.
    public var views: LatestValues<BookView> { readers.viewsToCome }

    /// The best bid and ask alone, in the same way as `views`.
    public var tops: LatestValues<TopOfBook> { readers.topsToCome }

    /// The present view. O(bytes of a view).
    public var view: BookView { views.latest }

    /// The present best bid and ask. O(64 bytes).
    public var top: TopOfBook { tops.latest }

    /// The executor of tasks that must wake fast: `withTaskExecutorPreference(book.executor) { … }`. They run
    /// on the thread that wakes them, all of them on one, so they must be quick and must not block.
    public var executor: any TaskExecutor { readers.executor }

    /// Status and counters of the book, at most a second old.
    public var status: SymbolStatus { readers.statuses.latest(SymbolStatus(symbol)) }
}
