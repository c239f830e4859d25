// The effect of the venue's cross-checks on one symbol.

import DepthBook
import MarketData

extension SymbolBook {
    /// A ticker: compared at once if the book stands at its id, remembered if it is ahead.
    func receive(_ ticker: BookTicker, from connection: UInt16) {
        if !counts(connection) { return noteEarly(connection, ticker.updateID, isUpdate: false) }
        if !isPlausible(ticker.updateID) {
            counters.implausible += 1
            return
        }
        guard let id = served.sync.lastID, ticker.updateID <= id else {
            if !crossChecks.remember(ticker, nowNs: shared.nowNs) { counters.tickersEvicted += 1 }
            return noteAhead(ticker.updateID, .ticker) {
                CrossChecks.compare(served.book, bid: ticker.bid, ask: ticker.ask, ticker.scales)
            }
        }
        if ticker.updateID != id { return noteBelow() }
        if !served.sync.isCollecting {
            handleTicker(
                CrossChecks.compare(served.book, bid: ticker.bid, ask: ticker.ask, ticker.scales),
                seenNs: shared.nowNs)
        }
        judge()
    }

    /// Whether what a connection shows counts: not if it is gone, or was left because it is dead or of an
    /// earlier id epoch.
    private func counts(_ connection: UInt16) -> Bool {
        connection != source.abandoned && shared.connections.contains(connection)
    }

    /// A partial-depth frame: likewise.
    func receivePartial(_ partial: borrowing DepthSnapshot, from connection: UInt16) {
        if !counts(connection) { return noteEarly(connection, partial.lastUpdateID, isUpdate: false) }
        if !isPlausible(partial.lastUpdateID) {
            counters.implausible += 1
            return
        }
        guard let id = served.sync.lastID, partial.lastUpdateID <= id else {
            crossChecks.remember(partial, nowNs: shared.nowNs)
            return noteAhead(partial.lastUpdateID, .partialDepth) { compareBest(partial) }
        }
        if partial.lastUpdateID != id { return noteBelow() }
        if !served.sync.isCollecting { handlePartial(compare(partial), seenNs: shared.nowNs) }
        judge()
    }

    private func compare(_ partial: borrowing DepthSnapshot) -> CrossChecks.Verdict {
        guard let scales = partial.scales else { return .unknown }
        return CrossChecks.compare(
            served.book, bids: partial.bids.array(), asks: partial.asks.array(), scales)
    }

    /// A message behind the book that arrives late says nothing about the book, but something about the next
    /// update.
    private func noteBelow() {
        let nowNs = shared.nowNs
        if nowNs &- silence.heardNs <= behindLimitNs { return }
        source.shownBelow(nowNs: nowNs)
        if source.isLongBelow && candidate == nil && retries.urgent.notBeforeNs <= nowNs {
            startCandidate(.check)
        }
    }

    /// Of a partial depth ahead of the book only the best levels: it is the usual case, ten times a second.
    private func compareBest(_ partial: borrowing DepthSnapshot) -> CrossChecks.Verdict {
        guard let scales = partial.scales, partial.bids.count > 0, partial.asks.count > 0
        else { return .unknown }
        return CrossChecks.compare(served.book, bid: partial.bids[0], ask: partial.asks[0], scales)
    }

    /// Something ahead of the book for too long proves that updates are missing: where every id belongs to an
    /// update, the id itself; elsewhere best levels that differ from the book's.
    private func noteAhead(
        _ id: UpdateID, _ check: VenueMismatch.Check, _ compare: () -> CrossChecks.Verdict
    ) {
        if shared.defect.ignoresEvidenceAhead { return }
        if shared.configuration.rules.idsAreContiguous {
            ahead.note(id, nowNs: shared.nowNs)
        } else {
            if served.sync.lastID == nil || shared.defect.ignoresContrary { return }
            // One that arrives after a later one says nothing new.
            if !crossChecks.isLatest(id, check, isPlausible: { isPlausible($0) }) { return }
            switch compare() {
            case .unknown, .agreed(isWhole: false): return
            case .agreed(isWhole: true): return contrary.agreed(check)
            case .contradicted: contrary.note(id, check, nowNs: shared.nowNs)
            }
        }
        guard let sinceNs = aheadSinceNs, served.sync.lastID != nil else { return }
        if source.isOmitting(nowNs: shared.nowNs) { return }
        let limitNs = aheadLimitNs
        if shared.nowNs &- sinceNs > limitNs { return settleAhead() }
        wakeForEvidence(atNs: sinceNs &+ limitNs &+ 1)
    }

    /// Where ids alone say nothing: compares the latest of what was seen ahead of the book with what the book
    /// has become. O(1).
    func compareWhatIsAhead() {
        // Without an id of its own the book says nothing, and any id would seem plausible.
        if shared.configuration.rules.idsAreContiguous || served.sync.lastID == nil { return }
        if shared.defect.ignoresContrary || shared.defect.ignoresEvidenceAhead { return }
        if !crossChecks.hasTickers && !crossChecks.hasPartials { return contrary.end() }
        crossChecks.compareAhead(served.book, &contrary) { isPlausible($0) }
        if contrary.sinceNs != nil { wakeForEvidence() }
    }

    /// Compares the remembered ticker of the id the book has just reached, if any.
    func compareRememberedTicker(_ id: UpdateID) {
        guard let (verdict, seenNs) = crossChecks.reachedTicker(id, served.book), !served.sync.isCollecting
        else { return }
        handleTicker(verdict, seenNs: seenNs)
    }

    /// Compares the remembered partial depth of the id the book has just reached, if any.
    func compareRememberedPartial(_ id: UpdateID) {
        guard let (verdict, seenNs) = crossChecks.reachedPartial(id, served.book), !served.sync.isCollecting
        else { return }
        handlePartial(verdict, seenNs: seenNs)
    }

    private func handleTicker(_ verdict: CrossChecks.Verdict, seenNs: Int64) {
        if verdict == .unknown { return }
        counters.tickersCompared += 1
        if carryOut(verdict, seenNs) { counters.tickersAgreed += 1 }
    }

    private func handlePartial(_ verdict: CrossChecks.Verdict, seenNs: Int64) {
        if verdict == .unknown { return }
        counters.partialsCompared += 1
        if carryOut(verdict, seenNs) { counters.partialsAgreed += 1 }
    }

    /// Acts on a cross-check of what was seen at that time; true if it agreed.
    private func carryOut(_ verdict: CrossChecks.Verdict, _ seenNs: Int64) -> Bool {
        switch verdict {
        case .unknown: return false
        case .agreed(let isWhole):
            // What an earlier connection delivered says nothing about what was sent between the two, nor what
            // was seen before a loss about that.
            let upNs = source.connection.map { shared.connections.upNs($0) } ?? .max
            if isWhole && seenNs >= upNs && seenNs > gap.lostNs {
                proved(by: .top, atNs: seenNs &- streamLagNs)
            }
            return true
        case .contradicted(let mismatch):
            contradicted(by: mismatch)
            return false
        }
    }

    private func contradicted(by mismatch: VenueMismatch) {
        crossChecks.note(mismatch)
        if shared.configuration.mismatchPolicy == .count || shared.defect.ignoresContradiction { return }
        if doubt.needsProof || doubt.isBelievedUnproven { shared.refuted() }
        restartBehind(served.book.lastUpdateID, .mismatch)
    }
}
