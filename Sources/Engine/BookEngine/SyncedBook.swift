// A book with its synchronizer and the messages waiting for its snapshot. A symbol has one that is served and
// at most one that is a candidate; they differ only in their readers.
//
// SAFETY: bytes of a buffered message are read only inside the call that lends them.

import BinanceVenue
import BookSync
import DepthBook
import MarketData

/// One book under one synchronizer.
final class SyncedBook {
    var book: OrderBook
    var sync: DepthSynchronizer
    var buffer: MessageBuffer
    /// Whether updates are kept for a snapshot: if requests are announced, not before it was sent.
    var isCollecting: Bool
    /// No stream gets further beyond a snapshot than this before the answer arrives.
    private let jumpMax: Int64

    private let checksCrossing: Bool

    /// Id of the snapshot it started from.
    private(set) var snapshotID = UpdateID(0)

    init(_ shared: EngineShared) {
        let (configuration, defect) = (shared.configuration, shared.defect)
        checksCrossing = !defect.promotesUnchecked
        isCollecting = !configuration.requestsAreAnnounced
        let (jump, isHuge) = configuration.idsPerSecondMax.multipliedReportingOverflow(by: 600)
        jumpMax = isHuge ? .max : jump
        book = OrderBook(
            levelCountMax: configuration.levelCountMax, movesProvenRange: !defect.keepsProvenRangeOnEviction)
        sync = DepthSynchronizer(rule: configuration.rules.sequence)
        buffer = MessageBuffer(
            bytesMax: configuration.bufferBytesMax, budget: shared.buffers,
            dropsOldest: defect.dropsOldestBuffered)
    }
}

/// Outcome of replaying buffered messages.
enum ReplayOutcome: Hashable {
    /// Every message was stale or was applied.
    case joined
    /// The owner gave the book up midway and started anew.
    case abandoned
    /// The snapshot contradicts an update that it must contain.
    case refuted
    /// The snapshot, or the book after one of the messages, is crossed.
    case crossed
    /// A buffered message no longer parses as it did, or its decimals differ from the snapshot's.
    case unusable
    /// A buffered message has ids that no stream can have reached.
    case implausible
}

extension SyncedBook {
    // Asked through the object: a copy of the machine, or a further reference, would cost more than the
    // answer.

    /// Whether the book stands at an id.
    var isLive: Bool { sync.isLive }

    /// Whether the best prices of both sides lie inside what is proven.
    var hasProvenBests: Bool { book.hasProvenBests() }

    /// Loads the parser's snapshot and brings the book up to the last buffered message.
    ///
    /// Meanwhile the snapshot is checked: it must contain every level of an update that ends at its id.
    /// - Parameters:
    ///   - isLinked: whether buffered updates name the last id of the previous one.
    ///   - applied: called after each applied message, with its extras, which the owner heeds; false if it
    ///     has meanwhile given the book up. Synchronizer and buffer are then as the owner left them.
    func join(_ parser: inout MessageParser, limit: Int?, isLinked: Bool, applied: (UpdateExtras?) -> Bool)
        -> ReplayOutcome
    {
        book.load(parser.snapshot, limit: limit)
        if isCrossed { return .crossed }
        snapshotID = book.lastUpdateID
        var witness = SnapshotCheck()
        var isJudged = false
        for index in 0..<buffer.count {
            guard parseBuffered(index, &parser, isLinked) else { return .unusable }
            let ids = UpdateRange(parser.update)
            if ids.last.value.subtractingReportingOverflow(book.lastUpdateID.value).partialValue > jumpMax {
                return .implausible
            }
            let isFirst = ids.last > snapshotID && !isJudged
            if isFirst {
                isJudged = true
                if witness.refutes(book, at: snapshotID) { return .refuted }
            }
            switch sync.receive(ids) {
            case .discard:
                witness.note(parser.update)
            case .apply:
                do { try book.apply(parser.update) } catch { return .unusable }
                // Later messages may hide what was wrong in the snapshot.
                if isCrossed { return .crossed }
                if !applied(parser.update.extras) { return .abandoned }
            case .buffer, .clearAndBuffer, .resync:
                return .unusable
            }
        }
        if !isJudged && witness.refutes(book, at: snapshotID) { return .refuted }
        buffer.removeAll()
        return .joined
    }

    private var isCrossed: Bool { checksCrossing && book.isCrossed }

    private func parseBuffered(_ index: Int, _ parser: inout MessageParser, _ isLinked: Bool) -> Bool {
        unsafe buffer.withMessage(index) { bytes, readable in
            do {
                return try unsafe parser.parse(
                    bytes, updatesAreLinked: isLinked, readableAfter: readable) == .depthUpdate
            } catch {
                return false
            }
        }
    }
}
