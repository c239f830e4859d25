// One connection as the venue sees it: what it carries, when it ends, and what happens to each frame.
//
//     state    | input                  | action                                      | next
//     ---------|------------------------|---------------------------------------------|---------
//     open     | frame                  | queued, unless a frame fault strikes        | open
//     open     | second, ping due       | ping queued                                 | open
//     open     | second, stall strikes  | all that is sent until its end arrives then | open
//     open     | second, shutdown       | notice queued (spot)                        | closing
//     closing  | frame                  | as open                                     | closing
//     closing  | second, time is up     | close queued                                | closed
//     open     | second, end of life    | close queued                                | closed
//     open     | second, cut            | close queued, or what is on its way is lost | closed
//     open     | second, vanish         | what is on its way is lost                  | vanished
//     any      | queue full             | close queued                                | closed
//     vanished | anything               | nothing                                     | vanished
//     closed   | anything               | nothing                                     | closed

import BinanceDepth
import MarketData

/// The venue's side of one connection.
struct VenueConnection: Sendable {
    enum State: Hashable, Sendable {
        case open
        case closing(atUs: Int64)
        case vanished
        case closed
    }

    let id: ConnectionID
    let isCombined: Bool
    private(set) var state = State.open
    private(set) var queue = VenueQueue()
    var random: SeededRandom
    /// Names of all subscriptions, silent ones included.
    var names: [String] = []
    private let lifeEndUs: Int64
    private let pingUs: Int64
    private var nextPingUs: Int64
    private var lastDueUs: Int64
    private var stalledUntilUs: Int64 = 0

    init(
        _ id: ConnectionID, isCombined: Bool, openUs: Int64, configuration: borrowing VenueConfiguration
    ) {
        self.id = id
        self.isCombined = isCombined
        random = SeededRandom(configuration.seed, purpose: SeededRandom.mix(UInt64(id.ordinal)) ^ 0xC0)
        lifeEndUs = openUs + configuration.connectionLifeUs
        pingUs = configuration.market == .spot ? 20_000_000 : 180_000_000
        nextPingUs = openUs + pingUs
        lastDueUs = openUs
    }

    /// Whether frames still leave for the client.
    var isSending: Bool {
        switch state {
        case .open, .closing: true
        case .vanished, .closed: false
        }
    }

    /// Queues the encoder's bytes as a data frame, with whatever befalls it.
    mutating func send(
        _ encoder: borrowing MessageEncoder, atUs timeUs: Int64, plan: FaultPlan,
        configuration: borrowing VenueConfiguration, counters: inout VenueCounters
    ) {
        counters.frameCount += 1
        let dueUs = arrivalUs(timeUs, configuration)
        if counters.strikes(.lost, of: plan, &random) { return }
        let isLate = counters.strikes(.reorder, of: plan, &random)
        let lateUs = isLate ? random.within(50_000...1_500_000) : 0
        var copies = counters.strikes(.duplicate, of: plan, &random) ? 2 : 1
        while copies > 0 {
            let start = queue.begin()
            encoder.append(to: &queue.bytes)
            if counters.strikes(.truncate, of: plan, &random) { random.truncate(&queue.bytes, from: start) }
            if counters.strikes(.corrupt, of: plan, &random) { random.corrupt(&queue.bytes, from: start) }
            queue.end(.text, start: start, dueUs: dueUs + lateUs)
            copies -= 1
        }
        if queue.queuedBytes > configuration.queuedBytesMax { close(code: 1008, atUs: timeUs, configuration) }
    }

    /// Queues the encoder's bytes as the answer to a control message; no fault touches it.
    mutating func reply(
        _ encoder: borrowing MessageEncoder, atUs timeUs: Int64, configuration: borrowing VenueConfiguration
    ) {
        let start = queue.begin()
        encoder.append(to: &queue.bytes)
        queue.end(.text, start: start, dueUs: arrivalUs(timeUs, configuration))
    }

    /// Lets a second begin.
    mutating func second(
        atUs timeUs: Int64, plan: FaultPlan, configuration: borrowing VenueConfiguration,
        counters: inout VenueCounters
    ) {
        switch state {
        case .open:
            if timeUs >= lifeEndUs || counters.strikes(.expire, of: plan, &random) {
                close(code: 1001, atUs: timeUs, configuration)
            } else if counters.strikes(.cut, of: plan, &random) {
                cut(atUs: timeUs, configuration)
            } else if counters.strikes(.vanish, of: plan, &random) {
                queue.drop(afterUs: timeUs)
                state = .vanished
            } else {
                live(atUs: timeUs, plan: plan, configuration, &counters)
            }
        case .closing(let endUs):
            if timeUs >= endUs { close(code: 1001, atUs: timeUs, configuration) }
        case .vanished, .closed: return
        }
    }

    private mutating func live(
        atUs timeUs: Int64, plan: FaultPlan, _ configuration: borrowing VenueConfiguration,
        _ counters: inout VenueCounters
    ) {
        if counters.strikes(.stall, of: plan, &random) {
            stalledUntilUs = timeUs + random.within(1_000_000...20_000_000)
        }
        if timeUs >= nextPingUs {
            queue.end(.ping, start: queue.begin(), dueUs: arrivalUs(timeUs, configuration))
            nextPingUs += pingUs
        }
        if counters.strikes(.shutdown, of: plan, &random) { shutDown(atUs: timeUs, configuration) }
    }

    private mutating func shutDown(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) {
        state = .closing(atUs: timeUs + random.within(1_000_000...10_000_000))
        if configuration.market != .spot { return }
        var encoder = MessageEncoder(configuration.dialect, capacity: 128)
        // Cannot fail: the notice is shorter than any encoder's bound.
        try! encoder.appendServerShutdown(atUs: timeUs, isCombined: isCombined)
        reply(encoder, atUs: timeUs, configuration: configuration)
    }

    /// Breaks the connection: with a close frame behind what is on its way, or losing what is on its way.
    private mutating func cut(atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration) {
        if random.chance(perMille: 500) { return close(code: 1001, atUs: timeUs, configuration) }
        queue.drop(afterUs: timeUs)
        queue.end(.closed(code: 1006), start: queue.begin(), dueUs: timeUs)
        state = .closed
    }

    private mutating func close(code: Int, atUs timeUs: Int64, _ configuration: borrowing VenueConfiguration)
    {
        let dueUs = arrivalUs(timeUs, configuration)
        queue.drop(afterUs: dueUs)
        queue.end(.closed(code: code), start: queue.begin(), dueUs: dueUs)
        state = .closed
    }

    /// When something sent now arrives: never before what was sent earlier.
    mutating func arrivalUs(
        _ timeUs: Int64, _ configuration: borrowing VenueConfiguration
    ) -> Int64 {
        lastDueUs = max(timeUs + random.within(configuration.streamLatencyUs), lastDueUs, stalledUntilUs)
        return lastDueUs
    }

    /// Hands out what has arrived; true if that was the last of a closed connection.
    mutating func deliver(untilUs timeUs: Int64, to body: (Int64, VenueDelivery, Span<UInt8>) -> Void) -> Bool
    {
        queue.deliver(untilUs: timeUs, to: body)
        return state == .closed && queue.nextUs == nil
    }
}
