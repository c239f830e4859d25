// One book as seen by its readers.

import BookEngine
import BookService
import DepthBook
import LobHandoff
import MarketData

/// A book kept live by other threads. May be copied, and used by any thread or task; readers never make it
/// wait.
public struct LiveBook: Sendable {
    /// Its symbol.
    public let symbol: SymbolName
    private let readers: SymbolReaders

    init(symbol: SymbolName, _ readers: SymbolReaders) { (self.symbol, self.readers) = (symbol, readers) }

    /// The best twenty levels per side with everything needed to judge them, whenever any of that changes:
    /// `for await` in a task, `waiter()` on a thread. Always the newest, never a queue of old ones. Checks of
    /// a quiet book only renew `checkedAtNs` and return nothing here; `view` has the newest.
    public var views: LatestValues<BookView> { readers.viewsToCome }

    /// The best bid and ask alone, in the same way as `views`.
    public var tops: LatestValues<TopOfBook> { readers.topsToCome }

    /// The current view. O(bytes of a view).
    public var view: BookView { views.latest }

    /// The current best bid and ask. O(64 bytes).
    public var top: TopOfBook { tops.latest }

    /// The executor for tasks that must wake fast: `withTaskExecutorPreference(book.executor) { … }`. They
    /// all run on the one thread that wakes them, so they must be quick and must not block.
    public var executor: any TaskExecutor { readers.executor }

    /// Status and counters of the book, at most a second old.
    public var status: SymbolStatus { readers.statuses.latest(SymbolStatus(symbol)) }
}
