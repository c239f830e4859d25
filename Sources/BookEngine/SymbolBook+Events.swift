// What one depth event does to one symbol.

import BinanceDepth
import DepthBook
import Handoff
import MarketData

extension SymbolBook {
    /// A depth event of this symbol, already parsed; `frame` holds its bytes.
    func receive(
        _ update: borrowing DepthUpdate, _ frame: Frame, _ connections: borrowing Connections,
        _ wishes: inout [EngineWish]
    ) {
        let ids = EventIDs(update)
        if source != frame.source && !takesOver(frame.source, ids, connections, &wishes) {
            counters.discarded += 1
            aheadID = max(aheadID, ids.last)
            return
        }
        noteArrival(frame.receivedAtNs)
        switch main.sync.receive(ids) {
        case .apply:
            apply(update, &wishes)
        case .discard:
            counters.discarded += 1
            dropWhatIsAhead(&wishes)
        case .buffer:
            buffer(frame, &wishes)
        case .bufferAnew:
            counters.gaps += 1
            main.buffer.removeAll()
            buffer(frame, &wishes)
        case .resync(let why, let attempt):
            lose(why == .missedWhileAway ? .disconnected : .gap)
            if why == .snapshotTooOld { counters.snapshotsTooOld += 1 } else { counters.gaps += 1 }
            buffer(frame, &wishes)
            ask(attempt: attempt, &wishes)
        }
        if shadow != nil { receiveInShadow(update, ids, frame, &wishes) }
    }

    /// Whether the events of another connection are to be used from this one on: always if the symbol has
    /// none, and otherwise if the newer connection's event continues the book without a hole, or is the very
    /// one that the book stands at. The second is the usual case while the older connection is the faster
    /// one: what follows on the newer one then follows the book.
    private func takesOver(
        _ other: UInt16, _ ids: EventIDs, _ connections: borrowing Connections, _ wishes: inout [EngineWish]
    ) -> Bool {
        guard connections.contains(other) else { return false }
        if let source {
            guard connections.isNewer(other, than: source), let id = main.sync.lastID else { return false }
            if main.sync.isLive && ids.last == id {
                moveOver(to: other)
                return true
            }
            if rule.join(ids, id) != .connects { return false }
        }
        moveOver(to: other)
        subscribe(&wishes)
        return true
    }

    /// Applies an event to the served book and checks what it can be checked against.
    func apply(_ update: borrowing DepthUpdate, _ wishes: inout [EngineWish]) {
        do {
            try main.book.apply(update)
        } catch {
            counters.rescales += 1
            restart(.rescale, &wishes)
            return
        }
        counters.applied += 1
        afterApply(&wishes)
    }

    /// The served book moved by one event.
    func afterApply(_ wishes: inout [EngineWish]) {
        viewIsDue = true
        if main.book.isCrossed {
            counters.crossings += 1
            restart(.crossed, &wishes)
            return
        }
        if main.sync.isLive {
            state = .live
            reason = .none
        }
        if tickers.count > 0 { compareRemembered(&wishes) }
    }

    /// Keeps a message for the book under construction.
    private func buffer(_ frame: Frame, _ wishes: inout [EngineWish]) {
        counters.buffered += 1
        if main.buffer.append(frame) { return }
        counters.bufferOverflows += 1
        obey(main.sync.restart(), &wishes)
        main.buffer.removeAll()
    }

    /// A snapshot, a book or a buffer that all events have been behind for too long: the snapshot belongs to
    /// another symbol or another time, or the venue has begun its ids anew.
    private func dropWhatIsAhead(_ wishes: inout [EngineWish]) {
        if case .joining(_, let asked) = main.sync.state, asked > 0 {
            if lastEventAtNs &- main.loadedAtNs <= configuration.snapshotAheadNsMax { return }
            counters.snapshotsRefuted += 1
            obey(main.sync.restart(), &wishes)
            return
        }
        let progress = counters.applied + counters.buffered
        if progress != progressWhenBehind {
            progressWhenBehind = progress
            behindSinceNs = lastEventAtNs
        }
        if lastEventAtNs &- behindSinceNs <= configuration.snapshotAheadNsMax { return }
        progressWhenBehind = -1
        counters.gaps += 1
        tickers.removeAll()
        restart(reason == .none ? .gap : reason, &wishes)
    }

    /// The same event for the book in the shadow.
    private func receiveInShadow(
        _ update: borrowing DepthUpdate, _ ids: EventIDs, _ frame: Frame, _ wishes: inout [EngineWish]
    ) {
        guard let shadow else { return }
        switch shadow.sync.receive(ids) {
        case .discard: break
        case .buffer:
            if !shadow.buffer.append(frame) {
                counters.bufferOverflows += 1
                dropShadow(&wishes)
            }
        case .apply:
            do { try shadow.book.apply(update) } catch { dropShadow(&wishes) }
        case .bufferAnew, .resync:
            dropShadow(&wishes)
        }
        settleShadow(&wishes)
    }

    private func noteArrival(_ receivedAtNs: Int64) {
        // What lies between two subscriptions says nothing of the symbol.
        if silence.isHeard {
            let interval = max(receivedAtNs &- lastEventAtNs, 0)
            usualIntervalNs += usualIntervalNs == 0 ? interval : (interval - usualIntervalNs) / 16
        }
        lastEventAtNs = receivedAtNs
        silence.heard(atNs: receivedAtNs)
    }

    // MARK: - Losing trust, and asking for what restores it

    /// The served book is believed no longer. Before the first live book there is nothing to lose.
    func lose(_ why: StaleReason) {
        viewIsDue = true
        if state == .live {
            counters.resyncs += 1
            fruitless = 0
        }
        if state != .syncing {
            state = .stale
            reason = why
        }
        shadow = nil
    }

    /// The served book is wrong or unusable: starts again from a snapshot.
    func restart(_ why: StaleReason, _ wishes: inout [EngineWish]) {
        if state != .live { fruitless += 1 }
        lose(why)
        main.buffer.removeAll()
        obey(main.sync.restart(), &wishes)
    }

    /// Does what a synchronizer demands of the owner of the served book.
    func obey(_ demand: DepthSynchronizer.Demand, _ wishes: inout [EngineWish]) {
        switch demand {
        case .nothing: break
        case .clearBuffer: main.buffer.removeAll()
        case .requestSnapshot(let attempt): ask(attempt: attempt, &wishes)
        }
    }

    func ask(attempt: Int, _ wishes: inout [EngineWish]) {
        wishes.append(
            .ask(name, state == .syncing ? .initial : .resync, attempt: max(attempt, fruitless)))
    }

    /// Events of `source` come from now on.
    func subscribe(_ wishes: inout [EngineWish]) {
        silence.subscribed()
        obey(main.sync.subscribed(), &wishes)
    }

    /// The connection is gone; another one takes over at once if there is one.
    func disconnected(_ gone: UInt16, _ connections: borrowing Connections, _ wishes: inout [EngineWish]) {
        if source != gone { return }
        if shadow != nil { dropShadow(&wishes) }
        if case .collecting = main.sync.state { wishes.append(.cancel(name)) }
        lose(.disconnected)
        obey(main.sync.disconnected(), &wishes)
        moveOver(to: connections.newest)
        if source != nil { subscribe(&wishes) }
    }

    /// The connection has ended as planned, and another one has delivered the same events for a while. A book
    /// that was live and has seen nothing newer there is as good as before.
    func retired(_ gone: UInt16, _ connections: borrowing Connections, _ wishes: inout [EngineWish]) {
        if source != gone { return }
        guard let next = connections.newest, main.sync.isLive, let id = main.sync.lastID, aheadID <= id else {
            return disconnected(gone, connections, &wishes)
        }
        if shadow != nil { dropShadow(&wishes) }
        moveOver(to: next)
        silence.subscribed()
        main.sync.handedOver()
    }

    private func moveOver(to connection: UInt16?) {
        source = connection
        aheadID = UpdateID(0)
    }
}
