// The venue in a box: many symbols of one market, their streams and snapshots, faults included, in virtual
// time.
//
// Pure: it reads no clock and does no I/O. A driver moves its time forward, takes what has arrived, and sends
// requests:
//
//     var venue = Venue(configuration)
//     let connection = try venue.connect(["btcusdt@depth@100ms", "btcusdt@bookTicker"], isCombined: true)
//     loop:
//         venue.advance(toUs: now)
//         venue.poll(connection) { timeUs, delivery, bytes in … }
//         let answer = venue.requestDepth(symbol: "BTCUSDT", limit: 1000)        // due at answer.dueUs
//         venue.withTruth(of: symbol, at: id) { book in … }
//
// Invariants
// * The order flow of a symbol is a function of profile, name, seed, start and the symbol's own faults. No
//   client changes it.
// * Everything else is a function of the configuration and the sequence of calls: same calls, same bytes.
// * On one connection nothing arrives before what was sent earlier, unless a fault reorders it.
//
// Bounds: the past (`historyUs`, `historyChangeCountMax`), each connection's queue (`queuedBytesMax`, then
// the connection is closed), connections (`connectionCountMax`, then refused), attempts remembered (300).
//
// Worst case of `advance`: proportional to the events in between.

import BinanceDepth
import MarketData

/// A simulated venue.
public struct Venue: ~Copyable {
    /// What it was made of.
    public let configuration: VenueConfiguration
    /// Virtual time in microseconds.
    public private(set) var nowUs: Int64
    /// What goes wrong from now on. Episodes under way run to their end, at most 60 s.
    public var faults: FaultPlan
    /// The request budget of the only address there is.
    public var budget: VenueBudget
    /// What has happened so far.
    public internal(set) var counters = VenueCounters()

    var listings: [VenueListing]
    var slots: [VenueConnection?] = []
    var connectionCount = 0
    var attemptsUs: [Int64] = []
    var encoder: MessageEncoder
    var snapshot = DepthSnapshot()
    let indices: [SymbolName: Int]
    let indicesByStream: [Substring: Int]
    private var update = DepthUpdate()
    private var agenda = VenueAgenda()
    private static let stranger = SymbolName("STRANGERUSDT")!

    /// A venue at its start, with every book full and nobody connected.
    public init(_ configuration: VenueConfiguration) {
        precondition(
            configuration.symbols.allSatisfy { $0.profile.market == configuration.market },
            "every profile must be of the venue's market")
        self.configuration = configuration
        nowUs = configuration.startUs
        faults = configuration.faults
        budget = VenueBudget(configuration.market)
        encoder = MessageEncoder(configuration.dialect)
        listings = configuration.symbols.map { VenueListing($0, configuration) }
        let names = configuration.symbols.enumerated()
        indices = Dictionary(uniqueKeysWithValues: names.map { ($1.name, $0) })
        indicesByStream = Dictionary(
            uniqueKeysWithValues: names.map { (Substring($1.name.lowercasedASCII), $0) })
        for index in listings.indices {
            let timeUs = listings[index].prepareEvent()
            agenda.insert(VenueAgenda.Entry(timeUs: timeUs, index: index))
        }
        agenda.insert(VenueAgenda.Entry(timeUs: nowUs / 1_000_000 * 1_000_000 + 1_000_000, index: .max))
    }

    /// When something happens next: an event, a second, or an arrival at a client. A driver may jump there.
    public var nextActivityUs: Int64 {
        var nextUs = agenda.first?.timeUs ?? .max
        for slot in slots { if let dueUs = slot?.queue.nextUs { nextUs = min(nextUs, dueUs) } }
        return max(nextUs, nowUs)
    }

    /// Lets everything happen up to and including this time; a time in the past changes nothing.
    public mutating func advance(toUs timeUs: Int64) {
        while let entry = agenda.first, entry.timeUs <= timeUs {
            nowUs = max(nowUs, entry.timeUs)
            if entry.index == .max {
                second()
                agenda.postponeFirst(toUs: entry.timeUs + 1_000_000)
            } else {
                agenda.postponeFirst(toUs: show(entry.index))
            }
        }
        nowUs = max(nowUs, timeUs)
    }

    private mutating func second() {
        for slot in slots.indices {
            slots[slot]?.second(atUs: nowUs, plan: faults, configuration: configuration, counters: &counters)
        }
        for index in listings.indices {
            listings[index].second(atUs: nowUs, plan: faults, counters: &counters)
        }
    }

    /// Shows the next ticker or the diff of a symbol's event; returns when it shows something again.
    private mutating func show(_ index: Int) -> Int64 {
        let step = listings[index].nextStep
        if step < listings[index].flow.event.steps.count {
            showTicker(index, listings[index].flow.event.steps[step])
            return listings[index].nextShowing(fromStep: step + 1)
        }
        counters.eventCount += 1
        listings[index].shownID = listings[index].flow.lastUpdateID
        for subscription in listings[index].subscriptions {
            switch subscription.stream {
            case .depth:
                listings[index].flow.copyDiff(into: &update)
                send(subscription)
            case .partialDepth(let levelCount):
                fillPartialDepth(index, levelCount: levelCount)
                send(subscription)
            case .bookTicker: continue
            }
        }
        return listings[index].prepareEvent()
    }

    private mutating func showTicker(_ index: Int, _ step: FlowStep) {
        let printed = listings[index].flow.printed
        var ticker = BookTicker()
        ticker.symbol = listings[index].name
        ticker.updateID = step.id
        ticker.transactionTimeUs = step.timeUs
        ticker.eventTimeUs = step.timeUs
        ticker.scales = printed.scales
        ticker.bid = printed(step.bid)
        ticker.ask = printed(step.ask)
        for subscription in listings[index].subscriptions where subscription.stream == .bookTicker {
            guard let isForeign = judge(subscription) else { continue }
            ticker.symbol = isForeign ? Venue.stranger : listings[index].name
            encoder.removeAll()
            // Cannot fail: a ticker is shorter than any encoder's bound.
            try! encoder.append(ticker, stream: streamName(subscription, isForeign: isForeign))
            send(to: subscription.connection)
        }
    }

    /// The best levels of a symbol: for spot as a snapshot, for futures in the shape of the diff.
    private mutating func fillPartialDepth(_ index: Int, levelCount: Int) {
        listings[index].flow.snapshot(limit: levelCount, into: &snapshot)
        if configuration.market == .spot { return }
        listings[index].flow.copyDiff(into: &update)
        swap(&update.bids, &snapshot.bids)
        swap(&update.asks, &snapshot.asks)
    }

    /// Sends the update, or the spot partial depth, to one subscription.
    private mutating func send(_ subscription: Subscription) {
        guard let isForeign = judge(subscription) else { return }
        if isForeign { update.symbol = Venue.stranger }
        let stream = streamName(subscription, isForeign: isForeign)
        encoder.removeAll()
        // Neither can fail: scales and previous id are set, and the levels of a book stay below the bound.
        if configuration.market == .spot && subscription.stream != .depth {
            try! encoder.append(snapshot, stream: stream)
        } else {
            try! encoder.append(update, stream: stream)
        }
        send(to: subscription.connection)
    }

    /// Whether a subscription delivers, and if so whether under a foreign name.
    private mutating func judge(_ subscription: Subscription) -> Bool? {
        let slot = subscription.connection.slot
        guard !subscription.isMute, slots[slot]?.isSending == true else { return nil }
        return counters.strikes(.foreign, of: faults, &slots[slot]!.random)
    }

    private func streamName(_ subscription: Subscription, isForeign: Bool) -> String? {
        guard slots[subscription.connection.slot]?.isCombined == true else { return nil }
        if !isForeign { return subscription.name }
        let suffix = subscription.name.drop { $0 != "@" }
        return Venue.stranger.lowercasedASCII + suffix
    }

    private mutating func send(to connection: ConnectionID) {
        slots[connection.slot]?.send(
            encoder, atUs: nowUs, plan: faults, configuration: configuration, counters: &counters)
    }
}
