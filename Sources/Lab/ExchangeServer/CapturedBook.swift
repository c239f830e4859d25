// The book of one symbol of a capture, kept by applying the capture itself: what REST answers from.
//
// `DepthSynchronizer` says what joins and what follows:
//
//     state    | input                        | action           | next
//     ---------|------------------------------|------------------|---------
//     unknown  | snapshot                     | loaded           | joining
//     unknown  | diff                         | nothing          | unknown
//     joining  | diff that joins              | applied          | live
//     live     | diff that follows            | applied          | live
//     joining, | diff that is stale           | nothing          | –
//     live     | diff behind a gap            | nothing          | unknown
//     joining  | snapshot of a later id       | loaded           | joining
//     live     | snapshot of its id that is   | loaded           | live
//              | longer                       |                  |
//     joining, | other snapshot               | nothing          | –
//     live     |                              |                  |
//
// The first snapshot of a symbol is loaded before the capture begins. So REST answers with it, a state from a
// little in the future, until the stream has reached it: clients wait for the stream to catch up.

import BinanceVenue
import BookSync
import DepthBook
import MarketData

/// A book that follows a capture. Thread: the loop's.
final class CapturedBook {
    let name: SymbolName
    private var sync: DepthSynchronizer
    private var book = OrderBook(levelCountMax: 20_000)
    private var transactionTimeUs: Int64 = 0

    init(_ name: SymbolName, _ market: Market) {
        self.name = name
        sync = DepthSynchronizer(rule: .of(market))
        _ = sync.subscribed()
    }

    /// Whether the book is known.
    var isKnown: Bool { sync.lastID != nil }

    /// Takes a snapshot if the book waits for one or the snapshot shows more. A snapshot does not say how
    /// many levels were requested: a side as long as the longer one may continue past its end.
    func take(_ snapshot: borrowing DepthSnapshot) {
        let limit = max(snapshot.bids.count, snapshot.asks.count)
        if sync.isLive {
            if snapshot.lastUpdateID != book.lastUpdateID || limit <= provenCountMax { return }
        } else {
            if isKnown && snapshot.lastUpdateID <= book.lastUpdateID { return }
            forget()
            _ = sync.snapshotArrived(snapshot.lastUpdateID)
        }
        book.load(snapshot, limit: limit)
        transactionTimeUs = snapshot.transactionTimeUs
    }

    private var provenCountMax: Int { max(book.provenLevelCount(.bid), book.provenLevelCount(.ask)) }

    /// Takes a diff.
    func take(_ update: borrowing DepthUpdate) {
        if !isKnown { return }
        switch sync.receive(UpdateRange(update)) {
        case .discard: return
        case .buffer, .clearAndBuffer, .resync: forget()
        case .apply:
            do throws(BookError) {
                try book.apply(update)
                if let extras = update.extras { book.narrow(to: extras) }
                transactionTimeUs = update.transactionTimeUs
            } catch {
                forget()
            }
        }
    }

    /// Waits for a snapshot. Updates before it are not kept: a capture contains no request that they could be
    /// matched with.
    private func forget() { _ = sync.restart() }

    /// Fills a snapshot with the best levels that are proven to be the best; false if the book is not known,
    /// or nothing of a side is: a served snapshot looks complete.
    func fill(_ snapshot: inout DepthSnapshot, limit: Int) -> Bool {
        if !isKnown { return false }
        snapshot.reset()
        snapshot.symbol = name
        snapshot.lastUpdateID = book.lastUpdateID
        snapshot.scales = book.scales
        snapshot.eventTimeUs = book.eventTimeUs
        snapshot.transactionTimeUs = transactionTimeUs
        let (provenBids, provenAsks) = (book.provenBids, book.provenAsks)
        book.bids.forEachLevel {
            provenBids.reaches($0.price, on: .bid) && snapshot.bids.append($0) && snapshot.bids.count < limit
        }
        book.asks.forEachLevel {
            provenAsks.reaches($0.price, on: .ask) && snapshot.asks.append($0) && snapshot.asks.count < limit
        }
        return (snapshot.bids.count > 0 || provenBids == .unbounded)
            && (snapshot.asks.count > 0 || provenAsks == .unbounded)
    }
}
