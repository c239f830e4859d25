// WebSocket: upgrades, control messages, subscriptions.

import BinanceServing
import BinanceVenue
import FeedPlan
import LobTransport
import MarketData

extension ServerMachine {
    private var streamCountMax: Int {
        options.streamCountMax ?? rules.market.connectionTerms.streamCountMax
    }

    private var messagesPerSecondMax: Int {
        options.messagesPerSecondMax ?? rules.market.connectionTerms.messagesPerSecondMax
    }

    /// Decides on an upgrade request.
    func decide(_ request: HTTPRequest) -> UpgradeAnswer {
        if !admits(request) { return .refuse(strangersAnswer(request)) }
        if isClosing { return .refuse(ServerMachine.closingAnswer) }
        let caller = Caller(request, isKnown: isKnown(request))
        if !isInPace(caller.payer) {
            return .refuse(HTTPResponse(RestRefusal.tooManyRequests, retryAfterSeconds: 1))
        }
        if !caller.isKnown { return .refuse(HTTPResponse(RestRefusal.stranger)) }
        let share = shareRules.share(of: options.clientCountMax, for: request.owner)
        if clientShares.held(by: request.owner) >= share {
            let refusal = ConnectionRefusal.tooManyConnections
            return .refuse(HTTPResponse(refusal.answer(atUs: LoopClock.realtimeNs / 1_000)))
        }
        if let path = rules.queryPath, request.path == path {
            return .accept { [self] peer in openQuery(peer) }
        }
        guard let target = StreamTarget(RequestTarget(request), rules) else {
            return .refuse(HTTPResponse(ServingAnswer.noService))
        }
        let names = Set(target.names)
        if names.count > streamCountMax || !hasRoom(forStreams: names.count, of: request.owner) {
            let refusal = ConnectionRefusal.tooManyStreams
            return .refuse(HTTPResponse(refusal.answer(atUs: LoopClock.realtimeNs / 1_000)))
        }
        if names.contains(where: isTooLong) {
            return .refuse(
                HTTPResponse(ConnectionRefusal.nameTooLong.answer(atUs: LoopClock.realtimeNs / 1_000)))
        }
        pace.charge(caller.payer, RequestPace.cost(ofStreams: names.count) - 1)
        return .accept { [self] peer in open(peer, target) }
    }

    private func isTooLong(_ name: String) -> Bool { name.utf8.count > options.streamNameBytesMax }

    /// Whether an owner may have this many more streams.
    private func hasRoom(forStreams count: Int, of owner: String) -> Bool {
        counters.streamCount + count <= options.streamTotalMax
            && streamShares.held(by: owner) + count
                <= shareRules.share(of: options.streamTotalMax, for: owner)
    }

    /// Whether too much is queued for all clients' sockets, or for those of the caller's owner.
    func isOverloaded(by caller: Caller) -> Bool {
        let most = options.queuedBytesTotalMax
        return loop.queuedBytes > most || caller.queuedBytes > shareRules.share(of: most, for: caller.owner)
    }

    /// Most bytes that may be queued for one client.
    func queuedBytesMax(for peer: WebSocketPeer) -> Int {
        let (least, most) = (options.queuedBytesMin, options.queuedBytesMax)
        return isOverloaded(by: Caller(peer)) ? min(least, most) : most
    }

    private func open(_ peer: WebSocketPeer, _ target: StreamTarget) -> WebSocketPeer.Handlers {
        let client = ServerClient(peer, target, packer, queuedBytesMin: options.queuedBytesMin) {
            [unowned self, unowned peer] in queuedBytesMax(for: peer)
        }
        clients[ObjectIdentifier(client)] = client
        clientShares.take(client.owner)
        counters.connectedCount += 1
        for name in target.names { subscribe(client, name) }
        var handlers = WebSocketPeer.Handlers()
        handlers.message = { [unowned self, unowned client] bytes, isFinal in
            guard let message = client.collect(bytes, isFinal: isFinal) else { return }
            hear(message, from: client)
        }
        handlers.drained = { [unowned self, unowned client] in client.drained(&counters) }
        handlers.closed = { [unowned self] _ in
            let names = client.names
            counters.streamCount -= names.count
            streamShares.giveBack(client.owner, names.count)
            for name in names { leave(client, name) }
            clients[ObjectIdentifier(client)] = nil
            clientShares.giveBack(client.owner)
        }
        return handlers
    }

    private func hear(_ message: [UInt8], from client: ServerClient) {
        if !client.isOpen { return }
        if !client.countMessage(nowNs: LoopClock.monotonicNs, most: messagesPerSecondMax) {
            return client.close(.tooManyMessages)
        }
        do throws(ControlRefusal) {
            carryOut(try ControlRequest(message), for: client)
        } catch {
            client.reply(error.reply(.nested), &counters)
        }
    }

    private func carryOut(_ request: ControlRequest, for client: ServerClient) {
        var result = ControlResult.done
        switch request.action {
        case .subscribe(let names) where names.contains(where: isTooLong):
            return client.reply(ControlRefusal.nameTooLong(request.id).reply(.nested), &counters)
        case .subscribe(let names):
            if !isInPace(client.owner) { return client.close(.tooManyMessages) }
            pace.charge(client.owner, RequestPace.cost(ofStreams: names.count) - 1)
            let count = client.streamCount(with: names)
            let isRoom = hasRoom(forStreams: count - client.streamCount, of: client.owner)
            if count > streamCountMax || !isRoom {
                client.reply(ControlRefusal.tooManyStreams(request.id).reply(.nested), &counters)
                return client.close(.tooManyStreams)
            }
            for name in names { subscribe(client, name) }
        case .unsubscribe(let names): for name in names { unsubscribe(client, name) }
        case .listSubscriptions: result = .streams(client.names)
        case .setCombined(let isCombined): client.isCombined = isCombined
        case .getCombined: result = .flag(client.isCombined)
        }
        client.reply(result.reply(to: request.id), &counters)
    }

    private func subscribe(_ client: ServerClient, _ name: String) {
        if !client.add(name) { return }
        counters.streamCount += 1
        streamShares.take(client.owner)
        if client.isDeaf { return }
        let key = StreamTopic.Key(name: name, isMicroseconds: client.isMicroseconds)
        guard let topic = topics[key] ?? makeTopic(key) else { return }
        topic.add(client)
        welcome(client, to: topic)
    }

    /// Gives a new subscriber what the others have: the current state, or the last update.
    ///
    /// Why the last update: a client that requests the book of a quiet symbol would wait for an update that
    /// continues it. One that checks `U <= lastUpdateId <= u` on its first update would never find it, since
    /// answers here always have the last id of an update. Where the book may not be shown now, an update
    /// without levels does the same.
    private func welcome(_ client: ServerClient, to topic: StreamTopic) {
        guard let index = topic.symbol else {
            topic.shown.removeAll(keepingCapacity: true)
            topic.changed.formUnion(places.indices)
            return
        }
        if !isShown(index) {
            // Once it may be shown again, it is news to this client.
            topic.shown.removeAll(keepingCapacity: true)
            if topic.kind == .updates, let anchor = anchor(of: index) {
                client.send(client.isCombined ? topic.wrap(anchor) : anchor, &counters)
            }
            return
        }
        switch topic.kind {
        case .updates: repeatUpdate(book(index).message, to: client, topic, index)
        case .summaries: repeatUpdate(topic.message, to: client, topic, index)
        case .best, .partial:
            if topic.message.isEmpty || topic.isWaiting { return note(index) }
            client.pass(topic, &counters)
        case .everyBest: break
        }
    }

    /// Sends an update once more with the current time: a client that measures the lateness of updates must
    /// not take it for late.
    private func repeatUpdate(
        _ message: [UInt8], to client: ServerClient, _ topic: StreamTopic, _ index: Int
    ) {
        if message.isEmpty { return }
        do {
            guard try parser.parse(message.span, market: rules.market) == .depthUpdate else { return }
        } catch { return }
        let shard = shards[places[index].shard]
        if let nowUs = shard.venueTimeUs {
            parser.update.eventTimeUs = max(parser.update.eventTimeUs, nowUs)
        }
        let again = encoded(isMicroseconds: topic.key.isMicroseconds) { (encoder) throws(EncoderError) in
            try encoder.append(parser.update)
        }
        guard let again else { return }
        client.send(client.isCombined ? topic.wrap(again) : again, &counters)
    }

    private func unsubscribe(_ client: ServerClient, _ name: String) {
        if !client.remove(name) { return }
        counters.streamCount -= 1
        streamShares.giveBack(client.owner)
        leave(client, name)
    }

    private func leave(_ client: ServerClient, _ name: String) {
        let key = StreamTopic.Key(name: name, isMicroseconds: client.isMicroseconds)
        guard let topic = topics[key] else { return }
        topic.remove(client)
        if topic.hasClients { return }
        topics[key] = nil
        topicsOfAll.removeAll { $0 === topic }
        if let index = topic.symbol { topicsOfSymbol[index].removeAll { $0 === topic } }
    }

    /// The topic of a name; nil for names that are accepted but stay silent.
    private func makeTopic(_ key: StreamTopic.Key) -> StreamTopic? {
        if key.name == ServingRules.everyBestName && rules.market != .spot {
            let topic = StreamTopic(
                key, .everyBest, symbol: nil, intervalNs: ServerMachine.nanoseconds(5_000),
                summary: UpdateSummary(since: UpdateID(0), isLinked: false), on: loop)
            topics[key] = topic
            topicsOfAll.append(topic)
            return topic
        }
        guard let stream = StreamName(key.name), rules.serves(stream),
            let index = indicesOfStreams[stream.symbol]
        else { return nil }
        let intervalMs = stream.intervalMs ?? rules.intervalsMs[0]
        let kind: StreamTopic.Kind
        switch stream.content {
        case .depth:
            // A stream no slower than the one being followed is that stream.
            let ownMs = service.configuration.streams.depthInterval.rawValue
            kind = intervalMs <= ownMs ? .updates : .summaries
        case .partialDepth(let levelCount): kind = .partial(levelCount: levelCount)
        case .bookTicker: kind = .best
        }
        let isPaced = kind != .updates && kind != .best
        let topic = StreamTopic(
            key, kind, symbol: index, intervalNs: isPaced ? ServerMachine.nanoseconds(intervalMs) : 0,
            summary: UpdateSummary(since: book(index).book.lastUpdateID, isLinked: book(index).isLinked),
            on: loop)
        topics[key] = topic
        topicsOfSymbol[index].append(topic)
        return topic
    }

    private static func nanoseconds(_ milliseconds: Int) -> UInt64 { UInt64(milliseconds) * 1_000_000 }
}
