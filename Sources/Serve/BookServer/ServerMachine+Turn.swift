// One turn: from the shards to the topics, and to sleep.

import BinanceServing
import BinanceVenue
import LobTransport
import MarketData

extension ServerMachine {
    private static let framesPerLook = 1_024
    private static let lookNs: UInt64 = 1_000_000
    private static let publishEveryNs: UInt64 = 10_000_000
    private static let tapAgainNs: UInt64 = 10_000_000
    private static let listAgainNs: UInt64 = 1_000_000_000
    private static let secondNs: UInt64 = 1_000_000_000

    /// Processes what has arrived and sends what is due; afterwards the loop may sleep.
    func work() {
        var rounds = TurnRounds()
        while true {
            for shard in shards { shard.wake.arm() }
            // After the thread has been held up, what waited must not be passed on as if it were of now.
            judge()
            let next = rounds.looked(hasFound: poll())
            if next == .sleep { return }
            let nowNs = LoopClock.monotonicNs
            serve(nowNs)
            switch next {
            case .serveAndLook: continue
            case .serveAndSleep, .sleep: return
            case .serveAndYield: return alarm.set(atNs: nowNs, nowNs: nowNs, on: loop)
            }
        }
    }

    private func serve(_ nowNs: UInt64) {
        judge()
        flush(nowNs)
        send()
        showEvents(nowNs)
        takeList(nowNs)
        answerHistory()
        publish(nowNs)
        if shards.contains(where: { !$0.isTapped }) {
            alarm.set(atNs: nowNs + ServerMachine.tapAgainNs, nowNs: nowNs, on: loop)
        }
    }

    /// Sends what there is for the clients, to each of them at once.
    private func send() {
        loop.sendBatch()
        if unsent.isEmpty { return }
        let nowNs = LoopClock.realtimeNs
        for update in unsent { latencies.note(update, nowNs: nowNs) }
        unsent.removeAll(keepingCapacity: true)
    }

    /// Whether there was anything.
    private func poll() -> Bool {
        var isBusy = false
        let endNs = LoopClock.monotonicNs + ServerMachine.lookNs
        for (number, shard) in shards.enumerated() {
            let count = shard.poll(
                service, limit: ServerMachine.framesPerLook, endNs: endNs, news[number])
            if count > 0 { isBusy = true }
        }
        return isBusy
    }

    private func publish(_ nowNs: UInt64) {
        if counters == published { return }
        if nowNs - publishedNs < ServerMachine.publishEveryNs {
            return alarm.set(atNs: publishedNs + ServerMachine.publishEveryNs, nowNs: nowNs, on: loop)
        }
        (published, publishedNs) = (counters, nowNs)
        countersWriter.publish(counters)
    }

    /// Judges the server itself. A shard that lagged too far and has caught up shows its books again.
    private func judge() {
        counters.clientCount = clients.count
        counters.queuedBytes = loop.queuedBytes
        let atNs = LoopClock.realtimeNs
        var lagNs: Int64 = 0
        var index = 0
        for (number, shard) in shards.enumerated() {
            let own = shard.lagNs(atNs: atNs)
            lagNs = max(lagNs, own)
            let isLate = isTooLate(own, wasLate: shard.isLate)
            if isLate && !shard.isLate {
                counters.lateCount += 1
                for slot in shard.symbols.indices { note(index + slot) }
            }
            shard.judge(isLate: isLate, news[number])
            index += shard.symbols.count
        }
        counters.tapLagMs = Int(lagNs / 1_000_000)
        counters.tapDroppedCount = shards.reduce(0) { $0 + $1.gauges.droppedFrames }
        counters.tapMostBytes = shards.map(\.gauges.highWaterBytes).max() ?? 0
    }

    /// Whether a symbol's book may be shown in streams, as of this turn.
    func isShown(_ index: Int) -> Bool {
        let (shard, slot) = places[index]
        return !shards[shard].holds(slot) && book(index).isShown
    }

    /// Requests the venue's symbol list: soon again until it arrives, occasionally later.
    private func takeList(_ nowNs: UInt64) {
        if let list = lists.take().first {
            // A symbol no longer listed has lost its properties.
            facts = [:]
            for info in list.symbols where indices[info.symbol] != nil { facts[info.symbol] = info }
            texts = list.texts
            counters.listCount += 1
            listNotBeforeNs = nowNs + UInt64(max(options.listEverySeconds, 1)) * ServerMachine.secondNs
        }
        if nowNs >= listNotBeforeNs {
            listNotBeforeNs = nowNs + (facts.isEmpty ? 1 : 60) * ServerMachine.listAgainNs
            _ = service.fetchListTexts { [lists, remote = loop.remote] result in
                if case .success(let list) = result, lists.post(list) { remote.wake() }
            }
        }
        alarm.set(atNs: listNotBeforeNs, nowNs: nowNs, on: loop)
    }

    // MARK: - News from the shards

    /// The next update of a symbol, unchanged.
    func passed(_ index: Int, _ update: borrowing DepthUpdate) {
        counters.passedCount += 1
        let appliedAtNs = LoopClock.realtimeNs
        completeMessage(index, update)
        changed(index, update, isMicroseconds: service.configuration.isMicroseconds)
        if let heard = shards[places[index].shard].heard {
            unsent.append(
                ServerLatencies.Update(
                    eventTimeUs: heard.eventTimeUs, receivedAtNs: heard.receivedAtNs,
                    appliedAtNs: appliedAtNs))
        }
    }

    /// Encodes the message of an update that arrived in an unusual form.
    func completeMessage(_ index: Int, _ update: borrowing DepthUpdate) {
        let book = book(index)
        if !book.message.isEmpty { return }
        book.message =
            encoded(isMicroseconds: service.configuration.isMicroseconds) { (encoder) throws(EncoderError) in
                try encoder.append(update)
            } ?? []
    }

    /// Sends an update to its symbol's subscribers.
    func changed(
        _ index: Int, _ update: borrowing DepthUpdate, isMicroseconds: Bool, summarises: Bool = true
    ) {
        let nowNs = LoopClock.monotonicNs
        rates.note(index, nowNs: nowNs)
        let message = book(index).message
        for topic in topicsOfSymbol[index] {
            switch topic.kind {
            case .updates where rules.market != .spot || topic.key.isMicroseconds == isMicroseconds:
                topic.send(message, nowNs: nowNs, &counters)
            case .updates:
                let bytes = encoded(isMicroseconds: topic.key.isMicroseconds) {
                    (encoder) throws(EncoderError) in try encoder.append(update)
                }
                if let bytes { topic.send(bytes, nowNs: nowNs, &counters) }
            case .summaries: if summarises { topic.summary.add(update) }
            case .partial, .best, .everyBest: break
            }
        }
        note(index)
    }

    /// A symbol's book may be shown.
    func resumed(_ index: Int) {
        let book = book(index)
        if book.message.isEmpty {
            for topic in topicsOfSymbol[index] where topic.kind == .summaries {
                topic.summary = UpdateSummary(since: book.book.lastUpdateID, isLinked: book.isLinked)
            }
            anchor(index)
        }
        note(index)
    }

    /// Gives the subscribers of a book that has just begun, and those to come, an update to begin with.
    private func anchor(_ index: Int) {
        guard let anchor = anchor(of: index) else { return }
        book(index).message = anchor
        let nowNs = LoopClock.monotonicNs
        for topic in topicsOfSymbol[index] where topic.kind == .updates {
            topic.send(anchor, nowNs: nowNs, &counters)
        }
    }

    /// An update without levels that ends at the id held; nil where updates are not linked, or without a
    /// book. Clients there look for a first update with U <= lastUpdateId <= u.
    func anchor(of index: Int) -> [UInt8]? {
        let book = book(index)
        if !book.isLinked || book.state == .empty { return nil }
        book.fillAnchor(&made)
        if let nowUs = shards[places[index].shard].venueTimeUs {
            made.eventTimeUs = max(made.eventTimeUs, nowUs)
            made.transactionTimeUs = made.eventTimeUs
        }
        return encoded { (encoder) throws(EncoderError) in try encoder.append(made) }
    }

    /// Streams of a symbol's state may have something to show.
    func note(_ index: Int) {
        events.note(index)
        for topic in topicsOfAll { topic.changed.insert(index) }
        if isDirty[index] || topicsOfSymbol[index].allSatisfy({ $0.kind == .updates }) { return }
        isDirty[index] = true
        dirty.append(index)
    }

    // MARK: - Messages made here

    /// Makes due partial depths, best prices and summaries.
    private func flush(_ nowNs: UInt64) {
        for topic in topicsOfAll where !topic.changed.isEmpty { flush(topic, nowNs) }
        if nowNs >= waitingDueNs {
            let due = waiting
            waiting.removeAll(keepingCapacity: true)
            waitingDueNs = .max
            for topic in due {
                topic.isWaiting = false
                if let index = topic.symbol, isShown(index) { make(topic, index, nowNs) }
            }
        }
        for index in dirty {
            isDirty[index] = false
            // Once it may be shown again, it is noted again.
            if !isShown(index) { continue }
            for topic in topicsOfSymbol[index] where topic.kind != .updates && !topic.isWaiting {
                make(topic, index, nowNs)
            }
        }
        dirty.removeAll(keepingCapacity: true)
        if waitingDueNs != .max { alarm.set(atNs: waitingDueNs, nowNs: nowNs, on: loop) }
    }

    /// Makes the message of a topic, now or when its interval is over.
    private func make(_ topic: StreamTopic, _ index: Int, _ nowNs: UInt64) {
        if topic.clients.isEmpty { return }
        let dueNs = topic.sentNs + topic.intervalNs
        if nowNs >= dueNs {
            if let bytes = message(of: topic, index) { topic.send(bytes, nowNs: nowNs, &counters) }
        } else {
            topic.isWaiting = true
            waiting.append(topic)
            waitingDueNs = min(waitingDueNs, dueNs)
        }
    }

    /// The current message of a topic; nil if it has already been sent.
    private func message(of topic: StreamTopic, _ index: Int) -> [UInt8]? {
        let book = book(index)
        let isMicroseconds = topic.key.isMicroseconds
        switch topic.kind {
        case .updates: return nil
        case .summaries:
            if topic.summary.isEmpty { return nil }
            topic.summary.take(&made, from: book)
            return encoded(isMicroseconds: isMicroseconds) { (encoder) throws(EncoderError) in
                try encoder.append(made)
            }
        case .partial(let levelCount):
            book.fill(&snapshot, limit: levelCount)
            if rules.market == .spot {
                return encoded(isMicroseconds: isMicroseconds) { (encoder) throws(EncoderError) in
                    try encoder.append(snapshot)
                }
            }
            book.fill(&made, from: snapshot)
            return encoded(isMicroseconds: isMicroseconds) { (encoder) throws(EncoderError) in
                try encoder.append(made)
            }
        case .best, .everyBest:
            let best = BestLevels(bid: book.book.bestBid, ask: book.book.bestAsk)
            if topic.shown[index] == best { return nil }
            topic.shown[index] = best
            return encoded(isMicroseconds: isMicroseconds) { (encoder) throws(EncoderError) in
                try encoder.append(book.ticker)
            }
        }
    }

    /// The best prices of every changed symbol.
    private func flush(_ topic: StreamTopic, _ nowNs: UInt64) {
        let dueNs = topic.sentNs + topic.intervalNs
        if nowNs < dueNs { return alarm.set(atNs: dueNs, nowNs: nowNs, on: loop) }
        let changed = topic.changed.sorted()
        topic.changed.removeAll(keepingCapacity: true)
        for index in changed where isShown(index) {
            if let bytes = message(of: topic, index) { topic.send(bytes, nowNs: nowNs, &counters) }
        }
    }

    /// The bytes of one message; nil if it cannot be printed.
    func encoded(
        isMicroseconds: Bool = false, _ append: (inout MessageEncoder) throws(EncoderError) -> Void
    ) -> [UInt8]? {
        encoders.bytes(isMicroseconds: isMicroseconds, append)
    }
}
