// One connection as the venue sees it: its subscriptions, its end, and what happens to each frame.
//
//     state    | input                       | action                                      | next
//     ---------|-----------------------------|---------------------------------------------|---------
//     open     | frame                       | queued, unless a frame fault strikes        | open
//     open     | second, ping due            | ping queued                                 | open
//     open     | second, a pong is overdue   | close queued, 1008                          | closed
//     open     | message, within the limit   | handled by the venue                        | open
//     open     | message, one too many       | close queued, 1008                          | closed
//     open     | second, stall strikes       | all that is sent until its end arrives then | open
//     open     | second, lag strikes         | what is sent until its end comes ever later | open
//     open     | second, shutdown            | notice queued (spot)                        | closing
//     closing  | frame, message              | as open                                     | closing
//     closing  | second, time is up          | close queued                                | closed
//     open     | second, end of life         | close queued                                | closed
//     open     | second, cut                 | close queued, or what is on its way is lost | closed
//     open     | second, vanish              | what is on its way is lost                  | vanished
//     open     | second, hollow              | what is on its way still arrives            | hollow
//     any      | queue full                  | close queued, 1008                          | closed
//     vanished | anything                    | nothing                                     | vanished
//     hollow   | second, ping due            | ping queued                                 | hollow
//     hollow   | second, end of life         | close queued                                | closed
//     hollow   | ping                        | answered                                    | hollow
//     hollow   | anything else               | nothing                                     | hollow
//     closed   | anything                    | nothing                                     | closed
//
// Incoming messages are counted per second of the clock, as weights are counted per minute: a burst across
// the turn of a second may be twice the limit. Pongs are expected only if the configuration says so.

import BinanceServing
import BinanceVenue
import FeedPlan
import MarketData

/// The venue's side of one connection. A class, so that looking at one of many does not copy it.
final class VenueConnection {
    enum State: Hashable, Sendable {
        case open
        case closing(atUs: Int64)
        case vanished
        case hollow
        case closed
    }

    let id: ConnectionID
    /// Whether updates are wrapped; a property that the client may change.
    var isCombined: Bool
    /// Whether times are microseconds.
    let isMicroseconds: Bool
    /// Whether every subscription stays silent.
    let isDeaf: Bool
    private(set) var state = State.open
    private(set) var queue = VenueQueue()
    var random: SeededRandom
    /// Names of all subscriptions, including silent ones, in the order in which they were made.
    var names: [String] = []
    /// The same as a set.
    var held: Set<String> = []
    private let lifeEndUs: Int64
    private let terms: ConnectionTerms
    private var nextPingUs: Int64
    /// Times of the pings not yet answered.
    private var pingsUs: [Int64] = []
    private var lastDueUs: Int64
    private var stalledUntilUs: Int64 = 0
    /// While the link is slow, what is sent at `slowFromUs + t` takes `slowness × t` longer.
    private var slowFromUs: Int64 = 0
    private var slowUntilUs: Int64 = 0
    private var slowness: Int64 = 0
    private var incomingSecond: Int64 = 0
    private var incomingCount = 0

    init(
        _ id: ConnectionID, isCombined: Bool, isMicroseconds: Bool, isDeaf: Bool, openUs: Int64,
        configuration: borrowing VenueConfiguration
    ) {
        self.id = id
        self.isCombined = isCombined
        self.isMicroseconds = isMicroseconds
        self.isDeaf = isDeaf
        random = SeededRandom(configuration.seed, purpose: SeededRandom.mix(UInt64(id.ordinal)) ^ 0xC0)
        lifeEndUs = openUs + configuration.connectionLifeUs
        terms = configuration.market.connectionTerms
        nextPingUs = openUs + Int64(terms.pingIntervalMs) * 1_000
        lastDueUs = openUs
    }

    /// Whether messages still leave for the client.
    var isSending: Bool {
        switch state {
        case .open, .closing: true
        case .vanished, .hollow, .closed: false
        }
    }

    /// Whether pings, pongs and a close do.
    var isReachable: Bool { isSending || state == .hollow }

    /// Queues a data frame, subject to the frame faults.
    func send(
        _ message: [UInt8], wrapper: [UInt8], atUs timeUs: Int64, plan: FaultPlan,
        configuration: borrowing VenueConfiguration, counters: inout VenueCounters
    ) {
        if !isSending { return }
        let isForeign = counters.strikes(.foreign, of: plan, &random)
        counters.frameCount += 1
        let dueUs = arrivalUs(timeUs, configuration)
        if counters.strikes(.lost, of: plan, &random) { return }
        let isLate = counters.strikes(.reorder, of: plan, &random)
        let lateUs = isLate ? random.within(50_000...1_500_000) : 0
        var copies = counters.strikes(.duplicate, of: plan, &random) ? 2 : 1
        while copies > 0 {
            let start = queue.begin()
            if isCombined { queue.bytes.append(contentsOf: wrapper) }
            queue.bytes.append(contentsOf: message)
            if isCombined { queue.bytes.append(StreamWrapper.closing) }
            if isForeign { VenueConnection.disguise(&queue.bytes, from: start) }
            if counters.strikes(.truncate, of: plan, &random) { random.truncate(&queue.bytes, from: start) }
            if counters.strikes(.corrupt, of: plan, &random) { random.corrupt(&queue.bytes, from: start) }
            makeOdd(from: start, plan, configuration, &counters)
            queue.end(.text, start: start, dueUs: dueUs + lateUs)
            copies -= 1
        }
        if queue.queuedBytes > configuration.queuedBytesMax {
            close(.tooSlow, atUs: timeUs, configuration)
        }
    }

    /// Lets the subtle faults strike a message.
    private func makeOdd(
        from start: Int, _ plan: FaultPlan, _ configuration: borrowing VenueConfiguration,
        _ counters: inout VenueCounters
    ) {
        if counters.strikes(.mixed, of: plan, &random) { random.mixDecimals(&queue.bytes, from: start) }
        if counters.strikes(.absurd, of: plan, &random) { random.makeAbsurd(&queue.bytes, from: start) }
        if counters.strikes(.unreadable, of: plan, &random) {
            random.makeUnreadable(&queue.bytes, from: start)
        }
        if counters.strikes(.renamed, of: plan, &random) { random.rename(&queue.bytes, from: start) }
        if counters.strikes(.swapped, of: plan, &random) {
            random.swapName(&queue.bytes, from: start, configuration.symbols.map(\.name))
        }
        if counters.strikes(.garbled, of: plan, &random) { random.garble(&queue.bytes, from: start) }
    }

    /// Queues the answer to a control message; no fault touches it.
    ///
    /// - Returns: when it arrives.
    @discardableResult
    func reply(
        _ message: [UInt8], atUs timeUs: Int64, notBeforeUs: Int64 = 0,
        configuration: borrowing VenueConfiguration
    ) -> Int64 {
        let start = queue.begin()
        queue.bytes += message
        let dueUs = max(arrivalUs(timeUs, configuration), notBeforeUs)
        queue.end(.text, start: start, dueUs: dueUs)
        return dueUs
    }

    /// Counts a message or pong of the client; false if it was one too many and the connection is closed.
    func countIncoming(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) -> Bool {
        let second = timeUs / 1_000_000
        if second != incomingSecond {
            incomingSecond = second
            incomingCount = 0
        }
        incomingCount += 1
        if incomingCount <= terms.messagesPerSecondMax { return true }
        close(.tooManyMessages, atUs: timeUs, configuration)
        return false
    }

    /// Takes a pong: it answers the ping with the same payload and those before it.
    func takePong(_ payload: [UInt8]) {
        guard let answered = pingsUs.firstIndex(where: { VenueConnection.pingPayload($0) == payload }) else {
            return
        }
        pingsUs.removeFirst(answered + 1)
    }

    /// Begins a second.
    func second(
        atUs timeUs: Int64, plan: FaultPlan, configuration: borrowing VenueConfiguration,
        counters: inout VenueCounters
    ) {
        switch state {
        case .open:
            if timeUs >= lifeEndUs || counters.strikes(.expire, of: plan, &random) {
                close(.goingAway, atUs: timeUs, configuration)
            } else if counters.strikes(.cut, of: plan, &random) {
                cut(atUs: timeUs, configuration)
            } else if counters.strikes(.vanish, of: plan, &random) {
                queue.drop(afterUs: timeUs)
                state = .vanished
            } else if counters.strikes(.hollow, of: plan, &random) {
                state = .hollow
            } else {
                live(atUs: timeUs, plan: plan, configuration, &counters)
            }
        case .closing(let endUs):
            if timeUs >= endUs { close(.goingAway, atUs: timeUs, configuration) }
        case .hollow:
            if timeUs >= lifeEndUs { return close(.goingAway, atUs: timeUs, configuration) }
            if timeUs >= nextPingUs { ping(atUs: timeUs, configuration) }
        case .vanished, .closed: return
        }
    }

    private func live(
        atUs timeUs: Int64, plan: FaultPlan, _ configuration: borrowing VenueConfiguration,
        _ counters: inout VenueCounters
    ) {
        if counters.strikes(.stall, of: plan, &random) {
            stalledUntilUs = timeUs + random.within(1_000_000...20_000_000)
        }
        if counters.strikes(.lag, of: plan, &random) {
            slowFromUs = timeUs
            slowUntilUs = timeUs + random.within(5_000_000...20_000_000)
            slowness = random.within(1...3)
        }
        if let oldestUs = pingsUs.first, timeUs >= oldestUs + Int64(terms.pongDeadlineMs) * 1_000 {
            counters.pongTimeoutCount += 1
            return close(.pongTimeout, atUs: timeUs, configuration)
        }
        if timeUs >= nextPingUs { ping(atUs: timeUs, configuration) }
        if counters.strikes(.shutdown, of: plan, &random) {
            state = .closing(atUs: timeUs + random.within(1_000_000...10_000_000))
            notifyShutdown(atUs: timeUs, configuration)
        }
    }

    private static func pingPayload(_ timeUs: Int64) -> [UInt8] { Array("\(timeUs / 1_000)".utf8) }

    private func ping(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) {
        let start = queue.begin()
        queue.bytes += VenueConnection.pingPayload(timeUs)
        queue.end(.ping, start: start, dueUs: arrivalUs(timeUs, configuration))
        nextPingUs += Int64(terms.pingIntervalMs) * 1_000
        if configuration.expectsPongs { pingsUs.append(timeUs) }
    }

    /// Queues the notice that the server is about to close the connection, where the market has one.
    func notifyShutdown(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) {
        if configuration.market != .spot || !isSending { return }
        var dialect = configuration.dialect
        dialect.writesMicroseconds = isMicroseconds
        var encoder = MessageEncoder(dialect, capacity: 128)
        // Cannot fail: the notice is shorter than the encoder's limit.
        try! encoder.appendServerShutdown(atUs: timeUs, isCombined: isCombined)
        var message: [UInt8] = []
        encoder.append(to: &message)
        reply(message, atUs: timeUs, configuration: configuration)
    }

    /// Breaks the connection: with a close frame after what is on its way, or losing what is on its way.
    private func cut(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) {
        if random.chance(perMille: 500) {
            return close(.goingAway, atUs: timeUs, configuration)
        }
        queue.drop(afterUs: timeUs)
        queue.end(.closed(code: 1006), start: queue.begin(), dueUs: timeUs)
        state = .closed
    }

    /// Queues a close after what was sent; has no effect unless the connection is open or closing.
    func close(
        _ end: ConnectionClose, atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration
    ) {
        if !isReachable { return }
        let dueUs = arrivalUs(timeUs, configuration)
        queue.drop(afterUs: dueUs)
        let start = queue.begin()
        queue.bytes += Array(end.reason.utf8)
        queue.end(.closed(code: end.code), start: start, dueUs: dueUs)
        state = .closed
    }

    /// When something sent now arrives: never before what was sent earlier.
    func arrivalUs(
        _ timeUs: Int64, _ configuration: borrowing VenueConfiguration
    ) -> Int64 {
        let slowUs = timeUs < slowUntilUs ? (timeUs - slowFromUs) * slowness : 0
        let freeUs = timeUs + random.within(configuration.streamLatencyUs) + slowUs
        lastDueUs = max(freeUs, lastDueUs, stalledUntilUs)
        return lastDueUs
    }

    /// Delivers what has arrived; true if that was the last of a closed connection.
    func deliver(untilUs timeUs: Int64, to body: (Int64, VenueDelivery, Span<UInt8>) -> Void) -> Bool {
        queue.deliver(untilUs: timeUs, to: body)
        return state == .closed && queue.nextUs == nil
    }
}
