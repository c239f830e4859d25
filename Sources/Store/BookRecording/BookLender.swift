// Copies of the served books for a recorder whose own books lack something: it started after their first
// snapshots, or its tap lost frames. The venue is not asked for them, so without copies it would wait for the
// next audit.
//
// A copy enters the recording as the request and the snapshot that it stands for. So the frames of a
// recording still make all its books.
//
// A book is requested twice. The first copy shows that the served book is live at a point where ours is not:
// updates are kept from then on. The second copy, made after that, is joined to them. Books that are stale
// for reasons every engine sees never get that far.
//
// ```
// state      input                                          next
// live       a tick, not live                               sought: requested from that tick on
// sought     a copy                                         announced: updates are kept from here on
// announced  a copy of that tick or a later one             sought: used as a snapshot, unless the book is
//                                                           live at its id
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

/// Requests copies of served books. Used by the recorder's thread.
final class BookLender {
    /// Asks a question; false if that is not possible now.
    typealias Ask = @Sendable (ReplicaQuestion, @escaping @Sendable (ReplicaAnswer) -> Void) -> Bool

    /// The source of frames that stand for a copy.
    static let source = UInt16.max

    let dialect: WireDialect
    private let ask: Ask
    private let answers = CommandQueue<ReplicaAnswer>(capacity: 2)
    private var isAsking = false
    private var former: ReplicaAnswer?
    private var copies: [BookCopy] = []
    /// Ticks at which books were requested because they were not live; they have not been live since.
    private var soughtTickNs: [SymbolName: Int64] = [:]
    /// Ticks from which on updates are kept for a copy.
    private var announcedTickNs: [SymbolName: Int64] = [:]

    init(_ dialect: WireDialect, _ ask: @escaping Ask) { (self.dialect, self.ask) = (dialect, ask) }

    /// How to use a copy.
    enum Use: Hashable {
        /// Not at all.
        case none
        /// Keep updates from here on.
        case announce
        /// Use it as a snapshot.
        case join
    }

    /// The copies in answers whose position has been reached.
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

    /// How to use a copy.
    ///
    /// - Parameters:
    ///   - copy: one whose position has been reached.
    ///   - tickNs: the last tick.
    ///   - liveID: id of our own live book; nil if it is not live.
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

    /// Requests these books, all that are not live, unless a question is open.
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
    /// A tick: uses the copies that have arrived, and requests those of books that are not live.
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
