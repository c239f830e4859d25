// What a snapshot does to one symbol, and the book in the shadow.

import BinanceDepth
import DepthBook
import MarketData

extension SymbolBook {
    /// A snapshot of this symbol, already parsed.
    func receiveSnapshot(
        _ parser: inout MessageParser, limit: Int?, atNs: Int64, _ wishes: inout [EngineWish]
    ) {
        let id = parser.snapshot.lastUpdateID
        if case .collecting = main.sync.state {
            switch main.sync.snapshotArrived(id) {
            case .discard: break
            case .tooOld(let attempt):
                counters.snapshotsTooOld += 1
                ask(attempt: attempt, &wishes)
            case .replay:
                main.loadedAtNs = atNs
                join(&parser, limit: limit, &wishes)
            }
        } else if let shadow, case .collecting = shadow.sync.state {
            shadow.loadedAtNs = atNs
            receiveShadowSnapshot(shadow, &parser, limit: limit, &wishes)
        } else {
            counters.discarded += 1
        }
    }

    /// Loads the snapshot into the served book and catches up.
    private func join(_ parser: inout MessageParser, limit: Int?, _ wishes: inout [EngineWish]) {
        viewIsDue = true
        let outcome = main.join(&parser, limit: limit, market: configuration.market) {
            counters.applied += 1
            if tickers.count > 0 { compareRemembered(&wishes) }
            return main.sync.isLive
        }
        switch outcome {
        case .abandoned: break
        case .joined:
            counters.snapshots += 1
            auditedAtNs = main.loadedAtNs
            afterApply(&wishes)
        case .refuted:
            counters.snapshotsRefuted += 1
            restart(reason == .none ? .oracle : reason, &wishes)
        case .unusable:
            counters.rescales += 1
            restart(.rescale, &wishes)
        }
    }

    /// The snapshot that was asked for will not come, or its body was unusable.
    func snapshotFailed(_ wishes: inout [EngineWish]) {
        counters.snapshotsFailed += 1
        if case .collecting = main.sync.state {
            obey(main.sync.snapshotFailed(), &wishes)
        } else if let shadow, case .requestSnapshot(let attempt) = shadow.sync.snapshotFailed() {
            wishes.append(.ask(name, shadowPurpose, attempt: attempt))
        }
    }

    // MARK: - The book in the shadow

    /// Begins a deepening or an audit; does nothing unless the book is live and has no shadow yet.
    func startShadow(_ purpose: SnapshotPriority, atNs: Int64, _ wishes: inout [EngineWish]) {
        guard state == .live, shadow == nil else { return }
        let track = BookTrack(configuration, defect)
        shadow = track
        shadowPurpose = purpose
        auditedAtNs = atNs
        if case .requestSnapshot(let attempt) = track.sync.subscribed() {
            wishes.append(.ask(name, purpose, attempt: attempt))
        }
    }

    func dropShadow(_ wishes: inout [EngineWish]) {
        guard let shadow else { return }
        if case .collecting = shadow.sync.state { wishes.append(.cancel(name)) }
        self.shadow = nil
    }

    private func receiveShadowSnapshot(
        _ shadow: BookTrack, _ parser: inout MessageParser, limit: Int?, _ wishes: inout [EngineWish]
    ) {
        switch shadow.sync.snapshotArrived(parser.snapshot.lastUpdateID) {
        case .discard: break
        case .tooOld(let attempt):
            counters.snapshotsTooOld += 1
            wishes.append(.ask(name, shadowPurpose, attempt: attempt))
        case .replay:
            let outcome = shadow.join(&parser, limit: limit, market: configuration.market) { true }
            if outcome == .joined {
                counters.snapshots += 1
                settleShadow(&wishes)
            } else {
                if outcome == .refuted { counters.snapshotsRefuted += 1 }
                shadowFailures = min(shadowFailures + 1, 7)
                self.shadow = nil
            }
        }
    }

    /// Compares and promotes the shadow once both books stand at the same id.
    func settleShadow(_ wishes: inout [EngineWish]) {
        guard let shadow, main.sync.isLive, let id = main.sync.lastID, shadow.sync.isLive,
            shadow.sync.lastID == id
        else { return }
        counters.auditsCompared += 1
        shadowFailures = 0
        if let found = difference(shadow, id) {
            lastDifference = found
        } else {
            counters.auditsAgreed += 1
        }
        if shadowPurpose == .deepen { counters.deepenings += 1 }
        shadow.buffer.release()
        main = shadow
        self.shadow = nil
        viewIsDue = true
    }

    private func difference(_ shadow: BookTrack, _ id: UpdateID) -> AuditDifference? {
        for side in Side.allCases {
            if let level = main.book.difference(from: shadow.book, side) {
                return AuditDifference(at: id, side: side, level: level)
            }
        }
        return nil
    }

    /// Begins an audit or a deepening if one is due.
    func startWhatIsDue(atNs: Int64, _ wishes: inout [EngineWish]) {
        if state != .live || shadow != nil { return }
        // A shadow that came to nothing is tried again after 5 s, and later each time.
        if shadowFailures > 0 && atNs &- auditedAtNs < 2_500_000_000 << Int64(shadowFailures) { return }
        let wanted = configuration.provenLevelCountMin
        if wanted > 0 && isShallow(wanted) {
            startShadow(.deepen, atNs: atNs, &wishes)
        } else if configuration.auditEveryNs > 0 && atNs &- auditedAtNs >= configuration.auditEveryNs {
            startShadow(.audit, atNs: atNs, &wishes)
        }
    }

    /// Whether a side has fewer proven levels than are wanted; one that is known whole has all there are.
    private func isShallow(_ wanted: Int) -> Bool {
        Side.allCases.contains { side in
            main.book.proven(side) != .unbounded && main.book.provenLevelCount(side) < wanted
        }
    }
}
