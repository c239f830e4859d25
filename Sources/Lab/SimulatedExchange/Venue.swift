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
//   client changes it, except that a driver that carries out the fault `drop` halts it.
// * Everything else is a function of the configuration and the sequence of calls: same calls, same bytes.
// * On one connection nothing arrives before what was sent earlier, unless a fault reorders it.
// * A message is encoded once per unit of time, however many clients listen; a connection adds the wrapper.
//
// Bounds: the history (`historyUs`, `historyChangeCountMax`), each connection's queue (`queuedBytesMax`, then
// the connection is closed), connections (`connectionCountMax`, then refused), remembered attempts (300).
//
// Worst case of `advance`: proportional to the updates in between.

import BinanceServing
import BinanceVenue
import MarketData

/// A simulated venue.
package struct Venue: ~Copyable {
    /// Its configuration.
    package let configuration: VenueConfiguration
    /// The rules by which it serves.
    package let rules: ServingRules
    /// Virtual time in microseconds.
    package private(set) var nowUs: Int64
    /// The faults from now on. Episodes under way run to their end, at most 60 s.
    package var faults: FaultPlan
    /// The address that connects and requests next. A driver with several addresses sets it before each call.
    package var address: ClientAddress
    /// The counters so far.
    package internal(set) var counters = VenueCounters()

    var listings: [VenueListing]
    var slots: [VenueConnection?] = []
    var connectionCount = 0
    /// The subscriptions, by topic.
    var topics: [[Subscription]] = []
    var topicsByName: [String: Int] = [:]
    var encoder: MessageEncoder
    var snapshot = DepthSnapshot()
    let indices: [SymbolName: Int]
    private var microsecondEncoder: MessageEncoder
    var update = DepthUpdate()
    var agenda = VenueAgenda()
    /// The slower depth streams: one per symbol and interval.
    var paced: [PacedStream]
    let intervalsUs: [Int64]
    private var message: [UInt8] = []
    /// The random draws of the venue as a whole and of the client's machine.
    var random: SeededRandom
    /// Until when the address is banned without any reason.
    var bannedUntilUs: Int64 = 0
    /// When the client has certainly been told about the ban.
    var banKnownUs: Int64 = 0
    /// When the venue last started over; nil if it never did.
    package private(set) var restartedUs: Int64?

    /// A venue at its start, with every book full and nobody connected.
    package init(_ configuration: VenueConfiguration) {
        precondition(
            configuration.symbols.allSatisfy { $0.profile.market == configuration.market },
            "every profile must be of the venue's market")
        self.configuration = configuration
        nowUs = configuration.startUs
        faults = configuration.faults
        rules = ServingRules(configuration.market)
        address = ClientAddress(rules)
        random = SeededRandom(configuration.seed, purpose: 0x0A11)
        encoder = MessageEncoder(configuration.dialect)
        var dialect = configuration.dialect
        dialect.writesMicroseconds = true
        microsecondEncoder = MessageEncoder(dialect)
        listings = configuration.symbols.map { VenueListing($0, configuration) }
        let names = configuration.symbols.enumerated()
        indices = Dictionary(uniqueKeysWithValues: names.map { ($1.name, $0) })
        intervalsUs = Venue.intervalsUs(configuration)
        paced = Array(repeating: PacedStream(), count: listings.count * intervalsUs.count)
        addTopics()
        for index in listings.indices {
            let timeUs = listings[index].prepareUpdate(hasTickerListener: false)
            agenda.insert(VenueAgenda.Entry(timeUs: timeUs, index: index))
        }
        agenda.insert(VenueAgenda.Entry(timeUs: nowUs / 1_000_000 * 1_000_000 + 1_000_000, index: .max))
    }

    /// When something happens next: an update, a new second, or an arrival at a client. A driver may jump
    /// there.
    package var nextActivityUs: Int64 {
        var nextUs = agenda.first?.timeUs ?? .max
        for slot in slots { if let dueUs = slot?.queue.nextUs { nextUs = min(nextUs, dueUs) } }
        return max(nextUs, nowUs)
    }

    /// Lets everything happen up to and including this time; a time in the past changes nothing.
    ///
    /// - Parameter actCountMax: stop after this many updates, tickers and seconds even if more are due; the
    ///   time is then that of the last of them.
    package mutating func advance(toUs timeUs: Int64, actCountMax: Int = .max) {
        var actCount = 0
        while let entry = agenda.first, entry.timeUs <= timeUs {
            if actCount == actCountMax { return }
            actCount += 1
            nowUs = max(nowUs, entry.timeUs)
            if entry.index == .max {
                second()
                agenda.postponeFirst(toUs: entry.timeUs + 1_000_000)
                restartIfStruck(nextSecondUs: entry.timeUs + 1_000_000)
            } else if entry.index >= listings.count {
                agenda.removeFirst()
                showPaced(entry.index - listings.count)
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
            switch listings[index].second(atUs: nowUs, plan: faults, counters: &counters) {
            case .nothing: break
            case .depth: mute(diffTopics(of: index))
            case .all:
                mute(diffTopics(of: index))
                mute(SymbolStream.allCases.map { $0.topic(of: index) })
            }
        }
    }

    private mutating func mute(_ numbers: [Int]) {
        for topic in numbers {
            for place in topics[topic].indices { topics[topic][place].isMute = true }
        }
    }

    /// Starts over if that fault strikes in this second and a minute has passed since the last time.
    private mutating func restartIfStruck(nextSecondUs: Int64) {
        if nowUs - (restartedUs ?? 0) < 60_000_000 { return }
        if !counters.strikes(.restart, of: faults, &random) { return }
        restartedUs = nowUs
        for slot in slots.indices { slots[slot]?.close(.goingAway, atUs: nowUs, configuration) }
        agenda = VenueAgenda()
        for index in listings.indices {
            listings[index].restart(atUs: nowUs, seed: random.next(), configuration)
            let timeUs = listings[index].prepareUpdate(hasTickerListener: false)
            agenda.insert(VenueAgenda.Entry(timeUs: timeUs, index: index))
        }
        for pace in paced.indices { paced[pace].forget() }
        agenda.insert(VenueAgenda.Entry(timeUs: nextSecondUs, index: .max))
    }

    /// Shows the next ticker or the diff of a symbol's update; returns when it next shows something.
    private mutating func show(_ index: Int) -> Int64 {
        let tickerTopic = SymbolStream.bookTicker.topic(of: index)
        let step = listings[index].nextStep
        if step < listings[index].flow.current.steps.count {
            showTicker(index, listings[index].flow.current.steps[step])
            return listings[index].nextShowing(
                fromStep: step + 1, hasTickerListener: !topics[tickerTopic].isEmpty)
        }
        counters.updateCount += 1
        listings[index].shownID = listings[index].flow.lastUpdateID
        if !intervalsUs.isEmpty { gather(index) }
        showDepth(index, .depth)
        showDepth(index, .depth5)
        showDepth(index, .depth10)
        showDepth(index, .depth20)
        return listings[index].prepareUpdate(hasTickerListener: !topics[tickerTopic].isEmpty)
    }

    private mutating func showTicker(_ index: Int, _ step: FlowStep) {
        let topic = SymbolStream.bookTicker.topic(of: index)
        let printed = listings[index].flow.printed
        var ticker = BookTicker()
        ticker.symbol = listings[index].name
        ticker.updateID = step.id
        ticker.transactionTimeUs = step.timeUs
        ticker.eventTimeUs = step.timeUs
        ticker.scales = printed.scales
        ticker.bid = printed(step.bid)
        ticker.ask = printed(step.ask)
        // Cannot fail: a ticker is shorter than any encoder's bound.
        if hasListener(topic, isMicroseconds: false) {
            encoder.removeAll()
            try! encoder.append(ticker)
            publishEncoded(topic, isMicroseconds: false)
        }
        if hasListener(topic, isMicroseconds: true) {
            microsecondEncoder.removeAll()
            try! microsecondEncoder.append(ticker)
            publishEncoded(topic, isMicroseconds: true)
        }
    }

    /// Shows a diff or a partial depth if anybody listens.
    private mutating func showDepth(_ index: Int, _ stream: SymbolStream) {
        let topic = stream.topic(of: index)
        if topics[topic].isEmpty { return }
        let isSnapshot = configuration.market == .spot && stream != .depth
        if !isSnapshot { listings[index].flow.copyDiff(into: &update) }
        if let levelCount = stream.levelCount {
            listings[index].flow.snapshot(limit: levelCount, into: &snapshot)
            if !isSnapshot {
                swap(&update.bids, &snapshot.bids)
                swap(&update.asks, &snapshot.asks)
            }
        }
        publishDepth(topic, isDiff: stream == .depth, grid: coarseGrid(of: index))
    }

    /// Publishes the update or, for a partial depth on spot, the snapshot.
    ///
    /// - Parameter grid: prices off it get one more decimal than others.
    mutating func publishDepth(_ topic: Int, isDiff: Bool, grid: Int64?) {
        let isSnapshot = configuration.market == .spot && !isDiff
        // Neither can fail: scales and previous id are set, and the levels of a book stay below the bound.
        if hasListener(topic, isMicroseconds: false) {
            encoder.removeAll()
            if isSnapshot { try! encoder.append(snapshot) } else { try! encoder.append(update) }
            publishEncoded(topic, isMicroseconds: false, grid: grid)
        }
        if hasListener(topic, isMicroseconds: true) {
            microsecondEncoder.removeAll()
            if isSnapshot {
                try! microsecondEncoder.append(snapshot)
            } else {
                try! microsecondEncoder.append(update)
            }
            publishEncoded(topic, isMicroseconds: true, grid: grid)
        }
    }

    private mutating func publishEncoded(_ topic: Int, isMicroseconds: Bool, grid: Int64? = nil) {
        message.removeAll(keepingCapacity: true)
        if isMicroseconds {
            microsecondEncoder.append(to: &message)
        } else {
            encoder.append(to: &message)
        }
        if let grid { OddNumbers.keepOldDecimals(&message, grid: grid) }
        publish(message, topic: topic, isMicroseconds: isMicroseconds)
    }
}
