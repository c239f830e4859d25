// What a snapshot does to one symbol.

import BinanceVenue
import DepthBook
import MarketData

extension SymbolBook {
    /// The request for a snapshot of this symbol was sent: what comes from now on may be needed.
    func snapshotRequested() {
        if main.sync.isCollecting {
            if main.isCollecting { return }
            main.isCollecting = true
            main.buffer.removeAll()
            _ = main.sync.restart()
        } else if candidate != nil, candidate?.track == nil {
            let track = SyncedBook(shared)
            track.isCollecting = true
            _ = track.sync.subscribed()
            candidate?.track = track
        }
    }

    /// The same, said by whoever sends requests: an answer behind this is one to it.
    func snapshotAnnounced() {
        answersAreVoid = false
        snapshotRequested()
    }

    /// A snapshot of this symbol, already parsed.
    func receiveSnapshot(_ parser: inout MessageParser, limit: Int?) {
        let id = parser.snapshot.lastUpdateID
        if answersAreVoid {
            counters.discarded += 1
        } else if main.sync.isCollecting && id < passedID {
            counters.snapshotsTooOld += 1
            obey(main.sync.snapshotFailed())
        } else if main.sync.isCollecting {
            switch main.sync.snapshotArrived(id) {
            case .discard: break
            case .tooOld(let attempt):
                counters.snapshotsTooOld += 1
                ask(attempt: attempt)
            case .replay: join(&parser, limit: limit)
            }
        } else if main.sync.lastID != nil {
            receiveCandidateSnapshot(&parser, limit: limit)
        } else {
            counters.discarded += 1
        }
        judge()
    }

    /// Loads the snapshot into the served book and catches up.
    private func join(_ parser: inout MessageParser, limit: Int?) {
        viewIsDue = true
        appliedAtLoad = counters.applied
        let outcome = main.join(&parser, limit: limit, market: configuration.market) {
            counters.applied += 1
            appliedAtNs = heardAtNs
            if tickers.count > 0 { compareRememberedTicker(main.book.lastUpdateID) }
            return main.sync.isLive
        }
        switch outcome {
        case .abandoned: break
        case .joined:
            counters.snapshots += 1
            joinedNs = shared.nowNs
            joinChecks = 0
            provenNs = shared.nowNs
            urgentRetry = .urgent
            afterApply()
            wakeForEvidence()
        case .refuted:
            counters.snapshotsRefuted += 1
            restart(loss == .none ? .mismatch : loss)
        case .implausible:
            counters.implausible += 1
            restart(loss == .none ? .gap : loss)
        case .unusable:
            counters.rescales += 1
            restart(.rescale)
        }
    }

    /// The snapshot that was asked for will not come, or its body was unusable.
    func snapshotFailed() {
        counters.snapshotsFailed += 1
        if main.sync.isCollecting {
            obey(main.sync.snapshotFailed())
        } else if candidate != nil {
            dropCandidate(failed: true)
        }
    }
}
