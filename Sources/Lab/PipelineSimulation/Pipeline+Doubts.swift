// How doubts end: a book that is not live waits for a snapshot, or for an update that shows that nothing was
// missed. Counted is how many of those that took a snapshot were settled by the first one that nobody could
// call too old, within two updates of its arrival: fewer would mean that good snapshots are thrown away.
// Too old is one that the first update of the doubt does not follow: something is missing between the two.
// Where no update comes to show that nothing was missed, a second snapshot may confirm the book of the first
// one sooner than the next update would: of those that count, these are counted by themselves as well.
//
// Also here: what false snapshots excuse, and the trouble that a plan measures.

import BookEngine
import DepthBook
import LobHandoff
import MarketData
import SimulatedExchange

/// A period in which a book is not live.
struct Doubt {
    /// The id that its first update follows.
    var previousID: Int64?
    /// Number of snapshots that were not too old.
    var snapshotCount = 0
    /// Updates since the first of these.
    var updateCount = 0
    /// Number of snapshots that the book, or a book beside it, had agreed with before.
    var agreedCount = 0
}

extension Pipeline {
    /// Follows the doubt of a symbol through a frame.
    func noteDoubt(_ index: Int, _ frame: SteppedFrame) {
        let isLive = checker.symbols[index].isLive
        if plan.trouble != nil { followTrouble(index, isLive: isLive, frame) }
        let isUpdate =
            frame.kind == .message && frame.facts.stream == .depth && !frame.isRefused
            && engine.source(of: symbols[index]) == frame.source
        guard var doubt = checker.symbols[index].doubt else {
            if isLive { return }
            checker.symbols[index].doubt = Doubt(
                agreedCount: engine.status(symbols[index])?.counters.auditsAgreed ?? 0)
            if isUpdate { checker.symbols[index].doubt!.previousID = frame.facts.previousID }
            return
        }
        if frame.kind == .depthSnapshot {
            let id = frame.facts.lastID ?? 0
            if let previousID = doubt.previousID, id < previousID { return }
            doubt.snapshotCount += 1
        } else if isUpdate {
            if doubt.snapshotCount > 0 { doubt.updateCount += 1 }
            if doubt.previousID == nil { doubt.previousID = frame.facts.previousID }
        } else if frame.kind == .disconnected {
            doubt.previousID = nil
        }
        checker.symbols[index].doubt = isLive ? nil : doubt
        if !isLive { return }
        if doubt.snapshotCount == 0 {
            outcome.freeDoubts += 1
        } else {
            outcome.doubts += 1
            let agreed = engine.status(symbols[index])?.counters.auditsAgreed ?? 0
            let isConfirmed = doubt.snapshotCount == 2 && agreed > doubt.agreedCount
            if doubt.updateCount > 2 || !(doubt.snapshotCount == 1 || isConfirmed) { return }
            outcome.promptDoubts += 1
            if isConfirmed { outcome.confirmedDoubts += 1 }
        }
    }

    /// An answer is handed to the engine.
    func noteAnswer(_ response: VenueResponse, index: Int) {
        if response.isPast { checker.symbols[index].pastUs = venue.nowUs }
        if response.status == 200, response.oddity != nil {
            checker.symbols[index].poisonedUs = venue.nowUs
            checker.symbols[index].excusedUntilUs = venue.nowUs + 2 * auditBoundUs
        } else if response.status != 200 || response.isPast, checker.symbols[index].poisonedUs != nil {
            checker.symbols[index].poisonedUs = venue.nowUs
        }
    }
}
