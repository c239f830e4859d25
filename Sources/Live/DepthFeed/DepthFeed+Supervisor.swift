// Between the links and the connection supervisor: performs the supervisor's actions and reports to it what
// happens to a link.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import MarketData

extension DepthFeed {
    /// Performs the supervisor's actions, in order.
    func perform(_ wanted: [ConnectionSupervisor.Action]) {
        actions += wanted
        if isPerforming { return }
        isPerforming = true
        let isSomething = !actions.isEmpty
        while !actions.isEmpty { perform(actions.removeFirst()) }
        isPerforming = false
        setAlarm()
        if isSomething { publish() }
    }

    private func perform(_ action: ConnectionSupervisor.Action) {
        switch action {
        case .open(let id): open(id)
        case .send(let id, let request): connections[id]?.link?.send(request.text)
        case .close(let id): close(id)
        case .connected(let id, let refused):
            let atNs = clock.realtimeNs
            let body = RefusedStreams(refused.compactMap { symbolOfUpdates($0)?.name }).bytes
            serving.append((id, atNs, body))
            announce(.connected, id, atNs: atNs, body)
        case .disconnected(let id):
            serving.removeAll { $0.id == id }
            announce(.disconnected, id, atNs: clock.realtimeNs)
        case .retired(let id):
            serving.removeAll { $0.id == id }
            announce(.retired, id, atNs: clock.realtimeNs)
        case .resubscribed(let id, let streams):
            mark(streams, on: id)
            if let index = serving.firstIndex(where: { $0.id == id }), !serving[index].refused.isEmpty {
                let refused = supervisor.refused(on: id).compactMap { symbolOfUpdates($0)?.name }
                serving[index].refused = RefusedStreams(refused).bytes
            }
        case .report(let report): note(report)
        }
    }

    /// Marks that these streams have been resubscribed: a `resubscribed` frame for each that carries updates.
    private func mark(_ streams: [String], on id: UInt16) {
        let atNs = clock.realtimeNs
        for stream in streams {
            guard let (_, index, head) = symbolOfUpdates(stream) else { continue }
            announce(.resubscribed, id, atNs: atNs, key: keys.count + index, head)
        }
    }

    /// The symbol whose updates a stream carries, its number, and how a message of it begins; nil for others.
    private func symbolOfUpdates(_ stream: String) -> (name: SymbolName, index: Int, head: [UInt8])? {
        let head = Array("{\"stream\":\"\(stream)\"".utf8)
        let owner = MessageOwner(head)
        guard owner.mayBeUpdate, let name = owner.symbol, let index = keys[name] else { return nil }
        return (name, index, head)
    }

    private func note(_ event: ConnectionSupervisor.Report) {
        switch event {
        case .replacing: counted.replacements += 1
        case .resubscribing(_, let streamCount): counted.resubscribedStreams += streamCount
        case .refused: counted.refusals += 1
        case .notOpened: counted.losses += 1
        case .subscribed, .unanswered, .waiting: break
        }
        report(.supervisor(event))
    }

    private func open(_ id: UInt16) {
        counted.attempts += 1
        countLinks(1)
        report(.dialling(id))
        let connection = FeedConnection(id)
        connections[id] = connection
        connection.link = dial(self, connection)
    }

    private func close(_ id: UInt16) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        abandon(connection)
        connection.retire()
    }

    /// A link makes another attempt, at another address or by other means: the venue counts it.
    package func redialled() { supervisor.redialled(nowMs: nowMs) }

    /// A connection is open.
    ///
    /// - Parameters:
    ///   - connection: which one.
    ///   - backend: what carries it, for display.
    package func opened(_ connection: FeedConnection, backend: String) {
        if connection.isRetired { return }
        report(.opened(connection.id, backend: backend))
        perform(supervisor.opened(connection.id, nowMs: nowMs))
    }

    /// A connection has ended, by either side, or could not be opened. The last report about it.
    package func ended(_ connection: FeedConnection, _ end: LinkEnd) {
        countLinks(-1)
        connection.link = nil
        if !connection.isRetired { lose(connection, end) }
    }

    private func lose(_ connection: FeedConnection, _ end: LinkEnd) {
        connections[connection.id] = nil
        abandon(connection)
        counted.losses += 1
        counted.lastError = InlineText(end.line)
        report(.ended(connection.id, end))
        perform(
            supervisor.closed(
                connection.id, end.loss, hasDelivered: connection.dataCount > 0,
                retryAfterSeconds: end.retryAfterSeconds, nowMs: nowMs))
    }

    /// Checks whether busy connections still deliver.
    func lookForSilence() {
        let nowMs = nowMs
        for connection in connections.values.sorted(by: { $0.id < $1.id }) {
            switch connection.look(configuration.busySilence, nowMs: nowMs) {
            case .ping: if connection.link?.ping() == true { probed(connection) }
            case .replace:
                report(.fellSilent(connection.id, forMs: connection.silentMs))
                perform(supervisor.fellSilent(connection.id, nowMs: nowMs))
            case .giveUp:
                connection.abort()
                lose(connection, LinkEnd(error: "nothing received for \(connection.silentMs) ms"))
            case nil: break
            }
        }
    }

    /// The peer sent a ping, which was answered.
    package func pinged(_ connection: FeedConnection) {
        if connection.isRetired { return }
        counted.pings += 1
        connection.heardCount &+= 1
        perform(supervisor.sent(connection.id, nowMs: nowMs))
    }

    /// The link pinged a silent peer on its own.
    package func probed(_ connection: FeedConnection) {
        if connection.isRetired { return }
        counted.probes += 1
        perform(supervisor.sent(connection.id, nowMs: nowMs))
    }

    /// The peer answered a ping.
    package func ponged(_ connection: FeedConnection) { connection.heardCount &+= 1 }

    /// A whole message that is not data.
    func heard(_ control: ControlReader.Result, _ bytes: Span<UInt8>, on connection: FeedConnection) {
        let message: ControlMessage
        do throws(ParseError) {
            switch control {
            case .whole: message = try ControlMessage(bytes)
            case .gathered:
                let gathered = connection.control.gathered
                message = try ControlMessage(gathered.span)
            case .tooLong: return unreadable(connection, nil)
            }
        } catch {
            return unreadable(connection, error)
        }
        switch message {
        case .reply(let requestID, let outcome):
            perform(supervisor.replied(connection.id, to: requestID, outcome, nowMs: nowMs))
        case .serverShutdown:
            counted.shutdowns += 1
            report(.shutdownAnnounced(connection.id))
            perform(supervisor.shutdownAnnounced(connection.id, nowMs: nowMs))
        case .other: break
        }
    }

    private func unreadable(_ connection: FeedConnection, _ error: ParseError?) {
        counted.unreadable += 1
        report(.unreadable(connection.id, error))
    }
}
