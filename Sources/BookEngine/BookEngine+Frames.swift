// One function for each kind of frame.
//
// SAFETY: the bytes of a frame are read during the call only, and never beyond what the frame says is
// readable.

import BinanceDepth
import Handoff
import MarketData

extension BookEngine {
    /// One message of a connection.
    mutating func message(_ frame: Frame) {
        let kind: MessageKind
        do {
            kind = try unsafe parser.parse(
                frame.bytes, market: configuration.market, readableAfter: frame.readableAfter)
        } catch {
            counters.malformed &+= 1
            lastParseError = error
            return
        }
        switch kind {
        case .depthUpdate:
            counters.depthUpdates &+= 1
            counters.levels &+= parser.update.levelCount
            let slot = slot(of: parser.update.symbol, frame.source)
            if slot < 0 { return }
            books[slot].receive(parser.update, frame, connections, &wishes)
            note(slot)
        case .bookTicker:
            counters.tickers &+= 1
            let slot = slot(of: parser.ticker.symbol, frame.source)
            if slot < 0 { return }
            books[slot].receive(parser.ticker, &wishes)
            note(slot)
        case .partialDepth:
            counters.partialDepths &+= 1
            let slot = slot(of: parser.snapshot.symbol, frame.source)
            if slot < 0 { return }
            books[slot].receivePartial(parser.snapshot, &wishes)
            note(slot)
        case .controlReply: counters.controlReplies &+= 1
        case .errorReply: counters.errorReplies &+= 1
        case .serverShutdown: counters.shutdowns &+= 1
        case .depthSnapshot, .other: counters.other &+= 1
        }
    }

    /// A REST depth body behind its envelope.
    mutating func snapshot(_ frame: Frame) {
        guard let envelope = unsafe SnapshotEnvelope(frame.bytes) else {
            counters.malformed &+= 1
            return
        }
        let slot = slot(of: envelope.symbol, frame.source)
        if slot < 0 { return }
        do {
            try unsafe parser.parseSnapshot(
                UnsafeBufferPointer(rebasing: frame.bytes[SnapshotEnvelope.length...]),
                readableAfter: frame.readableAfter)
        } catch {
            counters.malformed &+= 1
            lastParseError = error
            books[slot].snapshotFailed(&wishes)
            return
        }
        let named = parser.snapshot.symbol
        if named.isEmpty || named == envelope.symbol {
            // The venue clamps what is asked for beyond its deepest: a side that long may go on.
            let deepest = configuration.market.snapshotLimit(atLeast: .max).levelCount
            books[slot].receiveSnapshot(
                &parser, limit: envelope.limit == 0 ? nil : min(envelope.limit, deepest),
                atNs: frame.receivedAtNs, &wishes)
        } else {
            books[slot].snapshotFailed(&wishes)
        }
        note(slot)
    }

    /// A snapshot that was asked for will not come.
    mutating func snapshotFailed(_ frame: Frame) {
        guard let envelope = unsafe SnapshotEnvelope(frame.bytes) else {
            counters.malformed &+= 1
            return
        }
        let slot = table.slot(of: envelope.symbol)
        if slot < 0 {
            counters.unknownSymbol &+= 1
            return
        }
        books[slot].snapshotFailed(&wishes)
        note(slot)
    }

    /// A connection is up with all subscriptions of this engine.
    mutating func connected(_ source: UInt16) {
        connections.add(source)
        for slot in books.indices where books[slot].source == nil {
            books[slot].source = source
            books[slot].subscribe(&wishes)
            note(slot)
        }
    }

    /// A connection is gone.
    mutating func disconnected(_ source: UInt16) {
        connections.remove(source)
        for slot in books.indices {
            books[slot].disconnected(source, connections, &wishes)
            note(slot)
        }
    }

    /// A connection has ended, and nothing is missing between it and the one that goes on.
    mutating func retired(_ source: UInt16) {
        connections.remove(source)
        for slot in books.indices {
            books[slot].retired(source, connections, &wishes)
            note(slot)
        }
    }

    /// Time passed.
    mutating func tick(_ atNs: Int64) {
        for slot in books.indices {
            books[slot].tick(atNs: atNs, &wishes)
            note(slot)
        }
        publishStatus(atNs: atNs)
    }

    /// The slot of a symbol, -1 if the engine does not hold it; may add it.
    private mutating func slot(of name: SymbolName, _ source: UInt16) -> Int {
        let slot = table.slot(of: name)
        if slot >= 0 { return slot }
        if configuration.addsUnknownSymbols, !name.isEmpty, let added = addSymbol(name) { return added }
        counters.unknownSymbol &+= 1
        return -1
    }

    private mutating func note(_ slot: Int) {
        if books[slot].viewIsDue && !books[slot].viewIsQueued {
            books[slot].viewIsQueued = true
            due.append(slot)
        }
    }
}
