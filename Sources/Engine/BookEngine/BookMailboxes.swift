// The mailboxes of one symbol, in which readers on other threads find its view, best prices and status.

import DepthBook
import LobHandoff
import MarketData

/// What readers get of a symbol, and whether it is up to date. Not copyable: it owns the writers. It keeps no
/// view of its own: that would be another kilobyte to fetch from memory for each message.
///
/// ```
/// state     input        next      verdict
/// current   changed      due
/// due       queue        queued    yes: it is to be published
/// queued    queue        queued    no: it is queued already
/// current   queue        current   no
/// any       publish      current
/// any       taken        current
/// ```
struct BookMailboxes: ~Copyable {
    private var isDue = true
    private var isQueued = false
    private var statusNs: Int64 = 0
    private var viewWriter: LatestValueWriter<BookView>
    private var topWriter: LatestValueWriter<TopOfBook>
    private var statusWriter: LatestValueWriter<SymbolStatus>
    /// Mailbox of its views.
    let views: LatestValueReader<BookView>
    /// Mailbox of its best prices.
    let tops: LatestValueReader<TopOfBook>
    /// Mailbox of its status.
    let statuses: LatestValueReader<SymbolStatus>

    /// Empty mailboxes of a symbol.
    init(_ name: SymbolName) {
        var view = BookView()
        view.symbol = name
        let views = LatestValue(view)
        let tops = LatestValue(TopOfBook())
        let statuses = LatestValue(SymbolStatus(name))
        (self.views, self.tops, self.statuses) = (views.reader, tops.reader, statuses.reader)
        viewWriter = views.writer
        topWriter = tops.writer
        statusWriter = statuses.writer
    }

    /// Where view and best prices lie.
    var addresses: (view: (value: UInt, owner: UInt), top: (value: UInt, owner: UInt)) {
        (viewWriter.addresses, topWriter.addresses)
    }

    /// The view has changed since it was published.
    @inline(__always)
    mutating func changed() { isDue = true }

    /// Whether the view must be published and is not queued yet; marks it as queued.
    @inline(__always)
    mutating func queue() -> Bool {
        if !isDue || isQueued { return false }
        isQueued = true
        return true
    }

    /// Its owner has seen the change, and nobody else needs to be told.
    mutating func taken() { (isDue, isQueued) = (false, false) }

    /// Takes the place of another one, which may be queued.
    mutating func replaces(_ former: borrowing BookMailboxes) { isQueued = former.isQueued }

    /// Publishes a book to readers.
    ///
    /// - Parameters:
    ///   - book: the book.
    ///   - view: scratch space shared by all symbols; everything an earlier view left there is replaced.
    ///   - complete: adds what the book does not know: its symbol, trust state and times.
    mutating func publish(
        _ book: borrowing OrderBook, in view: inout BookView, _ complete: (inout BookView) -> Void
    ) {
        (isDue, isQueued) = (false, false)
        book.publish(into: &view)
        for place in Int(view.bidCount)..<BookView.levelCountMax { view.bids[place] = PriceLevel(0, 0) }
        for place in Int(view.askCount)..<BookView.levelCountMax { view.asks[place] = PriceLevel(0, 0) }
        complete(&view)
        viewWriter.publish(view)
        topWriter.publish(TopOfBook(view))
    }

    /// Publishes the status to readers.
    mutating func publish(_ status: SymbolStatus) { statusWriter.publish(status) }

    /// Whether the status is due again; if so, its interval restarts.
    ///
    /// - Parameter everyNs: 0 for never.
    mutating func takeStatusTurn(everyNs: Int64, nowNs: Int64) -> Bool {
        if everyNs <= 0 || nowNs &- statusNs < everyNs { return false }
        statusNs = nowNs
        return true
    }
}
