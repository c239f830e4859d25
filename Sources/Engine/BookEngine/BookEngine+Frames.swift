// One function per kind of frame.
//
// SAFETY: a frame's bytes are read only during the call, and never beyond what the frame declares readable.

import BinanceVenue
import BookSync
import DepthBook
import LobHandoff
import MarketData

extension BookEngine {
    /// One message of a connection.
    mutating func message(_ frame: Frame) {
        let kind: MessageKind
        do {
            kind = try unsafe parser.parse(
                frame.bytes, updatesAreLinked: configuration.rules.updatesAreLinked,
                readableAfter: frame.readableAfter)
        } catch {
            return refused(frame, error)
        }
        switch kind {
        case .depthUpdate:
            if isMisnamed(parser.update.symbol, frame) { return misnamed(frame) }
            counters.depthUpdates &+= 1
            counters.levels &+= parser.update.levelCount
            let slot = slot(of: parser.update.symbol)
            if slot < 0 { return }
            books[slot].receive(parser.update, frame)
            note(slot)
        case .bookTicker:
            if isMisnamed(parser.ticker.symbol, frame) { return misnamed(frame) }
            counters.tickers &+= 1
            let slot = slot(of: parser.ticker.symbol)
            if slot < 0 { return }
            books[slot].receive(parser.ticker, from: frame.source)
            note(slot)
        case .partialDepth:
            if isMisnamed(parser.snapshot.symbol, frame) { return misnamed(frame) }
            counters.partialDepths &+= 1
            let slot = slot(of: parser.snapshot.symbol)
            if slot < 0 { return }
            books[slot].receivePartial(parser.snapshot, from: frame.source)
            note(slot)
        case .serverShutdown: counters.shutdowns &+= 1
        case .depthSnapshot, .other: counters.other &+= 1
        }
        if shared.takeVerdict() { tellVerdict() }
    }

    /// A REST depth body preceded by its envelope.
    mutating func snapshot(_ frame: Frame) {
        guard let (slot, envelope) = addressee(frame) else { return }
        do {
            try unsafe parser.parseSnapshot(
                UnsafeBufferPointer(rebasing: frame.bytes[SnapshotEnvelope.length...]),
                readableAfter: frame.readableAfter)
        } catch {
            counters.malformed &+= 1
            lastParseError = error
            books[slot].snapshotFailed()
            return note(slot)
        }
        let named = parser.snapshot.symbol
        if named.isEmpty || named == envelope.symbol {
            // The venue clamps requests beyond its deepest snapshot: a side of that length may be truncated.
            let deepest = configuration.rules.snapshotLevelCountMax
            books[slot].receiveSnapshot(
                &parser, limit: envelope.limit == 0 ? nil : min(envelope.limit, deepest))
        } else {
            books[slot].snapshotFailed()
        }
        note(slot)
        if shared.takeVerdict() { tellVerdict() }
    }

    /// A requested snapshot failed.
    mutating func snapshotFailed(_ frame: Frame) {
        guard let (slot, _) = addressee(frame) else { return }
        books[slot].snapshotFailed()
        note(slot)
    }

    /// The request for a snapshot was sent.
    mutating func snapshotRequested(_ frame: Frame) {
        guard let (slot, _) = addressee(frame) else { return }
        books[slot].snapshotAnnounced()
        note(slot)
    }

    /// A connection is up with all subscriptions of this engine.
    mutating func connected(_ frame: Frame) {
        // Its end was not reported; what was sent in between is missing.
        if shared.connections.contains(frame.source) { disconnected(frame.source) }
        shared.connected(frame.source, receivedAtNs: frame.receivedAtNs)
        let refused = unsafe RefusedStreams(frame.bytes.span)
        for slot in books.indices {
            books[slot].connected(frame.source, isRefused: refused.contains(books[slot].name))
            note(slot)
        }
    }

    /// A connection is gone.
    mutating func disconnected(_ source: UInt16) {
        shared.lost(source, oldestDoubt: oldestDoubt)
        for slot in books.indices {
            books[slot].disconnected(source)
            note(slot)
        }
    }

    /// A connection has ended, and nothing is missing between it and its successor, unless it died before.
    mutating func retired(_ source: UInt16) {
        let hasDied = shared.connections.isSilent(source) && !shared.defect.ignoresSilentConnection
        if hasDied { return disconnected(source) }
        shared.lost(source, oldestDoubt: oldestDoubt)
        for slot in books.indices {
            books[slot].retired(source)
            note(slot)
        }
    }

    private var oldestDoubt: Int? { books.lazy.filter(\.doubt.needsProof).map(\.doubt.sinceTrial).min() }

    /// Messages of a connection were lost before the ring.
    mutating func dropped(_ frame: Frame) {
        counters.dropped &+= 1
        if !shared.defect.ignoresDropped { lost(frame, .dropped) }
    }

    /// A stream of a connection has been resubscribed.
    mutating func resubscribed(_ frame: Frame) {
        if shared.defect.believesResubscribed { return }
        let owner = BookEngine.owner(of: frame)
        if !owner.mayBeUpdate { return }
        let slot = owner.symbol.map { table.slot(of: $0) } ?? -1
        for slot in slot >= 0 ? slot..<slot + 1 : books.indices {
            books[slot].subscribedAgain(on: frame.source)
            note(slot)
        }
    }

    /// Time has passed.
    mutating func tick(_ frame: Frame) {
        let silent = shared.tick(
            receivedAtNs: frame.receivedAtNs, monotonicNs: BookEngine.monotonicNs(frame))
        for source in silent { fellSilent(source, true) }
        for source in shared.connections.resumedUntimed(nowNs: shared.nowNs) { fellSilent(source, false) }
        if shared.connections.lateHaveChanged() { judgeAll() }
        shared.countableSlots = EngineShared.slotsPerTick
        wakeSome()
        lookAtSome()
        if shared.takeVerdict() { tellVerdict() }
    }

    /// The monotonic time in a tick, nil if it carries none.
    private static func monotonicNs(_ frame: Frame) -> Int64? {
        if unsafe frame.bytes.count != 8 { return nil }
        var bits: UInt64 = 0
        for index in 0..<8 { unsafe bits |= UInt64(frame.bytes[index]) << UInt64(8 * index) }
        return Int64(bitPattern: bits)
    }

    /// Any frame but a tick advances the clock and shows that its connection delivers. True if that one
    /// counts as silent.
    mutating func hear(_ frame: Frame) -> Bool {
        var heard: UInt16?
        switch frame.kind {
        case .tick: return false
        case .message, .dropped, .resubscribed: heard = frame.source
        case .connected, .disconnected, .retired, .depthSnapshot, .snapshotFailed, .snapshotRequested: break
        }
        return shared.advance(receivedAtNs: frame.receivedAtNs, hearing: heard)
    }

    /// A silent connection was heard, and its message has been processed.
    @inline(never)
    mutating func heardAgain(_ source: UInt16) {
        // A time that is not exact understates the lag.
        if !shared.clock.isExact { return }
        if shared.connections.hasResumed(source, nowNs: shared.nowNs) { fellSilent(source, false) }
    }

    /// What is known about a connection concerns all its books.
    @inline(never)
    private mutating func judgeAll() {
        for slot in books.indices {
            books[slot].judge()
            note(slot)
        }
    }

    @inline(never)
    private mutating func fellSilent(_ source: UInt16, _ isSilent: Bool) {
        for slot in books.indices {
            books[slot].connectionFellSilent(source, isSilent)
            note(slot)
        }
    }

    /// Looks at symbols that are due, a few at a time: the rest follow in the next ticks.
    private mutating func wakeSome() {
        let nowNs = shared.nowNs
        var dueCount = 0
        for wakeNs in wakes where wakeNs <= nowNs { dueCount += 1 }
        if dueCount <= BookEngine.wakesPerTick { wakeQuota = BookEngine.wakesPerTick }
        wakeQuota = max(wakeQuota, (dueCount + BookEngine.ticksPerWake - 1) / BookEngine.ticksPerWake)
        var glances = wakeQuota * BookEngine.glancesPerLook
        for _ in wakes.indices where glances > 0 && dueCount > 0 {
            nextWake = nextWake + 1 < wakes.count ? nextWake + 1 : 0
            if wakes[nextWake] > nowNs { continue }
            dueCount -= 1
            if books[nextWake].sleepsOn(nowNs: nowNs) {
                glances -= 1
            } else {
                glances -= BookEngine.glancesPerLook
                books[nextWake].tick()
            }
            note(nextWake)
        }
    }

    /// Tells every book the verdict of a reconnect trial.
    @inline(never)
    mutating func tellVerdict() {
        for slot in books.indices {
            books[slot].hearVerdict()
            note(slot)
        }
    }

    // MARK: - Lost messages

    @inline(__always)
    private func isMisnamed(_ symbol: SymbolName, _ frame: Frame) -> Bool {
        unsafe MessageParser.isMisnamed(symbol, parser.stream, frame.bytes)
            && !shared.defect.believesMisnamed
    }

    /// A message that names one symbol for its stream and another in its payload: one of them is damaged, and
    /// which one is not known. It is nobody's evidence, and both may have lost an update.
    @inline(never)
    private mutating func misnamed(_ frame: Frame) {
        refused(frame, ParseError(code: .badName, offset: parser.stream?.lowerBound ?? 0))
    }

    /// A message that cannot be read or believed.
    private mutating func refused(_ frame: Frame, _ error: ParseError) {
        counters.malformed &+= 1
        lastParseError = error
        if !shared.defect.ignoresUnreadable { lost(frame, .unreadable) }
    }

    /// A message was unreadable or dropped: finds the symbols that it may have belonged to.
    @inline(never)
    private mutating func lost(_ frame: Frame, _ why: StaleReason) {
        let owner = BookEngine.owner(of: frame)
        let slots = [owner.symbol, owner.otherSymbol].compactMap { $0 }.map { table.slot(of: $0) }
            .filter { $0 >= 0 }
        // A stream of another kind, whichever symbol it belongs to, is no loss to a book.
        if slots.isEmpty && !owner.mayBeUpdate { return }
        for slot in slots.isEmpty ? Array(books.indices) : slots {
            books[slot].lostMessage(why, mayBeUpdate: owner.mayBeUpdate, from: frame.source)
            note(slot)
        }
    }

    private static func owner(of frame: Frame) -> MessageOwner {
        unsafe MessageOwner(Array(frame.bytes.prefix(MessageOwner.headBytes)))
    }

    // MARK: - Slots

    /// Symbol and envelope at the start of a frame.
    private mutating func addressee(_ frame: Frame) -> (slot: Int, envelope: SnapshotEnvelope)? {
        guard let envelope = SnapshotEnvelope(unsafe frame.bytes.span) else {
            counters.malformed &+= 1
            return nil
        }
        let slot = slot(of: envelope.symbol)
        return slot < 0 ? nil : (slot, envelope)
    }

    /// The slot of a symbol, -1 if the engine does not hold it; may add it.
    private mutating func slot(of name: SymbolName) -> Int {
        // What was seen ahead lies in the cache by now; the table does not.
        if hintedSlot >= 0 && books[hintedSlot].name == name { return hintedSlot }
        let slot = table.slot(of: name)
        if slot >= 0 { return slot }
        if configuration.addsUnknownSymbols, !name.isEmpty, let added = addSymbol(name) { return added }
        counters.unknownSymbol &+= 1
        return -1
    }

    /// Collects what a book needs: to be published, to be looked at.
    @inline(__always)
    mutating func note(_ slot: Int) {
        wakes[slot] = books[slot].wakeNs
        if books.count >= BookEngine.lookAheadCountMin { hot[slot] = HotLines(books[slot]) }
        if books[slot].mailboxes.queue() { due.append(slot) }
    }
}
