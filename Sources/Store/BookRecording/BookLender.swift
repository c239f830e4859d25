// Copies of the served books for a recorder whose own books lack something: it began after their first
// snapshots, or its tap lost frames. Nobody asks the venue for it, so without them it would wait for the next
// audit.
//
// A copy goes into the recording as the request and the snapshot that it stands for. So the frames of a
// recording still make all its books.
//
// A book is asked for twice. The first copy shows that the served book is live at a place among the frames
// where ours is not: updates are kept from then on. The second one, made behind that, is joined to them.
// Books that are stale for what all engines see never get that far.
//
// ```
// state      input                                          next
// live       a tick, not live                               sought: asked for from that tick on
// sought     a copy                                         announced: updates are kept from here on
// announced  a copy of the tick of then, or a later one     sought: it is used as a snapshot, unless the book
//                                                           is live at its id
//            an earlier one                                 –
// any        a tick, live                                   live
// ```
//
// Bounds: one question at a time, with each symbol once; its copies.

import BinanceVenue
import BookEngine
import BookSync
import DepthBook
import LobHandoff
import MarketData

/// Asks for copies of served books. Used by the recorder's thread.
final class BookLender {
    /// Asks a question; false if it cannot be asked now.
    typealias Ask = @Sendable (ReplicaQuestion, @escaping @Sendable (ReplicaAnswer) -> Void) -> Bool

    /// The source of frames that stand for a copy.
    static let source = UInt16.max

    let dialect: WireDialect
    private let ask: Ask
    private let answers = CommandQueue<ReplicaAnswer>(capacity: 2)
    private var isAsking = false
    private var former: ReplicaAnswer?
    private var copies: [BookCopy] = []
    /// The ticks at which books were not live when they were asked for; they have not been since.
    private var soughtTickNs: [SymbolName: Int64] = [:]
    /// The ticks from which on updates are kept for a copy.
    private var announcedTickNs: [SymbolName: Int64] = [:]

    init(_ dialect: WireDialect, _ ask: @escaping Ask) { (self.dialect, self.ask) = (dialect, ask) }

    /// What to do with a copy.
    enum Use: Hashable {
        /// Nothing.
        case none
        /// Keep updates from here on.
        case announce
        /// Use it as a snapshot.
        case join
    }

    /// The copies whose place has been reached, as answers have brought them.
    func due(tickNs: Int64) -> [BookCopy] {
        for answer in answers.take() {
            isAsking = false
            former = answer
            copies += answer.copies
        }
        let due = copies.filter { $0.tickNs <= tickNs }
        copies.removeAll { $0.tickNs <= tickNs }
        return due
    }

    /// What a copy is good for.
    ///
    /// - Parameters:
    ///   - copy: whose place has been reached.
    ///   - tickNs: the last tick.
    ///   - liveID: where the own book is live; nil if it is not.
    func use(_ copy: BookCopy, tickNs: Int64, liveID: UpdateID?) -> Use {
        if let sinceNs = announcedTickNs[copy.symbol] {
            if copy.tickNs < sinceNs { return .none }
            announcedTickNs[copy.symbol] = nil
            return liveID == copy.lastUpdateID ? .none : .join
        }
        guard liveID == nil, let sinceNs = soughtTickNs[copy.symbol], copy.tickNs >= sinceNs else {
            return .none
        }
        announcedTickNs[copy.symbol] = tickNs
        return .announce
    }

    /// Asks for these books, which are all that are not live, if no question is open.
    func seek(_ symbols: [SymbolName], tickNs: Int64) {
        if !soughtTickNs.isEmpty {
            let all = Set(symbols)
            soughtTickNs = soughtTickNs.filter { all.contains($0.key) }
            announcedTickNs = announcedTickNs.filter { all.contains($0.key) }
        }
        if isAsking || symbols.isEmpty { return }
        for symbol in symbols where soughtTickNs[symbol] == nil { soughtTickNs[symbol] = tickNs }
        let wanted = symbols.map { (symbol: $0, sinceTickNs: announcedTickNs[$0] ?? tickNs) }
        let answers = answers
        isAsking = ask(ReplicaQuestion(wanted, after: former)) { _ = answers.post($0) }
    }
}

extension ShardRecorder {
    /// A tick: uses the copies that have come, and asks for those of books that are not live.
    func borrow(_ atNs: Int64) {
        guard let lender else { return }
        let tickNs = engine.tickNs
        for copy in lender.due(tickNs: tickNs) {
            guard let mark = engine.mark(of: copy.symbol) else { continue }
            let liveID = mark.state == .live ? mark.lastUpdateID : nil
            switch lender.use(copy, tickNs: tickNs, liveID: liveID) {
            case .none: break
            case .announce:
                insert(.snapshotRequested, SnapshotEnvelope(symbol: copy.symbol, limit: 0).bytes, atNs)
            case .join:
                guard let frame = copy.snapshotFrame(lender.dialect) else { continue }
                counters.borrowed += 1
                insert(.depthSnapshot, frame, atNs)
            }
        }
        lender.seek(symbols.indices.filter { !tracks[$0].isLive }.map { symbols[$0] }, tickNs: tickNs)
    }
}
