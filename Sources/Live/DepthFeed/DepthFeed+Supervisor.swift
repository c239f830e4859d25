// Between the sockets and the connection supervisor: what the supervisor wants is done, and what happens to a
// socket is told to it.

import BinanceVenue
import FeedPlan
import LobHandoff
import LobTransport
import MarketData

extension DepthFeed {
    /// Does what the supervisor wants, in order.
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
        case .send(let id, let request): sockets[id]?.send(request.text)
        case .close(let id): close(id)
        case .connected(let id):
            let atNs = LoopClock.realtimeNs
            serving.append((id, atNs))
            announce(.connected, id, atNs: atNs)
        case .disconnected(let id):
            serving.removeAll { $0.id == id }
            announce(.disconnected, id, atNs: LoopClock.realtimeNs)
        case .retired(let id):
            serving.removeAll { $0.id == id }
            announce(.retired, id, atNs: LoopClock.realtimeNs)
        case .report(let report): note(report)
        }
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
        countSockets(1)
        report(.dialling(id))
        sockets[id] = FeedSocket(id, of: self)
    }

    private func close(_ id: UInt16) {
        guard let socket = sockets.removeValue(forKey: id) else { return }
        abandon(socket)
        socket.retire()
    }

    func opened(_ socket: FeedSocket, _ backend: WebSocketBackend) {
        if socket.isRetired { return }
        report(.opened(socket.id, backend))
        perform(supervisor.opened(socket.id, nowMs: nowMs))
    }

    func ended(_ socket: FeedSocket, _ end: WebSocketEnd) {
        countSockets(-1)
        if !socket.isRetired { lose(socket, end) }
    }

    private func lose(_ socket: FeedSocket, _ end: WebSocketEnd) {
        sockets[socket.id] = nil
        abandon(socket)
        counted.losses += 1
        counted.lastError = InlineText(end.line)
        report(.ended(socket.id, end))
        perform(
            supervisor.closed(
                socket.id, end.loss, hasDelivered: socket.dataCount > 0,
                retryAfterSeconds: end.retryAfterSeconds, nowMs: nowMs))
    }

    /// Whether connections that were busy still say something.
    func lookForSilence() {
        let nowMs = nowMs
        for socket in sockets.values.sorted(by: { $0.id < $1.id }) {
            switch socket.look(configuration.busySilence, nowMs: nowMs) {
            case .ping: if socket.ping() { probed(socket) }
            case .replace:
                report(.fellSilent(socket.id, forMs: socket.silentMs))
                perform(supervisor.fellSilent(socket.id, nowMs: nowMs))
            case .giveUp:
                let end = WebSocketEnd(error: .silent(forMs: Int(socket.silentMs)))
                socket.abort()
                lose(socket, end)
            case nil: break
            }
        }
    }

    func pinged(_ socket: FeedSocket) {
        counted.pings += 1
        socket.heardCount &+= 1
        perform(supervisor.sent(socket.id, nowMs: nowMs))
    }

    func probed(_ socket: FeedSocket) {
        counted.probes += 1
        perform(supervisor.sent(socket.id, nowMs: nowMs))
    }

    /// A whole message that is no data.
    func heard(_ control: ControlReader.Result, _ bytes: Span<UInt8>, on socket: FeedSocket) {
        let message: ControlMessage
        do throws(ParseError) {
            switch control {
            case .whole: message = try ControlMessage(bytes)
            case .gathered:
                let gathered = socket.control.gathered
                message = try ControlMessage(gathered.span)
            case .tooLong: return unreadable(socket, nil)
            }
        } catch {
            return unreadable(socket, error)
        }
        switch message {
        case .reply(let requestID, let outcome):
            perform(supervisor.replied(socket.id, to: requestID, outcome, nowMs: nowMs))
        case .serverShutdown:
            counted.shutdowns += 1
            report(.shutdownAnnounced(socket.id))
            perform(supervisor.shutdownAnnounced(socket.id, nowMs: nowMs))
        case .other: break
        }
    }

    private func unreadable(_ socket: FeedSocket, _ error: ParseError?) {
        counted.unreadable += 1
        report(.unreadable(socket.id, error))
    }
}
