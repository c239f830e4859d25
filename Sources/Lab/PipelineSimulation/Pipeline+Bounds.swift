// What must happen at once or within a time: the evidence that a frame carries, and how long a book may stay
// live in spite of it.
//
// Times are those of the frames, so that a consumer that stands still is judged by what it has received.
// Bounds are checked by ticks, four per second; each bound has two ticks of grace.

import BookEngine
import DepthBook
import LobHandoff
import MarketData
import SimulatedExchange

extension Pipeline {
    private static var graceUs: Int64 { 2 * tickUs }
    private static var aheadUs: Int64 { 2_000_000 }
    private static var silentUs: Int64 { 3_000_000 }
    /// After this many messages a pause of a minute is forgotten.
    private static var steadyMin: Int { 150 }
    private static var ageUs: Int64 { 150_000_000 }
    private static var missedUs: Int64 { 2_000_000 }
    /// Ids beyond this belong to nobody and prove nothing.
    static var idMax: Int64 { 1 << 60 }

    /// Notes the times and ids of a frame.
    func noteTimes(_ frame: SteppedFrame) {
        if frame.kind == .depthSnapshot, let index = frame.facts.index, symbols.indices.contains(index) {
            // The frame may show that nothing is on its way.
            checker.symbols[index].lateSinceUs = nil
        }
        noteLost(frame)
        if frame.kind != .message || frame.isRefused { return }
        var source = checker.sources[frame.source] ?? SourceWatch(heardUs: frame.atUs)
        source.steadyCount = frame.atUs - source.heardUs <= 500_000 ? source.steadyCount + 1 : 0
        source.heardUs = frame.atUs
        checker.sources[frame.source] = source
        guard let index = frame.facts.index, symbols.indices.contains(index) else { return }
        if frame.facts.stream == .depth { checker.symbols[index].delivered[frame.source, default: 0] += 1 }
        guard let id = frame.facts.lastID, id < Pipeline.idMax else { return }
        if engine.source(of: symbols[index]) != frame.source {
            let isAside = frame.facts.stream == .depth && !formerSources.contains(frame.source)
            if isAside && checker.symbols[index].aside == nil {
                checker.symbols[index].aside = (id, frame.atUs, frame.source)
            }
            return
        }
        switch frame.facts.stream {
        case .depth:
            // Clocks may differ, so lateness is measured against the fastest arrival so far.
            let delayUs = frame.facts.eventUs.map { frame.atUs - $0 } ?? 0
            let lateUs = checker.lateUs(delayUs, on: frame.source)
            let isLate = lateUs > engine.configuration.lagNsMax / 1000 + 500_000
            if isLate { return noteLate(frame) }
            // The connection is on time again, for everything that it carries.
            for other in symbols.indices where engine.source(of: symbols[other]) == frame.source {
                checker.symbols[other].lateSinceUs = nil
            }
        case .ticker, .partialDepth:
            if frame.facts.stream == .ticker { checker.symbols[index].tickerID = id }
            if formerSources.contains(frame.source) { return }
            guard let own = engine.status(symbols[index])?.lastUpdateID.value, id > own else { return }
            if plan.market != .spot {
                // The id says nothing there, but its prices do.
                if frame.facts.stream != .ticker { return }
                let differs = differs(index, engine.lastTicker)
                if differs == false { checker.symbols[index].ahead = nil }
                if differs != true { return }
            }
            if checker.symbols[index].ahead == nil { checker.symbols[index].ahead = (id, frame.atUs) }
        case .unknown: break
        }
    }

    /// An update was lost before the ring, or cannot be read.
    private func noteLost(_ frame: SteppedFrame) {
        guard frame.kind == .dropped || frame.kind == .message && frame.isRefused,
            let index = frame.facts.index, symbols.indices.contains(index), frame.facts.stream == .depth,
            engine.source(of: symbols[index]) == frame.source, let id = frame.facts.lastID,
            id < Pipeline.idMax, !formerSources.contains(frame.source)
        else { return }
        checker.symbols[index].lost = (id, frame.atUs, frame.source)
    }

    /// What was lost may have been of no account only if the venue said so since.
    func checkLost(_ index: Int, _ status: SymbolStatus) {
        guard let lost = checker.symbols[index].lost else { return }
        if engine.source(of: symbols[index]) != lost.source || status.lastUpdateID.value >= lost.id {
            return checker.symbols[index].lost = nil
        }
        if checker.symbols[index].pastUs > lost.atUs || plan.snapshotLagMs > 1000 { return }
        violated(
            .dropped, symbols[index], "live at \(status.lastUpdateID), behind \(lost.id), which was lost")
    }

    /// Checks what a frame just received rules out at once.
    func checkAtOnce(_ index: Int, _ frame: SteppedFrame) {
        if frame.facts.isNamed && !frame.facts.names(index) { return }
        guard engine.source(of: symbols[index]) == frame.source, frame.facts.mayBeDepth else { return }
        if frame.kind == .message && (frame.isRefused || frame.facts.isMisnamed) {
            violated(.unreadable, symbols[index], "live behind a message that could not be read")
        }
        if frame.kind == .dropped {
            violated(.dropped, symbols[index], "live behind a message that was dropped")
        }
        if frame.kind == .resubscribed {
            violated(.missed, symbols[index], "live though nothing has come of the new subscription")
        }
    }

    /// Checks all bounds.
    func checkBounds(atUs: Int64) {
        var bufferedBytes = 0
        for index in symbols.indices {
            checkBound(index, atUs: atUs)
            bufferedBytes += engine.status(symbols[index])?.bufferedBytes ?? 0
        }
        outcome.bufferedBytesMost = max(outcome.bufferedBytesMost, bufferedBytes)
        if bufferedBytes > plan.bufferedBytesMax {
            violated(.buffers, SymbolName(), "\(bufferedBytes) bytes in all buffers")
        }
    }

    private func checkBound(_ index: Int, atUs: Int64) {
        let symbol = symbols[index]
        let id = checker.symbols[index].view.lastUpdateID
        if let ahead = checker.symbols[index].ahead, id.value >= ahead.id {
            checker.symbols[index].ahead = nil
        }
        if venue.banEndUs != nil, checker.symbols[index].poisonedUs != nil {
            checker.symbols[index].poisonedUs = atUs
        }
        checkAside(index, id.value, atUs: atUs)
        // While the book is not live, nothing is found out and nobody is misled.
        if !checker.symbols[index].isLive {
            checker.symbols[index].poisonedUs? += Pipeline.tickUs
            // On futures nothing differs from a book that is not there yet.
            if plan.market != .spot { checker.symbols[index].ahead?.sinceUs = atUs }
        }
        guard checker.symbols[index].isLive, let source = engine.source(of: symbol) else {
            checker.symbols[index].lackingSinceUs = nil
            return
        }
        checkCarried(index, by: source, atUs: atUs)
        if let ahead = checker.symbols[index].ahead,
            atUs > ahead.sinceUs + Pipeline.aheadUs + Pipeline.graceUs
        {
            violated(.ahead, symbol, "live at \(id), and has known of \(ahead.id) for 2 s")
        }
        if let heard = checker.sources[source], heard.steadyCount >= Pipeline.steadyMin,
            atUs > heard.heardUs + Pipeline.silentUs + Pipeline.graceUs,
            let changedUs = venue.changedUs(of: symbol, after: id),
            atUs > changedUs + Pipeline.silentUs + Pipeline.graceUs
        {
            violated(
                .silent, symbol, "live on a connection silent for \((atUs - heard.heardUs) / 1000) ms")
        }
        if let lateUs = checker.symbols[index].lateSinceUs, checker.symbols[index].lateSource == source,
            atUs > lateUs + Pipeline.tickUs
        {
            violated(.lagging, symbol, "live at \(id), whose update came too late")
        }
        if let missed = venue.missed(of: symbol), missed.id > id,
            links.contains(where: { $0.id == missed.connection && $0.connection.id == source }),
            atUs > missed.toldUs + Pipeline.missedUs + Pipeline.graceUs,
            checker.symbols[index].pastUs < missed.toldUs, plan.snapshotLagMs <= 1000
        {
            violated(.missed, symbol, "live at \(id); \(missed.id) came between two subscriptions")
        }
        if formerSources.contains(source) || venue.banEndUs != nil { return }
        if let changedUs = venue.changedUs(of: symbol, after: id), atUs > changedUs + Pipeline.ageUs {
            violated(.age, symbol, "live at \(id), \((atUs - changedUs) / 1_000_000) s behind")
        }
    }

    /// What another connection shows counts as well; if it is the newer one, the other may be late by as much
    /// as is allowed.
    private func checkAside(_ index: Int, _ own: Int64, atUs: Int64) {
        guard let aside = checker.symbols[index].aside, aside.id > own, !formerSources.contains(aside.source),
            checker.sources[aside.source] != nil
        else { return checker.symbols[index].aside = nil }
        let limitUs = Pipeline.aheadUs + engine.configuration.lagNsMax / 1000
        if checker.symbols[index].isLive, atUs > aside.sinceUs + limitUs + Pipeline.graceUs {
            violated(
                .ahead, symbols[index],
                "live at \(own), while another connection has shown \(aside.id) for 2 s and the allowed lag")
        }
    }

    /// Whether a ticker's best prices differ from those of the view; nil if the view proves none.
    private func differs(_ index: Int, _ ticker: BookTicker) -> Bool? {
        let view = checker.symbols[index].view
        guard let bid = view.bestBid, let ask = view.bestAsk, view.scales == ticker.scales else { return nil }
        return bid.price != ticker.bid.price || ask.price != ticker.ask.price
    }

    /// What the venue has not accepted on a connection, nobody delivers.
    private func checkCarried(_ index: Int, by source: UInt16, atUs: Int64) {
        let isLacking = links.contains {
            guard $0.isOpen && $0.connection.id == source, let id = $0.id else { return false }
            return venue.lacks(symbols[index], on: id)
        }
        if !isLacking { return checker.symbols[index].lackingSinceUs = nil }
        let sinceUs = checker.symbols[index].lackingSinceUs ?? atUs
        checker.symbols[index].lackingSinceUs = sinceUs
        if atUs > sinceUs + 1_000_000 {
            violated(.carried, symbols[index], "live though its connection does not carry its stream")
        }
    }

    /// An update arrived late: everything else on its connection may be late too.
    private func noteLate(_ frame: SteppedFrame) {
        for index in symbols.indices where engine.source(of: symbols[index]) == frame.source {
            if checker.symbols[index].lateSource != frame.source { checker.symbols[index].lateSinceUs = nil }
            checker.symbols[index].lateSource = frame.source
            checker.symbols[index].lateSinceUs = checker.symbols[index].lateSinceUs ?? frame.atUs
        }
    }

    /// A connection has opened: from here on the updates that each one delivers are counted.
    func noteConnected(_ frame: SteppedFrame) {
        for index in symbols.indices { checker.symbols[index].delivered = [:] }
    }

    /// A connection was retired: checks what became of its books.
    func checkHandover(_ frame: SteppedFrame) {
        for index in symbols.indices where checker.symbols[index].isLive {
            guard let source = engine.source(of: symbols[index]), source != frame.source else { continue }
            let delivered = checker.symbols[index].delivered
            if let old = delivered[frame.source], old > 0, delivered[source] == nil {
                violated(
                    .handover, symbols[index],
                    "handed over to a connection that showed none of the \(old) updates of the old one")
            }
        }
    }
}
