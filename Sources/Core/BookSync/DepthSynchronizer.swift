// Decides when a book can be trusted: the state machine that joins a snapshot to a stream of updates. It sees
// ids, never levels.
//
// One synchronizer serves one book from its first request to its last update, resyncs included: `resync`
// leaves the machine collecting, starting with the update that revealed the gap, while the owner keeps
// showing the old levels, flagged, until a snapshot replaces them.
//
// The owner holds the buffer of updates; the machine decides what goes into it and keeps it one unbroken
// chain: an update that does not follow the previous one restarts the buffer. A snapshot is therefore checked
// against the first update alone, in O(1), and a replayed buffer holds stale updates, then one that connects,
// then only updates that follow it; never a gap.
//
// Invariants
// * The owner's buffer is exactly the chain of `collecting`; in every other state it is empty (during a
//   replay the owner drains it).
// * In `collecting` exactly one snapshot request is outstanding, issued by the last `requestSnapshot` or
//   `resync`.
// * `live` means: a book maintained as instructed is exact at that id, and no update received lies beyond it.
//   `handedOver` means the same, but the next update comes from another subscription and may begin earlier.
// * `joining` means: exact at that id, but no update of this subscription has yet shown that the stream
//   reaches it. A quiet symbol may stay here for minutes. The owner decides whether to show such a book and
//   how to mark it.
//
// Worst case: every input is O(1) and allocates nothing.

import MarketData

/// Decides, from update ids, what to do with each depth update and snapshot of one book.
///
/// `e` is the update, `L` the book's id, `S` the snapshot's id. "–" leaves the state as it is.
/// ```
/// state          input                                    next state            action
/// unsubscribed   subscribed                               collecting, no chain  requestSnapshot
///                receive, snapshotArrived                 –                     discard
///                disconnected, restart, snapshotFailed    –                     nothing
/// collecting     receive: no chain yet                    chain is e            buffer
///                receive: e follows the chain             chain ends with e     buffer
///                receive: stale                           –                     discard
///                receive: gap                             chain is e            clearAndBuffer
///                snapshotArrived: chain begins beyond S   –                     tooOld
///                snapshotArrived: otherwise               joining(S)            replay
///                snapshotFailed                           –                     requestSnapshot
///                subscribed, restart                      no chain              clearBuffer
///                disconnected                             unsubscribed          clearBuffer
/// joining(L)     receive: e joins                         live(e.last)          apply
///                receive: stale                           –                     discard
///                receive: gap                             collecting, e         resync
///                restart                                  collecting, no chain  requestSnapshot
///                disconnected                             offline(L)            nothing
///                snapshotArrived                          –                     discard
///                subscribed, snapshotFailed               –                     nothing
///                proven                                   handedOver(L)
/// live(L)        receive: e follows                       live(e.last)          apply
///                receive: stale                           –                     discard
///                receive: gap                             collecting, e         resync
///                restart                                  collecting, no chain  requestSnapshot
///                subscribed                               joining(L)            nothing
///                disconnected                             offline(L)            nothing
///                handedOver                               handedOver(L)
///                snapshotArrived                          –                     discard
///                snapshotFailed                           –                     nothing
/// handedOver(L)  receive: e joins                         live(e.last)          apply
///                any other                                as in live(L)
/// offline(L)     subscribed                               joining(L)            nothing
///                restart                                  unsubscribed          nothing
///                receive, snapshotArrived                 –                     discard
///                disconnected, snapshotFailed             –                     nothing
/// any but live   handedOver                               –
/// any but        proven                                   –
/// joining
/// ```
/// A book kept across a reconnect (`offline`, then `joining`) needs no snapshot if the first update still
/// connects. Until it arrives, nothing is known about what was missed; a cautious owner builds a candidate in
/// the meantime.
public struct DepthSynchronizer: Sendable {
    /// An unbroken run of buffered updates.
    public struct Chain: Hashable, Sendable {
        /// Ids of the first update of the run.
        public var first: UpdateRange
        /// Last id of the run.
        public var last: UpdateID
    }

    /// State of the book.
    public enum State: Hashable, Sendable {
        /// No subscription, no book.
        case unsubscribed
        /// Waiting for a snapshot; `asked` counts requests since the book was last live.
        case collecting(Chain?, asked: Int)
        /// Exact at this id; no update of this subscription has connected yet. `asked` is 0 if no snapshot
        /// was involved.
        case joining(at: UpdateID, asked: Int)
        /// Exact at this id, and the stream continues it.
        case live(at: UpdateID)
        /// As `live`, but the next update comes from another subscription and may begin earlier.
        case handedOver(at: UpdateID)
        /// Exact at this id when the subscription ended.
        case offline(at: UpdateID)
    }

    /// What to do with an update.
    public enum UpdateAction: Hashable, Sendable {
        /// Drop it.
        case discard
        /// Apply it whole to the book.
        case apply
        /// Append it to the buffer; if there is no room, call `restart`.
        case buffer
        /// Empty the buffer, then append: updates are missing between what was buffered and this one.
        case clearAndBuffer
        /// The book is lost: stop trusting it, buffer this update, request a snapshot.
        case resync(ResyncReason, attempt: Int)
    }

    /// Why an update made the book untrusted.
    public enum ResyncReason: Hashable, Sendable {
        /// The update does not follow the one before it.
        case gap
        /// The first update of a new subscription begins beyond the book kept from the previous one.
        case gapWhileOffline
        /// The snapshot came before any update, and the first update begins beyond it.
        case snapshotTooOld
    }

    /// What to do with a snapshot.
    public enum SnapshotAction: Hashable, Sendable {
        /// No snapshot is awaited; drop it.
        case discard
        /// It ends before the first buffered update begins: keep the buffer, request another.
        case tooOld(attempt: Int)
        /// Load it, then give every buffered update to `receive` and empty the buffer.
        case replay
    }

    /// What the owner must do after any other input.
    public enum Demand: Hashable, Sendable {
        /// Nothing.
        case nothing
        /// Empty the buffer; an outstanding request stays valid.
        case clearBuffer
        /// Request a snapshot. `attempt` is the number of failed attempts so far, for the planner's backoff.
        case requestSnapshot(attempt: Int)
    }

    /// Current state of the book.
    public private(set) var state = State.unsubscribed
    private let rule: SequenceRule

    /// A synchronizer without a subscription.
    public init(rule: SequenceRule) { self.rule = rule }

    /// A synchronizer for a book that is already known to be exact at this id and continued by its stream.
    ///
    /// - Parameters:
    ///   - rule: how updates follow a book.
    ///   - id: last update id of the book.
    ///   - isHandedOver: whether the next update comes from another subscription and may begin earlier.
    package init(rule: SequenceRule, liveAt id: UpdateID, isHandedOver: Bool) {
        self.rule = rule
        state = isHandedOver ? .handedOver(at: id) : .live(at: id)
    }

    /// The book's last update id, nil if there is no book.
    public var lastID: UpdateID? {
        switch state {
        case .unsubscribed, .collecting: nil
        case .joining(let id, _), .live(let id), .handedOver(let id), .offline(let id): id
        }
    }

    /// Whether a snapshot is awaited.
    public var isCollecting: Bool {
        if case .collecting = state { return true }
        return false
    }

    /// Last id of the updates collected for a snapshot, nil if there are none.
    public var collectedID: UpdateID? {
        if case .collecting(let chain?, _) = state { return chain.last }
        return nil
    }

    /// Whether the book is exact and the stream continues it.
    public var isLive: Bool {
        switch state {
        case .live, .handedOver: true
        case .unsubscribed, .collecting, .joining, .offline: false
        }
    }

    /// A depth update of the current subscription arrived, or is replayed from the buffer.
    public mutating func receive(_ update: UpdateRange) -> UpdateAction {
        switch state {
        case .unsubscribed, .offline: return .discard
        case .live(let id):
            return advance(update, rule.follow(update, id), asked: 0, else: .gap)
        case .handedOver(let id):
            return advance(update, rule.join(update, id), asked: 0, else: .gap)
        case .joining(let id, let asked):
            return advance(
                update, rule.join(update, id), asked: asked,
                else: asked == 0 ? .gapWhileOffline : .snapshotTooOld)
        case .collecting(let chain, let asked): return collect(update, behind: chain, asked: asked)
        }
    }

    /// A snapshot of this symbol arrived, requested or not.
    public mutating func snapshotArrived(_ id: UpdateID) -> SnapshotAction {
        switch state {
        case .unsubscribed, .joining, .live, .handedOver, .offline: return .discard
        case .collecting(let chain, let asked):
            if let chain, rule.join(chain.first, id) == .gap {
                state = .collecting(chain, asked: asked + 1)
                return .tooOld(attempt: asked)
            }
            state = .joining(at: id, asked: asked)
            return .replay
        }
    }

    /// The requested snapshot failed.
    public mutating func snapshotFailed() -> Demand {
        switch state {
        case .unsubscribed, .joining, .live, .handedOver, .offline: return .nothing
        case .collecting(let chain, let asked):
            state = .collecting(chain, asked: asked + 1)
            return .requestSnapshot(attempt: asked)
        }
    }

    /// Updates now belong to a new subscription: the first one, one after a reconnect, or one whose update
    /// continued the book just before the old subscription ended.
    public mutating func subscribed() -> Demand {
        switch state {
        case .unsubscribed:
            state = .collecting(nil, asked: 1)
            return .requestSnapshot(attempt: 0)
        case .collecting(_, let asked):
            state = .collecting(nil, asked: asked)
            return .clearBuffer
        case .joining: return .nothing
        case .live(let id), .handedOver(let id), .offline(let id):
            state = .joining(at: id, asked: 0)
            return .nothing
        }
    }

    /// Updates now come from another subscription, which began before this one ended and has delivered
    /// nothing beyond the book, so nothing is missing between the two.
    public mutating func handedOver() {
        switch state {
        case .live(let id): state = .handedOver(at: id)
        case .unsubscribed, .collecting, .joining, .handedOver, .offline: break
        }
    }

    /// Something other than an update (a ticker, another snapshot) proved the book correct at its id. The
    /// first update may begin earlier.
    public mutating func proven() {
        if case .joining(let id, _) = state { state = .handedOver(at: id) }
    }

    /// The subscription ended; no update follows until `subscribed`. Cancel any outstanding request.
    public mutating func disconnected() -> Demand {
        switch state {
        case .unsubscribed, .offline: return .nothing
        case .collecting:
            state = .unsubscribed
            return .clearBuffer
        case .joining(let id, _), .live(let id), .handedOver(let id):
            state = .offline(at: id)
            return .nothing
        }
    }

    /// The owner cannot continue: its buffer is full, or its book turned out to be wrong.
    public mutating func restart() -> Demand {
        switch state {
        case .unsubscribed: return .nothing
        case .offline:
            state = .unsubscribed
            return .nothing
        case .collecting(_, let asked):
            state = .collecting(nil, asked: asked)
            return .clearBuffer
        case .joining(_, let asked):
            state = .collecting(nil, asked: asked + 1)
            return .requestSnapshot(attempt: asked)
        case .live, .handedOver:
            state = .collecting(nil, asked: 1)
            return .requestSnapshot(attempt: 0)
        }
    }

    private mutating func advance(
        _ update: UpdateRange, _ continuity: Continuity, asked: Int, else reason: ResyncReason
    ) -> UpdateAction {
        switch continuity {
        case .stale: return .discard
        case .connects:
            state = .live(at: update.last)
            return .apply
        case .gap:
            state = .collecting(Chain(first: update, last: update.last), asked: asked + 1)
            return .resync(reason, attempt: asked)
        }
    }

    private mutating func collect(_ update: UpdateRange, behind chain: Chain?, asked: Int) -> UpdateAction {
        guard let chain else {
            state = .collecting(Chain(first: update, last: update.last), asked: asked)
            return .buffer
        }
        switch rule.follow(update, chain.last) {
        case .stale: return .discard
        case .connects:
            state = .collecting(Chain(first: chain.first, last: update.last), asked: asked)
            return .buffer
        case .gap:
            state = .collecting(Chain(first: update, last: update.last), asked: asked)
            return .clearAndBuffer
        }
    }
}
