// The effect of a snapshot on one symbol.

import BinanceVenue
import DepthBook
import MarketData

extension SymbolBook {
    /// The request for this symbol's snapshot was sent: updates may be needed from now on.
    func snapshotRequested() {
        if served.sync.isCollecting {
            if served.isCollecting { return }
            served.isCollecting = true
            served.buffer.removeAll()
            _ = served.sync.restart()
        } else if candidate != nil, candidate?.staging == nil {
            let staging = SyncedBook(shared)
            staging.isCollecting = true
            _ = staging.sync.subscribed()
            candidate?.staging = staging
        }
    }

    /// The same, announced by the fetcher: an answer after this belongs to it.
    func snapshotAnnounced() {
        awaited.announced(nowNs: shared.nowNs)
        snapshotRequested()
    }

    /// A parsed snapshot of this symbol.
    func receiveSnapshot(_ parser: inout MessageParser, limit: Int?) {
        let id = parser.snapshot.lastUpdateID
        let askedNs = awaited.underWayNs ?? shared.nowNs
        awaited.answered()
        if awaited.isVoid {
            counters.discarded += 1
        } else if served.sync.isCollecting && awaited.isTooOld(id, nowNs: shared.nowNs) {
            counters.snapshotsTooOld += 1
            carryOut(served.sync.snapshotFailed())
        } else if served.sync.isCollecting {
            if awaited.takeAnotherTime() {
                ahead.removeAll()
                crossChecks.forgetFormerTime()
            }
            switch served.sync.snapshotArrived(id) {
            case .discard: break
            case .tooOld(let attempt):
                counters.snapshotsTooOld += 1
                ask(attempt: attempt)
            case .replay: join(&parser, limit: limit)
            }
        } else if served.sync.lastID != nil {
            receiveCandidateSnapshot(&parser, limit: limit, askedNs: askedNs)
        } else {
            counters.discarded += 1
        }
        judge()
    }

    /// Loads the snapshot into the served book and catches up.
    private func join(_ parser: inout MessageParser, limit: Int?) {
        mailboxes.changed()
        replaced()
        appliedAtLoad = counters.applied
        let outcome = served.join(
            &parser, limit: limit, isLinked: shared.configuration.rules.updatesAreLinked
        ) { extras in
            counters.applied += 1
            source.ledOn(sentNs: lag.sentNs(arrivedNs: silence.heardNs))
            // The last update applied is the last one buffered.
            appliedAtNs = served.buffer.lastReceivedAtNs
            if let extras, !heed(extras, served) {
                restartBehindBuffer(.mismatch)
                return false
            }
            if crossChecks.hasTickers { compareRememberedTicker(served.book.lastUpdateID) }
            return served.sync.isLive
        }
        switch outcome {
        case .abandoned: break
        case .joined:
            counters.snapshots += 1
            joins.joined(nowNs: shared.nowNs)
            audits.looked(nowNs: shared.nowNs)
            retries.joined()
            ahead.removeAll { !isPlausible($0) }
            afterApply()
            if !served.sync.isCollecting { awaited.joined() }
            wakeForEvidence()
        case .refuted:
            counters.snapshotsRefuted += 1
            restartBehindBuffer(loss.reason(or: .mismatch))
        case .crossed:
            counters.snapshots += 1
            joins.joined(nowNs: shared.nowNs)
            audits.looked(nowNs: shared.nowNs)
            retries.joined()
            counters.crossings += 1
            restartBehindBuffer(.crossed)
        case .implausible:
            counters.implausible += 1
            restartBehindBuffer(loss.reason(or: .gap))
        case .unusable:
            counters.rescales += 1
            restartBehindBuffer(.rescale)
        }
    }

    /// The requested snapshot failed, or its body was unusable.
    func snapshotFailed() {
        counters.snapshotsFailed += 1
        awaited.answered()
        if served.sync.isCollecting {
            carryOut(served.sync.snapshotFailed())
        } else if candidate != nil {
            dropCandidate(failed: true)
        }
    }
}
