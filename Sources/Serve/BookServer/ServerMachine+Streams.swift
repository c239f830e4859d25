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

    /// Decides on a request to upgrade.
    func decide(_ request: HTTPRequest) -> UpgradeAnswer {
        if !admits(request) { return .refuse(HTTPResponse(ServingAnswer.stranger)) }
        guard let target = StreamTarget(RequestTarget(request), rules) else {
            return .refuse(HTTPResponse(ServingAnswer.noService))
        }
        let names = Set(target.names).count
        if names > streamCountMax || counters.streamCount + names > options.streamTotalMax {
            let refusal = ConnectionRefusal.tooManyStreams
            return .refuse(HTTPResponse(refusal.answer(atUs: LoopClock.realtimeNs / 1_000)))
        }
        return .accept { [self] peer in open(peer, target) }
    }

    private func open(_ peer: WebSocketPeer, _ target: StreamTarget) -> WebSocketPeer.Handlers {
        let client = ServerClient(
            peer, isCombined: target.isCombined, isDeaf: target.isDeaf,
            queuedBytesMax: options.queuedBytesMax)
        clients.append(client)
        counters.connectedCount += 1
        for name in target.names { subscribe(client, name) }
        var handlers = WebSocketPeer.Handlers()
        handlers.message = { [unowned self, unowned client] bytes, isFinal in
            guard let message = client.collect(bytes, isFinal: isFinal) else { return }
            hear(message, from: client)
        }
        handlers.drained = { [unowned self, unowned client] in client.drained(&counters) }
        handlers.closed = { [unowned self] _ in
            counters.streamCount -= client.names.count
            for name in client.names { leave(client, name) }
            clients.removeAll { $0 === client }
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
            client.reply(error.reply(.nested))
        }
    }

    private func carryOut(_ request: ControlRequest, for client: ServerClient) {
        var result = ControlResult.done
        switch request.action {
        case .subscribe(let names):
            let count = client.streamCount(with: names)
            let total = counters.streamCount + count - client.names.count
            if count > streamCountMax || total > options.streamTotalMax {
                client.reply(ControlRefusal.tooManyStreams(request.id).reply(.nested))
                return client.close(.tooManyStreams)
            }
            for name in names { subscribe(client, name) }
        case .unsubscribe(let names): for name in names { unsubscribe(client, name) }
        case .listSubscriptions: result = .streams(client.names)
        case .setCombined(let isCombined): client.isCombined = isCombined
        case .getCombined: result = .flag(client.isCombined)
        }
        client.reply(result.reply(to: request.id))
    }

    private func subscribe(_ client: ServerClient, _ name: String) {
        if !client.add(name) { return }
        counters.streamCount += 1
        if client.isDeaf { return }
        guard let topic = topics[name] ?? makeTopic(name) else { return }
        topic.add(client)
        topic.shown = nil
        note(topic.symbol)
    }

    private func unsubscribe(_ client: ServerClient, _ name: String) {
        if !client.remove(name) { return }
        counters.streamCount -= 1
        leave(client, name)
    }

    private func leave(_ client: ServerClient, _ name: String) {
        guard let topic = topics[name] else { return }
        topic.remove(client)
        if !topic.clients.isEmpty { return }
        topics[name] = nil
        topicsOfSymbol[topic.symbol].removeAll { $0 === topic }
    }

    /// The topic of a name; nil for names that are accepted and stay silent.
    private func makeTopic(_ name: String) -> StreamTopic? {
        guard let stream = StreamName(name), rules.serves(stream),
            let index = indicesOfStreams[stream.symbol]
        else { return nil }
        let isPartial = stream.content != .depth && stream.content != .bookTicker
        let intervalMs = isPartial ? stream.intervalMs ?? rules.intervalsMs[0] : 0
        let topic = StreamTopic(name, stream, symbol: index, intervalNs: UInt64(intervalMs) * 1_000_000)
        topics[name] = topic
        topicsOfSymbol[index].append(topic)
        note(index)
        return topic
    }
}
