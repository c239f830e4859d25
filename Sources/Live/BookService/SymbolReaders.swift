// How other threads read a symbol.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import LobHandoff
import LobTransport
import MarketData

/// The mailboxes of one symbol, and how to wait for them. May be copied, and used by any thread or task.
public struct SymbolReaders: Sendable {
    /// Best levels and trust state, after every message.
    public let views: LatestValueReader<BookView>
    /// Best bid and ask alone, with the same versions.
    public let tops: LatestValueReader<TopOfBook>
    /// Status and counters, once a second; no bell rings for them.
    public let statuses: LatestValueReader<SymbolStatus>
    private let bell: Bell
    private let waker: TaskWaker

    /// The readers of a symbol; nil if the engine does not hold it.
    ///
    /// - Parameter bell: the engine's, made by `waker`.
    init?(_ symbol: SymbolName, of engine: borrowing BookEngine, _ bell: Bell, _ waker: TaskWaker) {
        guard let views = engine.views(of: symbol), let tops = engine.tops(of: symbol),
            let statuses = engine.statuses(of: symbol)
        else { return nil }
        (self.views, self.tops, self.statuses) = (views, tops, statuses)
        (self.bell, self.waker) = (bell, waker)
    }

    /// Views to wait for: `for await` in a task, `waiter()` on a thread. They end with the service. A view
    /// that only renews the proof of the previous one (`BookView.showsSame`) is skipped.
    public var viewsToCome: LatestValues<BookView> {
        LatestValues(views, bell: bell, waker: waker, room: BookView()) { !$1.showsSame(as: $0) }
    }

    /// Tops to wait for, in the same way as `viewsToCome`.
    public var topsToCome: LatestValues<TopOfBook> {
        LatestValues(tops, bell: bell, waker: waker, room: TopOfBook()) { !$1.showsSame(as: $0) }
    }

    /// Runs tasks on the thread that wakes them, which saves waking another thread.
    public var executor: any TaskExecutor { waker }
}
