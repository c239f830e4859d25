// Losing trust, and what restores it.

import BookSync
import DepthBook
import FeedPlan
import MarketData

/// What of the venue agreed with a served book at its very id.
enum Evidence {
    /// A ticker or a partial depth: the best levels. Shows that the stream delivers, and no more: two books
    /// of different times of a venue may well have the same best levels, above all soon after it began.
    case top
    /// A snapshot: the levels.
    case snapshot
}

extension SymbolBook {
    /// The served book is believed no longer, and neither is what was built beside it.
    func lose(_ why: StaleReason) {
        mailboxes.changed()
        shared.lossCount &+= 1
        if loss.lost(why, number: shared.lossCount) { counters.resyncs += 1 }
        awaited.bookLost(wasLive: state == .live)
        doubt.forget()
        gap.close()
        behind.end()
        ahead.removeAll()
        candidate = nil
    }

    /// The served book is wrong or unusable: starts again from a snapshot.
    func restart(_ why: StaleReason) {
        awaited.restarted(wasLive: state == .live)
        lose(why)
        served.buffer.removeAll()
        collectEarly()
        obey(served.sync.restart())
        judge()
    }

    /// Does what a synchronizer demands of the owner of the served book.
    func obey(_ demand: DepthSynchronizer.Demand) {
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

    /// A message that may have been an update of this symbol was lost. The next update tells; if none comes,
    /// a snapshot will.
    func suspectGap(_ why: StaleReason) {
        if !gap.isOpen && served.sync.lastID != nil { counters.doubts += 1 }
        gap.open(why, nowNs: shared.nowNs)
        // What is collected has the same gap, and what is joined cannot tell.
        if candidate != nil { dropCandidate(failed: false) }
        judge()
        wake(atNs: shared.nowNs &+ shared.configuration.doubtNsMin)
    }

    /// The suspicion is settled without a new book.
    func settleGap() {
        gap.close()
        counters.doubtsSettled += 1
    }

    /// A message of this symbol, or that may have been, was lost.
    func lostMessage(_ why: StaleReason, mayBeUpdate: Bool, from connection: UInt16) {
        // Said by the feed when the venue has accepted the new subscription: nothing was lost.
        if why == .dropped && mayBeUpdate && connection == source.connection
            && source.subscribedAgain(nowNs: shared.nowNs)
        {
            return wake(atNs: shared.nowNs)
        }
        if why == .dropped { counters.dropped += 1 } else { counters.unreadable += 1 }
        if !mayBeUpdate { return }
        if connection == source.connection { return suspectGap(why) }
        // Nobody knows how far that one has come: nothing is handed over to it unseen.
        if shared.connections.contains(connection) { source.lost(on: connection) }
    }

    /// The trial of a reconnect has come to an end.
    func hearVerdict() {
        if shared.trial.verdict == .refuted { doubtAgain() } else { believeIfJoined() }
    }

    /// A kept book that has joined its stream is believed if it may be.
    func believeIfJoined() {
        if doubt.needsProof && served.sync.isLive {
            believe()
            judge()
        } else if doubt.needsProof {
            wake(atNs: shared.nowNs)
        }
    }

    /// A kept book is believed because others of its venue have proven themselves.
    func believe() {
        doubt.believe()
        counters.doubtsSettled += 1
    }

    /// The ids of the venue turned out not to go on.
    func doubtAgain() {
        if served.sync.lastID != nil && doubt.refuted() { counters.doubts += 1 }
        if doubt.needsProof { wake(atNs: shared.nowNs) }
        judge()
    }

    /// From when on a snapshot shows what the connection of the symbol has seen the beginning of.
    private var seenFromNs: Int64 {
        let upNs = source.connection.map { shared.connections.upNs($0) } ?? 0
        return upNs &+ SymbolSource.snapshotLagNs
    }

    /// Something of the venue at the very id of the served book agrees with it.
    ///
    /// - Parameter atNs: when the venue was there, or later than that: on the engine's clock.
    func proved(by evidence: Evidence, atNs: Int64) {
        // As long as the updates that come lie behind the book, it is ahead of its stream.
        if !served.sync.isLive && behind.isRunning(nowNs: shared.nowNs, limitNs: behindLimitNs) { return }
        if evidence == .snapshot && !served.sync.isLive && atNs < seenFromNs {
            // It may be older than what the venue sent before this connection began.
            source.agreedEarly(untilNs: seenFromNs)
            wake(atNs: seenFromNs)
        }
        served.sync.proven()
        if served.sync.isLive { loss.joined() }
        source.agreed(atNs: atNs)
        if evidence == .top { return }
        if doubt.proved() {
            counters.doubtsSettled += 1
            shared.proved(isTelling: doubt.isTelling(of: shared.trial))
        }
    }

    // MARK: - Connections

    /// Whether the updates of another connection are to be used from this one on: always if the symbol has
    /// none, and otherwise if the newer connection's update continues the book without a hole, or is the very
    /// one that the book stands at. The second is the usual case while the older connection is the faster
    /// one: what follows on the newer one then follows the book. Not from a connection that is late: what it
    /// still brings may be of a former time of the venue, and the newer one's ids begin anew.
    func takesOver(_ newer: UInt16, _ ids: UpdateRange) -> Bool {
        guard shared.connections.contains(newer) else { return false }
        if let present = source.connection {
            guard shared.connections.isNewer(newer, than: present), !isLagging, let id = served.sync.lastID
            else { return false }
            if source.goesBack(ids.last, upNs: shared.connections.upNs(newer))
                || ids.first <= id && source.isShownBelow
            {
                // The venue has begun its ids anew; that they fit proves nothing.
                disconnected(present)
                return source.connection == newer
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

    /// Updates of the source come from now on.
    func subscribe() {
        silence.subscribed()
        obey(served.sync.subscribed())
        if served.sync.isCollecting && loss.hasJoined { collectEarly() }
        // Before its updates come: REST is behind them.
        if doubt.needsProof { seekProof(shared.nowNs) }
        wake(atNs: shared.nowNs)
    }

    /// A connection came up: it is the source of a symbol that has none.
    func connected(_ new: UInt16) {
        source.connectionUp()
        if source.connection != nil { return }
        moveOver(to: new)
        subscribe()
        judge()
    }

    /// The connection is gone; another one takes over at once if there is one. The book must prove itself,
    /// whatever that one has shown: what ended the connection may have begun the venue's ids anew.
    func disconnected(_ gone: UInt16) {
        if source.connection != gone { return }
        if candidate != nil { dropCandidate(failed: false) }
        if served.sync.isCollecting { cancelSnapshot() }
        let keeps = served.sync.lastID != nil
        let former = doubt
        // What was known to come is still to come, and so is what the next connection has shown already: a
        // snapshot from before it is of no use.
        var evidence = ahead
        let next = shared.connections.newest
        let shownID = next.flatMap { source.shownID(by: $0) }.flatMap { isPlausible($0) ? $0 : nil }
        if let shownID, served.sync.lastID.map({ shownID > $0 }) != false {
            evidence.note(shownID, nowNs: shared.nowNs)
        }
        lose(.disconnected)
        ahead = evidence
        if let shownID { awaited.passed(shownID, nowNs: shared.nowNs) }
        if keeps && !shared.defect.joinsByIdsAlone { putOnTrial(after: former) }
        served.isCollecting = !shared.configuration.requestsAreAnnounced
        obey(served.sync.disconnected())
        moveOver(to: next)
        if source.connection != nil { subscribe() }
        judge()
    }

    private func putOnTrial(after former: ReconnectDoubt) {
        shared.beginTrial()
        doubt.kept(after: former, updates: counters.applied - appliedAtLoad, trial: shared.trial.number)
        counters.doubts += 1
    }

    /// The connection has ended as planned, and another one has served the same streams beside it for a
    /// while. A book that was live is as good as before if the other one has shown the symbol and nothing
    /// newer, or if neither had anything of it; not if its own was late or had left something out.
    func retired(_ gone: UInt16) {
        if source.connection != gone { return }
        guard let next = shared.connections.newest, served.sync.isLive, !isLagging,
            source.leftOutNs == nil, let id = served.sync.lastID
        else { return disconnected(gone) }
        if !source.isContinued(by: next, at: id, trustsUnseen: shared.defect.handsOverUnseen) {
            return disconnected(gone)
        }
        moveOverInstead(next)
    }

    private func moveOverInstead(_ next: UInt16) {
        if candidate != nil { dropCandidate(failed: false) }
        moveOver(to: next)
        silence.subscribed()
        served.sync.handedOver()
        judge()
    }

    private func moveOver(to connection: UInt16?) {
        source.moved(
            to: connection,
            isSilent: shared.connections.isSilent(connection) && !shared.defect.ignoresSilentConnection)
    }

    /// Its connection has fallen silent, or speaks again.
    func connectionFellSilent(_ silent: UInt16, _ isSilent: Bool) {
        if source.connection != silent || shared.defect.ignoresSilentConnection { return }
        source.fellSilent(isSilent)
        judge()
    }
}
