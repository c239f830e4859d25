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
        viewIsDue = true
        if hasJoined && loss == .none { counters.resyncs += 1 }
        if state == .live { fruitless = 0 }
        shared.lossCount &+= 1
        lossNumber = shared.lossCount
        loss = why
        needsProof = false
        isBelievedUnproven = false
        hole.reason = .none
        behind = BehindRun()
        ahead.removeAll()
        candidate = nil
        passedID = UpdateID(0)
    }

    /// The served book is wrong or unusable: starts again from a snapshot.
    func restart(_ why: StaleReason) {
        if state != .live { fruitless += 1 }
        lose(why)
        main.buffer.removeAll()
        main.isCollecting = !configuration.requestsAreAnnounced
        obey(main.sync.restart())
        judge()
    }

    /// Does what a synchronizer demands of the owner of the served book.
    func obey(_ demand: DepthSynchronizer.Demand) {
        switch demand {
        case .nothing: break
        case .clearBuffer: main.buffer.removeAll()
        case .requestSnapshot(let attempt): ask(attempt: attempt)
        }
    }

    func ask(attempt: Int) {
        requestSnapshot(hasJoined ? .resync : .initial, attempt: max(attempt, fruitless))
    }

    func requestSnapshot(_ purpose: SnapshotPriority, attempt: Int) {
        if !configuration.requestsAreAnnounced { answersAreVoid = false }
        shared.requests.append(.ask(name, purpose, attempt: attempt))
    }

    func cancelSnapshot() {
        answersAreVoid = true
        shared.requests.append(.cancel(name))
    }

    // MARK: - Doubts about a book that may well be right

    /// A message that may have been an update of this symbol was lost. The next update tells; if none comes,
    /// a snapshot will.
    func openHole(_ why: StaleReason) {
        if !hole.isOpen && main.sync.lastID != nil { counters.doubts += 1 }
        hole = Hole(reason: why, sinceNs: shared.nowNs)
        // What is collected has the same hole, and what is joined cannot tell.
        if candidate != nil { dropCandidate(failed: false) }
        judge()
        wake(atNs: shared.nowNs &+ configuration.doubtNsMin)
    }

    func closeHole() {
        hole.reason = .none
        counters.doubtsSettled += 1
    }

    /// A message of this symbol, or that may have been, was lost.
    func lostMessage(_ why: StaleReason, mayBeUpdate: Bool, from connection: UInt16) {
        if why == .dropped { counters.dropped += 1 } else { counters.unreadable += 1 }
        if !mayBeUpdate { return }
        if connection == source { return openHole(why) }
        // Nobody knows how far that one has come: nothing is handed over to it unseen.
        if shared.connections.contains(connection) { noteOther(connection, UpdateID(.max)) }
    }

    /// What another connection than the own one has shown.
    func noteOther(_ connection: UInt16, _ id: UpdateID) {
        if other.source != connection { other = OtherConnection(source: connection) }
        other.lastID = max(other.lastID, id)
    }

    /// The trial of a reconnect has come to an end.
    func hearVerdict() {
        if shared.trial.verdict == .refuted { doubtAgain() } else { believeIfJoined() }
    }

    /// A kept book that has joined its stream is believed if it may be.
    func believeIfJoined() {
        if needsProof && main.sync.isLive {
            believe()
            judge()
        } else if needsProof {
            wake(atNs: shared.nowNs)
        }
    }

    /// A kept book is believed because others of its venue have proven themselves.
    func believe() {
        needsProof = false
        isBelievedUnproven = true
        counters.doubtsSettled += 1
    }

    /// The ids of the venue turned out not to go on.
    func doubtAgain() {
        if isBelievedUnproven && main.sync.lastID != nil {
            isBelievedUnproven = false
            needsProof = true
            counters.doubts += 1
        }
        if needsProof { wake(atNs: shared.nowNs) }
        judge()
    }

    /// Something of the venue at the very id of the served book agrees with it.
    func proved(by evidence: Evidence) {
        // As long as the updates that come lie behind the book, it is ahead of its stream.
        if behind.count > 0 && !main.sync.isLive { return }
        main.sync.proven()
        if main.sync.isLive {
            hasJoined = true
            loss = .none
        }
        // The connection delivers, and the symbol is where it was: the stream may merely have nothing to say.
        if let sinceNs = streamDoubtedNs, shared.connections.isHeard(source, sinceNs: sinceNs) {
            streamDoubtedNs = nil
        }
        if evidence == .top { return }
        isBelievedUnproven = false
        if needsProof {
            needsProof = false
            counters.doubtsSettled += 1
            shared.proved(isTelling: keptUpdates > 0 && shared.trial.isOld(since: doubtedInTrial))
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
        if let source {
            guard shared.connections.isNewer(newer, than: source), !isLagging, let id = main.sync.lastID
            else { return false }
            if main.sync.isLive && ids.last == id {
                moveOver(to: newer)
                return true
            }
            if shared.rule.join(ids, id) != .connects { return false }
        }
        moveOver(to: newer)
        subscribe()
        return true
    }

    /// Updates of `source` come from now on.
    func subscribe() {
        silence.subscribed()
        streamDoubtedNs = nil
        obey(main.sync.subscribed())
        wake(atNs: shared.nowNs)
    }

    /// A connection came up: it is the source of a symbol that has none.
    func connected(_ new: UInt16) {
        isHeardBesideNewest = false
        if source != nil { return }
        moveOver(to: new)
        subscribe()
        judge()
    }

    /// The connection is gone; another one takes over at once if there is one. The book must prove itself,
    /// whatever that one has shown: what ended the connection may have begun the venue's ids anew.
    func disconnected(_ gone: UInt16) {
        if source != gone { return }
        if candidate != nil { dropCandidate(failed: false) }
        if main.sync.isCollecting { cancelSnapshot() }
        let keeps = main.sync.lastID != nil
        let isNewDoubt = !needsProof && !isBelievedUnproven
        lose(.disconnected)
        if keeps && !shared.defect.joinsByIdsAlone { putOnTrial(isNewDoubt) }
        main.isCollecting = !configuration.requestsAreAnnounced
        obey(main.sync.disconnected())
        moveOver(to: shared.connections.newest)
        if source != nil { subscribe() }
        judge()
    }

    private func putOnTrial(_ isNewDoubt: Bool) {
        shared.beginTrial()
        // What came since the last reconnect is as doubtful as what it was added to.
        if isNewDoubt {
            keptUpdates = counters.applied - appliedAtLoad
            doubtedInTrial = shared.trial.number
        }
        needsProof = true
        counters.doubts += 1
    }

    /// The connection has ended as planned, and another one has served the same streams beside it for a
    /// while. A book that was live is as good as before if the other one has shown the symbol and nothing
    /// newer, or if neither had anything of it; not if its own was late.
    func retired(_ gone: UInt16) {
        if source != gone { return }
        guard let next = shared.connections.newest, main.sync.isLive, !isLagging, let id = main.sync.lastID
        else { return disconnected(gone) }
        let isQuiet = !isHeardBesideNewest || shared.defect.handsOverUnseen
        let mayGoOn = isQuiet && (other.source != next || other.lastID <= id)
        if !mayGoOn && !isContinued(by: next) { return disconnected(gone) }
        moveOverInstead(next)
    }

    /// Whether another connection has delivered updates of this symbol and nothing newer than the book.
    private func isContinued(by next: UInt16) -> Bool {
        guard main.sync.isLive, let id = main.sync.lastID, other.source == next else { return false }
        return other.lastID <= id
    }

    private func moveOverInstead(_ next: UInt16) {
        if candidate != nil { dropCandidate(failed: false) }
        moveOver(to: next)
        silence.subscribed()
        main.sync.handedOver()
        judge()
    }

    private func moveOver(to connection: UInt16?) {
        source = connection
        other = OtherConnection()
        connectionIsSilent =
            shared.connections.isSilent(connection) && !shared.defect.ignoresSilentConnection
    }

    /// Its connection has fallen silent, or speaks again.
    func connectionFellSilent(_ silent: UInt16, _ isSilent: Bool) {
        if source != silent || shared.defect.ignoresSilentConnection { return }
        connectionIsSilent = isSilent
        judge()
    }
}
