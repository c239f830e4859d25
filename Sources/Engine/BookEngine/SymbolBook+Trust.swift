// Losing trust and regaining it.

import BookSync
import DepthBook
import FeedPlan
import MarketData

/// What agreed, on the venue's side, with a served book at its very id.
enum Evidence {
    /// A ticker or partial depth: the best levels. Shows only that the stream delivers: books of different id
    /// epochs may well have the same best levels, above all soon after an epoch begins.
    case top
    /// A snapshot: the levels.
    case snapshot
}

extension SymbolBook {
    /// The served book is no longer trusted, and neither is its candidate.
    func lose(_ why: StaleReason) {
        mailboxes.changed()
        shared.lossCount &+= 1
        if loss.lost(why, number: shared.lossCount) { counters.resyncs += 1 }
        awaited.bookLost(wasLive: state == .live, nowNs: shared.nowNs)
        doubt.forget()
        gap.close()
        behind.end()
        ahead.removeAll()
        contrary.end()
        candidate = nil
    }

    /// The served book is wrong or unusable: restarts it from a snapshot.
    func restart(_ why: StaleReason) {
        awaited.restarted(wasLive: state == .live, nowNs: shared.nowNs)
        lose(why)
        served.buffer.removeAll()
        collectEarly()
        carryOut(served.sync.restart())
        judge()
    }

    /// Carries out a synchronizer's demand on the owner of the served book.
    func carryOut(_ demand: DepthSynchronizer.Demand) {
        switch demand {
        case .nothing: break
        case .clearBuffer: served.buffer.removeAll()
        case .requestSnapshot(let attempt): ask(attempt: attempt)
        }
    }

    func ask(attempt: Int) {
        requestSnapshot(loss.hasJoined ? .resync : .initial, attempt: awaited.attempt(attempt))
    }

    func requestSnapshot(_ purpose: SnapshotPriority, attempt: Int) {
        awaited.requested(isAnnounced: shared.configuration.requestsAreAnnounced)
        shared.requests.append(.ask(name, purpose, attempt: attempt))
    }

    func cancelSnapshot() {
        awaited.cancelled()
        shared.requests.append(.cancel(name))
    }

    // MARK: - Doubts about a book that may well be right

    /// A message that may have been an update of this symbol was lost. The next update tells; if none
    /// arrives, a snapshot will.
    func suspectGap(_ why: StaleReason) {
        if !gap.isOpen && served.sync.lastID != nil { counters.doubts += 1 }
        gap.open(why, nowNs: shared.nowNs)
        // Collected updates have the same gap, and a joined candidate cannot tell.
        if candidate != nil {
            dropCandidate(failed: false)
        } else if served.sync.lastID != nil && awaited.isUnderWay {
            cancelSnapshot()
        }
        judge()
        wake(atNs: shared.nowNs &+ shared.configuration.doubtNsMin)
    }

    /// Settles the suspicion without a new book.
    func settleGap() {
        gap.close()
        counters.doubtsSettled += 1
    }

    /// A message that was, or may have been, of this symbol was lost.
    func lostMessage(_ why: StaleReason, mayBeUpdate: Bool, from connection: UInt16) {
        if why == .dropped { counters.dropped += 1 } else { counters.unreadable += 1 }
        if !mayBeUpdate { return }
        if connection == source.connection { return suspectGap(why) }
        // That connection's progress is now unknown: nothing is handed over to it unseen.
        if shared.connections.contains(connection) { source.lost(on: connection) }
    }

    /// The stream has been resubscribed on a connection: what the venue sent between the two subscriptions is
    /// missing there.
    func subscribedAgain(on connection: UInt16) {
        source.accepted(on: connection)
        if connection != source.connection {
            if !shared.connections.contains(connection) { return }
            source.lost(on: connection)
            // The symbol's own stream is untouched, unless the newer connection got a request for it.
            let isNewer = source.connection.map { shared.connections.isNewer(connection, than: $0) } ?? true
            if !source.isRequested || !isNewer { return }
        }
        source.subscribedAgain(nowNs: shared.nowNs)
        judge()
        wake(atNs: source.provableNs ?? shared.nowNs)
    }

    /// A reconnect trial has ended.
    func hearVerdict() {
        if shared.trial.verdict == .refuted { doubtAgain() } else { believeIfJoined() }
    }

    /// Believes a kept book that has joined its stream, if allowed.
    func believeIfJoined() {
        if doubt.needsProof && served.sync.isLive {
            believe()
            judge()
        } else if doubt.needsProof {
            wake(atNs: shared.nowNs)
        }
    }

    /// Believes a kept book because other books of its venue were proven.
    func believe() {
        doubt.believe()
        counters.doubtsSettled += 1
    }

    /// The venue's ids turned out not to continue.
    func doubtAgain() {
        if served.sync.lastID != nil && doubt.refuted() { counters.doubts += 1 }
        if doubt.needsProof { wake(atNs: shared.nowNs) }
        judge()
    }

    /// From when on a snapshot reflects only what this connection has been there for.
    private var seenFromNs: Int64 {
        let upNs = source.connection.map { shared.connections.upNs($0) } ?? 0
        return upNs &+ SymbolSource.snapshotLagNs
    }

    /// Venue data at the served book's very id agrees with it.
    ///
    /// - Parameter atNs: when the venue was in that state, or later; on the engine's clock.
    func proved(by evidence: Evidence, atNs: Int64) {
        // A state that the venue is known to have left shows neither that a stream is quiet nor that it omits
        // nothing. And while incoming updates lie behind the book, it is ahead of its stream.
        let isLeft = aheadSinceNs != nil
        let isBehind = behind.isRunning(nowNs: shared.nowNs, limitNs: behindLimitNs)
        if !served.sync.isLive && (isLeft || isBehind) { return }
        let isEarly = evidence == .snapshot && !served.sync.isLive && atNs < seenFromNs
        if isEarly {
            // It may predate what the venue sent before this connection began.
            source.agreedEarly(untilNs: seenFromNs)
            wake(atNs: seenFromNs)
        }
        served.sync.proven()
        if served.sync.isLive { loss.joined() }
        if !isLeft { source.agreed(atNs: atNs) }
        if evidence == .top { return }
        if isEarly {
            if doubt.provedEarly() { counters.doubtsSettled += 1 }
            return
        }
        // As early as the one before: it says no more.
        if doubt.isEarly && source.confirmNs != nil { return }
        if doubt.needsProof || doubt.isEarly {
            if doubt.needsProof { counters.doubtsSettled += 1 }
            vouch()
        } else {
            doubt.proved()
        }
    }

    /// A book that was in doubt is proven beyond doubt, which says something about the others.
    func vouch() {
        doubt.proved()
        shared.proved(isTelling: doubt.isTelling(of: shared.trial))
    }

    // MARK: - Connections

    /// Whether to switch to the updates of another connection from this one on: always if the symbol has no
    /// source; otherwise if the newer connection's update continues the book without a gap, or is the very
    /// one the book stands at. The latter is the usual case while the older connection is the faster: what
    /// follows on the newer one then follows the book. Not from a connection that is late: what it still
    /// delivers may be of an earlier id epoch, and the newer one's ids start anew. From one that leaves the
    /// book behind the newer one, with a proof.
    func takesOver(_ newer: UInt16, _ ids: UpdateRange) -> Bool {
        guard shared.connections.contains(newer) else { return false }
        if let present = source.connection {
            guard shared.connections.isNewer(newer, than: present), let id = served.sync.lastID
            else { return false }
            if isLeftBehind(by: ids.last, id) { return leaves(present, for: newer) }
            if isLagging { return false }
            if source.goesBack(ids.last, upNs: shared.connections.upNs(newer))
                || ids.first <= id && source.isShownBelow
                || shared.connections.isMute(present, beside: newer, nowNs: shared.nowNs)
            {
                // The venue has restarted its ids, or may have; that they fit proves nothing.
                return leaves(present, for: newer)
            }
            if served.sync.isLive && ids.last == id {
                moveOver(to: newer)
                return true
            }
            if shared.configuration.rules.sequence.join(ids, id) != .connects { return false }
        }
        moveOver(to: newer)
        subscribe()
        return true
    }

    /// Leaves a connection that is still there; true if that leads to the newer one.
    private func leaves(_ present: UInt16, for newer: UInt16) -> Bool {
        disconnected(present)
        source.left(present)
        return source.connection == newer
    }

    /// Whether a newer connection has long shown updates beyond the book: the source's own stream is dead, or
    /// omits some. A late one is given as much longer.
    private func isLeftBehind(by shown: UpdateID, _ own: UpdateID) -> Bool {
        if shown <= own || !isPlausible(shown) { return false }
        let sinceNs = source.beyondSinceNs(shown, own: own, nowNs: shared.nowNs)
        if shared.nowNs &- sinceNs > aheadLimitNs &+ streamLagNs { return true }
        wake(atNs: sinceNs &+ aheadLimitNs &+ streamLagNs &+ 1)
        return false
    }

    /// The same if the newer connection has shown nothing since: the book moves to it.
    func leaveIfLeftBehind() {
        guard let present = source.connection, let own = served.sync.lastID,
            let sinceNs = source.beyondSinceNs(own: own), let newest = shared.connections.newest,
            newest != present, !shared.defect.ignoresEvidenceAhead
        else { return }
        let dueNs = sinceNs &+ aheadLimitNs &+ streamLagNs
        if dueNs >= shared.nowNs { return wake(atNs: dueNs &+ 1) }
        _ = leaves(present, for: newest)
    }

    /// Updates of the source arrive from now on.
    func subscribe() {
        silence.subscribed()
        carryOut(served.sync.subscribed())
        if served.sync.isCollecting && loss.hasJoined { collectEarly() }
        // Before its updates arrive: REST lags them.
        if doubt.needsProof { seekProof(shared.nowNs) }
        wake(atNs: shared.nowNs)
    }

    /// A connection came up: it becomes the source of a symbol that has none.
    ///
    /// - Parameter isRefused: whether the venue refused the symbol's stream on it.
    func connected(_ new: UInt16, isRefused: Bool) {
        source.connectionUp()
        if isRefused && !shared.defect.believesRefused {
            source.unsubscribed(on: new, nowNs: shared.nowNs)
        } else {
            source.accepted(on: new)
        }
        let earlyID = source.takeEarly(new)
        if source.connection == nil { moveOver(to: new) }
        if let earlyID { heedEarly(earlyID, on: new) }
        if source.connection != new { return }
        subscribe()
        judge()
    }

    /// The connection is gone; another takes over at once if there is one. The book must prove itself,
    /// whatever the other has shown: whatever ended the connection may have restarted the venue's ids.
    func disconnected(_ gone: UInt16) {
        if source.connection != gone { return source.gone(gone) }
        if candidate != nil { dropCandidate(failed: false) }
        if served.sync.isCollecting || awaited.isUnderWay { cancelSnapshot() }
        let keeps = served.sync.lastID != nil
        let former = doubt
        // Evidence of updates still to come remains valid, as does what the next connection has already
        // shown: a snapshot from before that is useless.
        var evidence = ahead
        let next = shared.connections.newest
        let shownID = next.flatMap { source.shownID(by: $0) }.flatMap { isPlausible($0) ? $0 : nil }
        if let shownID, served.sync.lastID.map({ shownID > $0 }) != false {
            evidence.note(shownID, nowNs: shared.nowNs)
        }
        // Without a book, what is known of the venue is all there is.
        let knownID = served.sync.isCollecting ? awaited.knownID : UpdateID(0)
        lose(.disconnected)
        ahead = evidence
        awaited.passed(max(knownID, shownID ?? knownID), nowNs: shared.nowNs)
        if keeps && !shared.defect.joinsByIdsAlone { putOnTrial(after: former, gone) }
        served.isCollecting = !shared.configuration.requestsAreAnnounced
        carryOut(served.sync.disconnected())
        moveOver(to: next)
        compareWhatIsAhead()
        if source.connection != nil { subscribe() }
        judge()
    }

    private func putOnTrial(after former: ReconnectDoubt, _ gone: UInt16) {
        shared.beginTrial(for: gone)
        doubt.kept(after: former, updates: counters.applied - appliedAtLoad, trial: shared.trial.number)
        counters.doubts += 1
    }

    /// The connection has ended as planned, after another one has served the same streams beside it for a
    /// while. A live book stays good if the other connection has shown the symbol and nothing newer, or if
    /// neither has shown it; not if its own was late or had omitted something, or the book itself waits for a
    /// confirmation.
    func retired(_ gone: UInt16) {
        if source.connection != gone { return source.gone(gone) }
        guard let next = shared.connections.newest, served.sync.isLive, !isLagging,
            source.leftOutNs == nil, source.confirmNs == nil, let id = served.sync.lastID
        else { return disconnected(gone) }
        if !source.isContinued(by: next, at: id, trustsUnseen: shared.defect.handsOverUnseen) {
            return disconnected(gone)
        }
        moveOverInstead(next)
    }

    private func moveOverInstead(_ next: UInt16) {
        if candidate != nil { dropCandidate(failed: false) }
        if source.isShown(by: next) { silence.subscribed() } else { silence.takenOver() }
        moveOver(to: next)
        served.sync.handedOver()
        judge()
        wake(atNs: shared.nowNs)
    }

    func moveOver(to connection: UInt16?) {
        source.moved(
            to: connection, upNs: connection.map { shared.connections.upNs($0) } ?? .min,
            isSilent: shared.connections.isSilent(connection) && !shared.defect.ignoresSilentConnection)
    }

    /// Its connection has gone silent, or delivers again.
    func connectionFellSilent(_ silent: UInt16, _ isSilent: Bool) {
        if source.connection != silent || shared.defect.ignoresSilentConnection { return }
        source.fellSilent(isSilent)
        judge()
    }
}
