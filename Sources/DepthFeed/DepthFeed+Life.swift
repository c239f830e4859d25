// Between the sockets and the life of the connections: what the life wants is done, and what happens to a
// socket is told to it.

import BinanceDepth
import Handoff
import MarketData
import Transport

extension DepthFeed {
    /// Does what the life wants, in order.
    func perform(_ wanted: [ConnectionLife.Action]) {
        actions += wanted
        if isPerforming { return }
        isPerforming = true
        let isSomething = !actions.isEmpty
        while !actions.isEmpty { perform(actions.removeFirst()) }
        isPerforming = false
        setAlarm()
        if isSomething { publish() }
    }

    private func perform(_ action: ConnectionLife.Action) {
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

    private func note(_ event: ConnectionLife.Report) {
        switch event {
        case .replacing: counted.replacements += 1
        case .resubscribing(_, let streamCount): counted.resubscribedStreams += streamCount
        case .refused: counted.refusals += 1
        case .notOpened: counted.losses += 1
        case .subscribed, .unanswered, .waiting: break
        }
        report(.life(event))
    }

    private func open(_ id: UInt16) {
        counted.attempts += 1
        countSockets(1)
        report(.dialling(id))
        sockets[id] = FeedSocket(id, of: self)
    }

    private func close(_ id: UInt16) {
        guard let socket = sockets.removeValue(forKey: id) else { return }
        outbox.abandon(&socket.sender)
        socket.retire()
    }

    func opened(_ socket: FeedSocket, _ road: WebSocketRoad) {
        if socket.isRetired { return }
        report(.opened(socket.id, road))
        perform(life.opened(socket.id, nowMs: nowMs))
    }

    func ended(_ socket: FeedSocket, _ end: WebSocketEnd) {
        countSockets(-1)
        if !socket.isRetired { lose(socket, end) }
    }

    private func lose(_ socket: FeedSocket, _ end: WebSocketEnd) {
        sockets[socket.id] = nil
        outbox.abandon(&socket.sender)
        counted.losses += 1
        counted.lastError = FeedText(end.line)
        report(.ended(socket.id, end))
        perform(
            life.closed(
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
                perform(life.fellSilent(socket.id, nowMs: nowMs))
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
        perform(life.sent(socket.id, nowMs: nowMs))
    }

    func probed(_ socket: FeedSocket) {
        counted.probes += 1
        perform(life.sent(socket.id, nowMs: nowMs))
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
            perform(life.replied(socket.id, to: requestID, outcome, nowMs: nowMs))
        case .serverShutdown:
            counted.shutdowns += 1
            report(.shutdownAnnounced(socket.id))
            perform(life.shutdownAnnounced(socket.id, nowMs: nowMs))
        case .other: break
        }
    }

    private func unreadable(_ socket: FeedSocket, _ error: ParseError?) {
        counted.unreadable += 1
        report(.unreadable(socket.id, error))
    }
}

/// One connection of a feed, as long as it counts, and until its socket is gone.
final class FeedSocket {
    let id: UInt16
    var sender: FrameOutbox.Sender
    var control = ControlReader()
    /// Whether it is closed for the feed; what it still says counts no more.
    private(set) var isRetired = false
    /// Pieces of messages, pings and pongs received.
    var heardCount = 0
    /// Messages received that are data.
    var dataCount = 0
    /// The beginning of a message of several pieces while it is under way.
    private(set) var head: [UInt8] = []
    private var watch: BusyWatch?
    private var client: WebSocketClient?

    private static let headBytesMax = 96

    init(_ id: UInt16, of feed: DepthFeed) {
        self.id = id
        sender = FrameOutbox.Sender(source: id)
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            if !isRetired { feed.received(bytes, isFinal: isFinal, on: self) }
        }
        handlers.opened = { [self] in feed.opened(self, $0) }
        handlers.pinged = { [self] _ in if !isRetired { feed.pinged(self) } }
        handlers.probed = { [self] in if !isRetired { feed.probed(self) } }
        handlers.ponged = { [self] _ in heardCount &+= 1 }
        handlers.closed = { [self] end in
            client = nil
            feed.ended(self, end)
        }
        client = WebSocketClient(
            feed.url, on: feed.loop, options: feed.configuration.socket, handlers: handlers)
    }

    /// Sends a request. One that cannot be sent is one that is not answered.
    func send(_ text: String) { _ = client?.send(text: text) }

    func retire() {
        isRetired = true
        client?.close()
    }

    /// Ends it at once: nobody is there to answer a close.
    func abort() {
        isRetired = true
        client?.abort()
    }

    func ping() -> Bool { client?.ping() ?? false }

    func keepHead(_ piece: Span<UInt8>) {
        if !head.isEmpty { return }
        for index in 0..<min(piece.count, FeedSocket.headBytesMax) { head.append(piece[index]) }
    }

    func forgetHead() {
        if !head.isEmpty { head.removeAll(keepingCapacity: true) }
    }

    func look(_ limits: BusySilence, nowMs: Int64) -> BusyWatch.Action? {
        if watch == nil { watch = BusyWatch(limits, nowMs: nowMs) }
        return watch?.look(heard: heardCount, messages: dataCount, nowMs: nowMs)
    }

    /// For how long nothing has come, as of the last look.
    var silentMs: Int64 { watch?.silentMs ?? 0 }
}
