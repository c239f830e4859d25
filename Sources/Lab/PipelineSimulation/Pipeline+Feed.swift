// The feed of the simulation: the real connection supervisor and the real outbox, with the simulated venue
// where the sockets would be. What is left to write here is what a socket does: it opens a little later,
// hands over what arrives, answers pings, pings a silent peer, and gives up when no pong comes.

import BinanceVenue
import FeedPlan
import LobHandoff
import MarketData
import SimulatedExchange

/// A connection being opened.
struct Dial {
    var source: UInt16
    var dueUs: Int64
}

/// One open connection.
struct OpenConnection {
    var id: ConnectionID
    var sender: FrameOutbox.Sender
    var heardAtUs: Int64
    /// When it was pinged since it was heard last.
    var pingedAtUs: Int64?
    /// When the pong to that arrives.
    var pongDueUs: Int64?
    /// When messages of ours left within the last second.
    var sentUs: [Int64] = []
}

extension Pipeline {
    /// What a socket waits for before it pings, and then for the pong.
    static var probeAfterUs: Int64 { 15_000_000 }
    static var probeLimitUs: Int64 { 10_000_000 }

    /// The streams of every symbol.
    static var streams: StreamSelection {
        var streams = StreamSelection()
        streams.partialLevelCount = 5
        return streams
    }

    static func supervisor(_ plan: PipelinePlan, _ symbols: [SymbolName], _ endpoints: Endpoints)
        -> ConnectionSupervisor
    {
        var configuration = ConnectionSupervisor.Configuration(market: plan.market)
        configuration.terms.streamCountMax = max(1024, 3 * plan.symbolCount)
        configuration.terms.lifeMs = plan.connectionLifeSeconds * 1000
        configuration.renewalMarginMs = Int64(plan.connectionLifeSeconds) * 200
        configuration.renewalJitterMs = Int64(plan.connectionLifeSeconds) * 200
        configuration.seed = plan.seed
        return ConnectionSupervisor(
            streams: symbols.flatMap { streams.names(of: $0, at: endpoints)! }, configuration: configuration)
    }

    var nowMs: Int64 { venue.nowUs / 1000 }

    /// When a connection has something to do that no arrival announces.
    var nextConnectionUs: Int64 {
        var next = supervisor.wakeAtMs.map { $0 * 1000 } ?? .max
        for dial in dials { next = min(next, dial.dueUs) }
        for connection in connections {
            if let pingedAtUs = connection.pingedAtUs {
                next = min(next, pingedAtUs + Pipeline.probeLimitUs, connection.pongDueUs ?? .max)
            } else {
                next = min(next, connection.heardAtUs + Pipeline.probeAfterUs)
            }
        }
        return next
    }

    /// Takes what has arrived on every connection and does what time demands.
    func turnConnections() {
        while let index = dials.firstIndex(where: { $0.dueUs <= venue.nowUs }) {
            open(dials.remove(at: index))
        }
        for source in connections.map(\.sender.source) { turnConnection(source) }
        if let wakeAtMs = supervisor.wakeAtMs, wakeAtMs <= nowMs {
            perform(supervisor.timePassed(nowMs: nowMs))
        }
    }

    private func open(_ dial: Dial) {
        guard let id = try? venue.connect([], isCombined: true) else {
            violated(.terms, SymbolName(), "the venue refused a connection")
            return
        }
        connections.append(
            OpenConnection(
                id: id, sender: FrameOutbox.Sender(source: dial.source), heardAtUs: venue.nowUs))
        perform(supervisor.opened(dial.source, nowMs: nowMs))
    }

    private func index(_ source: UInt16) -> Int? {
        connections.firstIndex { $0.sender.source == source }
    }

    /// Takes what has arrived on one connection, in order: what a message leads to comes before the next one.
    private func turnConnection(_ source: UInt16) {
        guard let index = index(source) else { return }
        var arrivals: [(timeUs: Int64, delivery: VenueDelivery, bytes: [UInt8])] = []
        venue.poll(connections[index].id) { timeUs, delivery, bytes in
            arrivals.append((timeUs, delivery, tampered(bytes)))
        }
        for arrival in arrivals {
            guard let index = self.index(source) else { return }
            hear(index, arrival.timeUs)
            switch arrival.delivery {
            case .text: take(arrival.bytes, index, timeUs: arrival.timeUs)
            case .ping:
                countMessage(index)
                perform(supervisor.sent(source, nowMs: nowMs))
            case .closed(let code):
                venue.disconnect(connections.remove(at: index).id)
                perform(supervisor.closed(source, code == 1008 ? .refused : .lost, nowMs: nowMs))
            }
        }
        probe(source)
    }

    private func hear(_ index: Int, _ timeUs: Int64) {
        connections[index].heardAtUs = max(connections[index].heardAtUs, timeUs)
        connections[index].pingedAtUs = nil
        connections[index].pongDueUs = nil
    }

    private func take(_ message: [UInt8], _ index: Int, timeUs: Int64) {
        if let symbol = losesBeforeRing(message) {
            offer(
                .dropped, source: connections[index].sender.source, receivedAtNs: wallNs(timeUs),
                Array(message.prefix(FrameOutbox.smallBytesMax)))
            if plan.trouble == .dropped { beginTrouble(symbol, atUs: timeUs) }
            return
        }
        _ = outbox.receive(
            message.span, isFinal: true, from: &connections[index].sender, receivedAtNs: wallNs(timeUs))
        if let replica, replica.isTapped {
            replica.tap.receive(
                message.span, isFinal: true, source: connections[index].sender.source,
                receivedAtNs: wallNs(timeUs))
        }
        if MessageClass(message.span) == .data { return }
        let source = connections[index].sender.source
        switch try? ControlMessage(message.span) {
        case .reply(let id, let outcome):
            perform(supervisor.replied(source, to: id, outcome, nowMs: nowMs))
        case .serverShutdown: perform(supervisor.shutdownAnnounced(source, nowMs: nowMs))
        case .other, nil: break
        }
    }

    /// The index of the symbol, if a message of its depth stream is to be lost before the ring.
    private func losesBeforeRing(_ message: [UInt8]) -> Int? {
        if venue.faults[.drop] == 0 { return nil }
        let head = Array("{\"stream\":\"sim".utf8)
        guard message.starts(with: head) else { return nil }
        let digits = message[head.count...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let index = Int(String(decoding: digits, as: UTF8.self)), symbols.indices.contains(index),
            message[head.count...].starts(with: Array("\(index)usdt@depth@".utf8))
                || message[head.count...].starts(with: Array("\(index)usdt@depth\"".utf8)),
            venue.losesBeforeRing(symbols[index])
        else { return nil }
        return index
    }

    /// Pings a silent connection, and gives it up if that does not help.
    private func probe(_ source: UInt16) {
        guard let index = index(source) else { return }
        if let pongDueUs = connections[index].pongDueUs, pongDueUs <= venue.nowUs { hear(index, pongDueUs) }
        if let pingedAtUs = connections[index].pingedAtUs {
            if venue.nowUs < pingedAtUs + Pipeline.probeLimitUs { return }
            venue.disconnect(connections.remove(at: index).id)
            perform(supervisor.closed(source, .lost, nowMs: nowMs))
        } else if venue.nowUs >= connections[index].heardAtUs + Pipeline.probeAfterUs {
            connections[index].pingedAtUs = venue.nowUs
            connections[index].pongDueUs = venue.ping(connections[index].id)
            countMessage(index)
            perform(supervisor.sent(source, nowMs: nowMs))
        }
    }

    /// Does what the connection supervisor wants.
    func perform(_ actions: [ConnectionSupervisor.Action]) {
        let atNs = wallNs(venue.nowUs)
        for action in actions {
            switch action {
            case .open(let source):
                outcome.dials += 1
                if dials.count + connections.count > 1 {
                    violated(.terms, SymbolName(), "a third connection")
                }
                dials.append(Dial(source: source, dueUs: venue.nowUs + random.within(20_000...300_000)))
            case .send(let source, let request): send(request, source)
            case .close where plan.mistake == .keepsConnections: break
            case .close(let source):
                dials.removeAll { $0.source == source }
                if let index = index(source) { venue.disconnect(connections.remove(at: index).id) }
            case .connected(let source):
                offer(.connected, source: source, receivedAtNs: atNs)
            case .disconnected(let source):
                offer(.disconnected, source: source, receivedAtNs: atNs)
            case .retired(let source):
                offer(.retired, source: source, receivedAtNs: atNs)
            case .report(.replacing): outcome.replacements += 1
            case .report: break
            }
        }
    }

    private func send(_ request: StreamRequest, _ source: UInt16) {
        guard let index = index(source) else {
            return violated(.terms, SymbolName(), "a request on connection \(source), which is not open")
        }
        countMessage(index)
        let id = connections[index].id
        switch request.method {
        case .subscribe:
            try? venue.subscribe(request.streams, on: id, requestID: .integer(request.id))
        case .unsubscribe:
            try? venue.unsubscribe(request.streams, on: id, requestID: .integer(request.id))
        }
    }

    private func countMessage(_ index: Int) {
        connections[index].sentUs.removeAll { $0 <= venue.nowUs - 1_000_000 }
        connections[index].sentUs.append(venue.nowUs)
        let count = connections[index].sentUs.count
        if count > plan.market.connectionTerms.messagesPerSecondMax {
            violated(.terms, SymbolName(), "\(count) messages within a second on one connection")
        }
    }

    /// The bytes as an array; with the mistake `deleteByLiteral` without the removals it does not understand.
    private func tampered(_ bytes: Span<UInt8>) -> [UInt8] {
        var message: [UInt8] = []
        message.reserveCapacity(bytes.count)
        for index in bytes.indices { message.append(bytes[index]) }
        if plan.mistake == .misreadsTickers || isDistorting { return withLongerQuantities(message) }
        return plan.mistake == .deleteByLiteral ? withoutShortZeros(message) : message
    }
}
