// Plays a captured session into a venue: every message goes to the subscribers of its stream, byte for byte,
// at the time intervals at which the messages were received.
//
//     state    | input             | action                                        | next
//     ---------|-------------------|-----------------------------------------------|---------
//     waiting  | start             | the first message is due now                  | playing
//     playing  | a message is due  | published; its symbol's book follows          | playing
//     playing  | end of the file   | nothing more                                  | over
//     playing  | damage            | as the end; what was read before has been played | over
//
// A message is due by its receive time; where the capture has none, by the event time of the last diff. One
// message is read ahead. In unpaced play a message is due as soon as it is read.

import BinanceServing
import BinanceVenue
import Captures
import LobRecording
import MarketData
import SimulatedExchange

/// The player of one capture. Thread: the loop's.
final class CapturePlayer {
    private enum State {
        case waiting
        case playing(startUs: Int64)
        case over
    }

    let capture: CapturedMarket
    private(set) var playedCount = 0
    private(set) var damage: ReadingError?
    private var state = State.waiting
    private var lines: CapturedLines
    private var parser = MessageParser()
    private var snapshot = DepthSnapshot()
    private var books: [SymbolName: CapturedBook] = [:]
    private var topics: [ArraySlice<UInt8>: VenueTopic] = [:]
    private var held = CapturedLine(bytes: [], isBody: false)
    private var payload: [UInt8] = []
    private var kind: MessageKind?
    private var isHolding = false
    private var heldAtUs: Int64 = 0
    private var firstAtUs: Int64?
    private let isUnpaced: Bool

    init(_ capture: CapturedMarket, isUnpaced: Bool, into venue: inout Venue) throws(CaptureError) {
        self.capture = capture
        self.isUnpaced = isUnpaced
        do throws(ReadingError) {
            lines = try CapturedLines(capture.files)
        } catch {
            throw .unreadable(error)
        }
        for name in capture.streams { topics[Array(name.utf8)[...]] = venue.addStream(name) }
        for symbol in capture.symbols {
            let book = CapturedBook(symbol.name, capture.market)
            books[symbol.name] = book
            guard let body = capture.snapshots[symbol.name] else { continue }
            if (try? parser.parseSnapshot(body.span)) != nil { book.take(parser.snapshot) }
        }
    }

    var isWaiting: Bool { if case .waiting = state { true } else { false } }
    var isOver: Bool { if case .over = state { true } else { false } }

    /// Starts playing.
    func start(atUs timeUs: Int64) {
        if !isWaiting { return }
        state = .playing(startUs: timeUs)
        readAhead()
    }

    /// When the next message is due; nil if there is none.
    var nextUs: Int64? {
        guard case .playing(let startUs) = state, isHolding else { return nil }
        if isUnpaced { return 0 }
        return saturatedSum(startUs, playingTime(of: heldAtUs, first: firstAtUs ?? heldAtUs, speed: 1))
    }

    /// Publishes what is due by a time, at most `countMax` messages; false if more is due.
    func play(untilUs timeUs: Int64, countMax: Int, into venue: inout Venue) -> Bool {
        var count = 0
        while let dueUs = nextUs, dueUs <= timeUs {
            if count == countMax { return false }
            count += 1
            publish(into: &venue)
            readAhead()
        }
        return true
    }

    private func publish(into venue: inout Venue) {
        playedCount += 1
        if held.isBody { return takeBody() }
        let message = held.bytes
        if kind == .depthUpdate { books[parser.update.symbol]?.take(parser.update) }
        if let (name, range) = unwrap(message) {
            guard let topic = topics[message[name]] else { return }
            payload.removeAll(keepingCapacity: true)
            payload.append(contentsOf: message[range])
            venue.publish(payload, to: topic)
            return
        }
        let only = capture.owner?.lowercasedASCII
        if let name = streamName(kind, message, only: only), let topic = topics[Array(name.utf8)[...]] {
            venue.publish(message, to: topic)
        }
    }

    /// A REST body in a line: it is sent to nobody, but the book of its symbol may use it.
    private func takeBody() {
        let bytes = held.bytes
        guard (try? parser.parseSnapshot(bytes.span)) != nil else { return }
        let facts = DepthBody(parser.snapshot)
        guard !facts.isTopOnly, let name = facts.symbol ?? held.symbol ?? capture.owner else { return }
        books[name]?.take(parser.snapshot)
    }

    /// Reads the next message, or ends.
    private func readAhead() {
        isHolding = false
        do throws(ReadingError) {
            guard let line = try lines.next() else {
                state = .over
                return
            }
            held = line
            kind = line.isBody ? nil : parser.kind(of: line.bytes, capture.market)
            let eventUs = kind == .depthUpdate ? parser.update.eventTimeUs : 0
            let atUs = line.receivedAtNs.map { $0 / 1_000 } ?? eventUs
            heldAtUs = max(heldAtUs, atUs)
            if firstAtUs == nil && heldAtUs > 0 { firstAtUs = heldAtUs }
            isHolding = true
        } catch {
            damage = error
            state = .over
        }
    }
}

// REST.
extension CapturePlayer {
    /// Answers an admitted request from the books as they are now.
    func answer(_ request: RestRequest, _ venue: inout Venue, _ response: inout VenueResponse) {
        switch request {
        case .ping, .time, .exchangeInfo:
            venue.answerFacts(request, capture.symbols, isMicroseconds: false, &response)
        case .depth(let name, let limit, let status):
            guard fill(name, limit: venue.rules.levelCount(of: limit), &venue, &response) else { return }
            if !Venue.have(status) { return venue.refuse(&response, .otherStatus) }
            venue.answerSnapshot(snapshot, &response)
        case .bookTicker(let name, let status):
            guard fill(name, limit: 1, &venue, &response) else { return }
            if !Venue.have(status) { return venue.refuse(&response, .otherStatus) }
            response.body = Array(venue.rules.bookTickerBody(venue.rules.bestPrices(of: snapshot)).utf8)
        case .bookTickers(let names, let status):
            let known = (names ?? []).allSatisfy { books[$0] != nil }
            if !known { return venue.refuse(&response, .badSymbol) }
            let listed = names ?? capture.symbols.map(\.name)
            answerTickers(Venue.have(status) ? listed : [], &venue, &response)
        case .bookTickersOfPair(let pair):
            let names = capture.symbols.map(\.name).filter { ServingRules.pair(of: $0) == pair }
            if names.isEmpty { return venue.refuse(&response, .badSymbol) }
            answerTickers(names, &venue, &response)
        }
    }

    private func answerTickers(
        _ names: [SymbolName], _ venue: inout Venue, _ response: inout VenueResponse
    ) {
        var parts: [String] = []
        for name in names {
            guard fill(name, limit: 1, &venue, &response) else { return }
            parts.append(venue.rules.bestPrices(of: snapshot))
        }
        response.body = Array("[\(parts.joined(separator: ","))]".utf8)
    }

    /// Fills the snapshot with the best levels of a symbol; if there are none, returns false and the response
    /// says so.
    private func fill(
        _ name: SymbolName, limit: Int, _ venue: inout Venue, _ response: inout VenueResponse
    ) -> Bool {
        guard let book = books[name] else {
            venue.refuse(&response, .badSymbol)
            return false
        }
        if book.fill(&snapshot, limit: limit) { return true }
        venue.refuse(&response, .noBook)
        return false
    }
}
