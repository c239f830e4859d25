// A connection to the simulated venue, in place of a socket. It does what a socket does: it opens a little
// later, hands over what arrives, now and then in pieces, answers pings, pings a silent peer, and gives up
// when no pong arrives.

import DepthFeed
import MarketData
import SimulatedExchange

/// One connection of the feed, from dialling to closing.
final class VenueLink: FeedLink {
    /// How long a socket waits before it pings, and then for the pong.
    private static let probeAfterUs: Int64 = 15_000_000
    private static let probeLimitUs: Int64 = 10_000_000

    let connection: FeedConnection
    private unowned let run: Pipeline
    /// The venue's id of the connection, once it is open.
    private(set) var id: ConnectionID?
    private var isOver = false
    private var heardAtUs: Int64 = 0
    /// When the venue was pinged after it was last heard.
    private var pingedAtUs: Int64?
    /// When the pong to that arrives.
    private var pongDueUs: Int64?
    /// When our messages of the last second were sent.
    private var sentUs: [Int64] = []
    /// The rest of a message that was handed over in part, and when it arrived.
    private var rest: (bytes: [UInt8], timeUs: Int64)?

    init(_ connection: FeedConnection, of run: Pipeline) {
        (self.connection, self.run) = (connection, run)
        run.clock.alarm(atUs: run.venue.nowUs + run.random.within(20_000...300_000)) { self.open() }
    }

    var isOpen: Bool { id != nil && !isOver }

    private func open() {
        if isOver { return }
        guard let id = try? run.venue.connect([], isCombined: true) else {
            return run.violated(.terms, SymbolName(), "the venue refused a connection")
        }
        self.id = id
        heardAtUs = run.venue.nowUs
        run.feed.opened(connection, backend: "simulated")
    }

    // MARK: - What the feed asks

    func send(_ text: String) {
        // The peer has closed, and the feed is about to be told: a socket accepts nothing then.
        if isOver { return }
        guard let id else {
            return run.violated(
                .terms, SymbolName(), "a request on connection \(connection.id), which is not open")
        }
        countMessage()
        run.venue.receive(Array(text.utf8), on: id)
    }

    func ping() -> Bool {
        guard let id, !isOver else { return false }
        countMessage()
        let pongUs = run.venue.ping(id)
        // A pong that is already on its way will do.
        if pongDueUs == nil { pongDueUs = pongUs }
        if pingedAtUs == nil { pingedAtUs = run.venue.nowUs }
        return true
    }

    func close() { if run.plan.mistake != .keepsConnections { end(LinkEnd()) } }

    func abort() { close() }

    /// Closes, and reports it.
    private func end(_ end: LinkEnd) {
        if isOver { return }
        isOver = true
        if let id { run.venue.disconnect(id) }
        run.links.removeAll { $0 === self }
        run.clock.alarm(atUs: 0) { [run, connection] in run.feed.ended(connection, end) }
    }

    // MARK: - What the venue says

    /// When it has something to do that no arrival announces.
    var nextUs: Int64 {
        if !isOpen { return .max }
        guard let pingedAtUs else { return heardAtUs + VenueLink.probeAfterUs }
        return min(pingedAtUs + VenueLink.probeLimitUs, pongDueUs ?? .max)
    }

    /// Takes what has arrived, in order: everything a message causes is done before the next one.
    func turn() {
        guard let id, !isOver else { return }
        var arrivals: [(timeUs: Int64, delivery: VenueDelivery, bytes: [UInt8])] = []
        run.venue.poll(id) { timeUs, delivery, bytes in
            arrivals.append((timeUs, delivery, (0..<bytes.count).map { bytes[$0] }))
        }
        for arrival in arrivals where !isOver {
            heardAtUs = max(heardAtUs, arrival.timeUs)
            (pingedAtUs, pongDueUs) = (nil, nil)
            switch arrival.delivery {
            case .text: take(run.tampered(arrival.bytes, atUs: arrival.timeUs), arrival.timeUs)
            case .ping:
                countMessage()
                run.venue.receivePong(arrival.bytes, on: id)
                run.feed.pinged(connection)
            case .closed(let code):
                finishMessage()
                end(
                    LinkEnd(
                        peerCode: UInt16(code), peerReason: String(decoding: arrival.bytes, as: UTF8.self)))
            }
        }
        if !isOver { probe() }
    }

    /// Hands over a message: usually whole, now and then in two pieces, between which the other connection
    /// may get its turn.
    private func take(_ message: [UInt8], _ timeUs: Int64) {
        finishMessage()
        if isOver { return }
        if run.random.below(16) > 0 || message.count < 2 {
            return receive(message.span, isFinal: true, timeUs)
        }
        let cut = Int(run.random.within(0...Int64(message.count)))
        rest = (Array(message[cut...]), timeUs)
        receive(message.span.extracting(first: cut), isFinal: false, timeUs)
    }

    /// Hands over the rest of the last message.
    func finishMessage() {
        guard let (bytes, timeUs) = rest else { return }
        rest = nil
        if !isOver { receive(bytes.span, isFinal: true, timeUs) }
    }

    private func receive(_ piece: Span<UInt8>, isFinal: Bool, _ timeUs: Int64) {
        run.feed.received(
            piece, isFinal: isFinal, on: connection, receivedAtNs: isFinal ? run.clock.wallNs(timeUs) : 0)
    }

    /// Pings a silent venue, and gives up if there is no answer.
    private func probe() {
        let nowUs = run.venue.nowUs
        if let pongDueUs, pongDueUs <= nowUs {
            heardAtUs = max(heardAtUs, pongDueUs)
            (pingedAtUs, self.pongDueUs) = (nil, nil)
            run.feed.ponged(connection)
        }
        if let pingedAtUs {
            if nowUs < pingedAtUs + VenueLink.probeLimitUs { return }
            end(LinkEnd(error: "nothing received for \((nowUs - heardAtUs) / 1000) ms"))
        } else if nowUs >= heardAtUs + VenueLink.probeAfterUs {
            if ping() { run.feed.probed(connection) }
        }
    }

    private func countMessage() {
        let nowUs = run.venue.nowUs
        sentUs.removeAll { $0 <= nowUs - 1_000_000 }
        sentUs.append(nowUs)
        if sentUs.count > run.plan.market.connectionTerms.messagesPerSecondMax {
            run.violated(
                .terms, SymbolName(), "\(sentUs.count) messages within a second on one connection")
        }
    }
}
