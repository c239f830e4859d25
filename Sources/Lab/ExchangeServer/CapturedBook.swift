// The book of one symbol of a capture, kept by applying the capture itself: what REST answers from.
//
//     state    | event                        | action           | next
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
    private enum State {
        case unknown
        case joining
        case live
    }

    let name: SymbolName
    private let rule: SequenceRule
    private var state = State.unknown
    private var book = OrderBook(levelCountMax: 20_000)
    private var transactionTimeUs: Int64 = 0

    init(_ name: SymbolName, _ market: Market) {
        self.name = name
        rule = .of(market)
    }

    /// Whether the book is known.
    var isKnown: Bool { state != .unknown }

    /// Takes a snapshot, if it is waited for or shows more. How many levels were asked for it does not say:
    /// a side that is as long as the longer one may go on behind its end.
    func take(_ snapshot: borrowing DepthSnapshot) {
        let limit = max(snapshot.bids.count, snapshot.asks.count)
        switch state {
        case .unknown: break
        case .joining where snapshot.lastUpdateID > book.lastUpdateID: break
        case .live where snapshot.lastUpdateID == book.lastUpdateID && limit > provenCountMax: break
        case .joining, .live: return
        }
        book.load(snapshot, limit: limit)
        transactionTimeUs = snapshot.transactionTimeUs
        if state == .unknown { state = .joining }
    }

    private var provenCountMax: Int { max(book.provenLevelCount(.bid), book.provenLevelCount(.ask)) }

    /// Takes a diff.
    func take(_ update: borrowing DepthUpdate) {
        let judge = state == .live ? rule.follow : rule.join
        if state == .unknown { return }
        switch judge(UpdateRange(update), book.lastUpdateID) {
        case .stale: return
        case .gap: state = .unknown
        case .connects:
            do throws(BookError) {
                try book.apply(update)
                transactionTimeUs = update.transactionTimeUs
                state = .live
            } catch {
                state = .unknown
            }
        }
    }

    /// Fills a snapshot with the best levels, as far as they are proven to be the best; false if the book is
    /// not known, or nothing of a side is: what is served looks complete.
    func fill(_ snapshot: inout DepthSnapshot, limit: Int) -> Bool {
        if state == .unknown { return false }
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
