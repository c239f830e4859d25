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
//              | snapshot                     | nothing          | –
//
// The first snapshot of a symbol is loaded before the capture begins. So REST answers with it, a state from a
// little in the future, until the stream has reached it: clients wait for the stream to catch up.

import BinanceDepth
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

    /// Takes a snapshot, if it is waited for.
    func take(_ snapshot: borrowing DepthSnapshot) {
        if state != .unknown { return }
        book.load(snapshot, limit: nil)
        transactionTimeUs = snapshot.transactionTimeUs
        state = .joining
    }

    /// Takes a diff.
    func take(_ update: borrowing DepthUpdate) {
        let judge = state == .live ? rule.follow : rule.join
        if state == .unknown { return }
        switch judge(EventIDs(update), book.lastUpdateID) {
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

    /// Fills a snapshot with the best levels; false if the book is not known.
    func fill(_ snapshot: inout DepthSnapshot, limit: Int) -> Bool {
        if state == .unknown { return false }
        snapshot.reset()
        snapshot.symbol = name
        snapshot.lastUpdateID = book.lastUpdateID
        snapshot.scales = book.scales
        snapshot.eventTimeUs = book.eventTimeUs
        snapshot.transactionTimeUs = transactionTimeUs
        book.bids.forEachLevel { snapshot.bids.append($0) && snapshot.bids.count < limit }
        book.asks.forEachLevel { snapshot.asks.append($0) && snapshot.asks.count < limit }
        return true
    }
}
