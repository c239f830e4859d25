// What a client does with its connections: open, subscribe, receive, close.

import BinanceServing
import BinanceVenue
import FeedPlan
import MarketData

extension Venue {
    /// Opens a connection now. Frames follow for everything that happens from now on.
    ///
    /// - Parameters:
    ///   - streams: names such as `btcusdt@depth@100ms`; unknown ones are accepted and stay silent.
    ///   - isCombined: whether frames are wrapped in an object that names their stream.
    ///   - isMicroseconds: times in µs instead of ms; spot only, ignored elsewhere.
    package mutating func connect(
        _ streams: [String], isCombined: Bool, isMicroseconds: Bool = false
    ) throws(ConnectionRefusal) -> ConnectionID {
        try attempt(streamCount: streams.count)
        return try open(streams, isCombined: isCombined, isMicroseconds: isMicroseconds)
    }

    /// The first half of `connect`: counts an attempt of the address, which may be one too many.
    package mutating func attempt(streamCount: Int) throws(ConnectionRefusal) {
        if streamCount > configuration.streamCountMax { throw .tooManyStreams }
        try address.attempt(atUs: nowUs)
        if !slots.contains(where: { $0 == nil }) && slots.count >= configuration.connectionCountMax {
            throw .tooManyConnections
        }
    }

    /// The second half of `connect`, once the connection is open.
    ///
    /// - Parameter isDeaf: whether all subscriptions are accepted and stay silent, as those of depth streams
    ///   on the path for other streams do.
    package mutating func open(
        _ streams: [String], isCombined: Bool, isMicroseconds: Bool = false, isDeaf: Bool = false
    ) throws(ConnectionRefusal) -> ConnectionID {
        let free = slots.firstIndex { $0 == nil }
        let slot = free ?? slots.count
        if slot >= configuration.connectionCountMax { throw .tooManyConnections }
        let id = ConnectionID(slot: slot, ordinal: connectionCount)
        connectionCount += 1
        let made = VenueConnection(
            id, isCombined: isCombined, isMicroseconds: isMicroseconds && configuration.market == .spot,
            isDeaf: isDeaf, openUs: nowUs, configuration: configuration)
        if free == nil { slots.append(made) } else { slots[slot] = made }
        for name in streams { add(name, to: id) }
        return id
    }

    /// Adds streams and queues the venue's reply, `{"result":null,"id":…}`.
    package mutating func subscribe(
        _ streams: [String], on connection: ConnectionID, requestID: RequestID
    ) throws(ConnectionRefusal) {
        if !isConnected(connection) { throw .notConnected }
        let added = Set(streams).subtracting(slots[connection.slot]!.held)
        if slots[connection.slot]!.held.count + added.count > configuration.streamCountMax {
            throw .tooManyStreams
        }
        for name in streams { add(name, to: connection) }
        let toldUs = reply(.done, requestID, to: connection)
        for name in streams {
            if let index = depthIndex(name) { noteMissed(index, on: connection, toldUs: toldUs) }
        }
    }

    /// Whether the venue refuses to subscribe one of these streams at the moment.
    mutating func refuses(_ names: [String], on connection: ConnectionID) -> Bool {
        var isRefused = false
        for name in names {
            guard let index = depthIndex(name) else { continue }
            if counters.strikes(.refuse, of: faults, &slots[connection.slot]!.random) {
                listings[index].refusingUntilUs = nowUs + random.within(10_000_000...90_000_000)
            }
            if listings[index].refusingUntilUs > nowUs { isRefused = true }
        }
        return isRefused
    }

    /// Whether a connection is open and has no subscription to a symbol's depth stream.
    package func lacks(_ symbol: SymbolName, on connection: ConnectionID) -> Bool {
        guard isConnected(connection) else { return false }
        return !slots[connection.slot]!.held.contains { name in
            depthIndex(name).map { configuration.symbols[$0].name == symbol } == true
        }
    }

    /// Removes streams and queues the venue's reply.
    package mutating func unsubscribe(
        _ streams: [String], on connection: ConnectionID, requestID: RequestID
    ) throws(ConnectionRefusal) {
        if !isConnected(connection) { throw .notConnected }
        let removed = Set(streams).intersection(slots[connection.slot]!.held)
        slots[connection.slot]!.held.subtract(removed)
        slots[connection.slot]!.names.removeAll { removed.contains($0) }
        var answerUs = nowUs
        for name in streams where removed.contains(name) {
            dropSubscription(name, of: connection)
            guard let index = depthIndex(name) else { continue }
            listings[index].unsubscribedID = listings[index].shownID
            if counters.strikes(.between, of: faults, &slots[connection.slot]!.random) {
                answerUs = max(answerUs, leaveHole(index))
            }
        }
        reply(.done, requestID, to: connection, notBeforeUs: answerUs)
    }

    /// Longest time that an answer waits for the next update.
    private static let holeUsMax: Int64 = 8_000_000

    /// Silences a symbol after its next update, if that is due soon.
    ///
    /// - Returns: when to reply.
    private mutating func leaveHole(_ index: Int) -> Int64 {
        let nextUs = listings[index].flow.current.timeUs
        if nextUs > nowUs + Venue.holeUsMax { return nowUs }
        listings[index].halt(untilUs: nextUs + random.within(20_000_000...60_000_000))
        return nextUs + 1_000
    }

    /// A depth stream is subscribed: notes what was shown since it was unsubscribed.
    private mutating func noteMissed(_ index: Int, on connection: ConnectionID, toldUs: Int64) {
        guard let before = listings[index].unsubscribedID else { return }
        listings[index].unsubscribedID = nil
        let shown = listings[index].shownID
        if shown > before {
            listings[index].missed = MissedUpdate(connection: connection, id: shown, toldUs: toldUs)
        }
    }

    /// The index of the symbol, if the name is that of a depth stream at the pace of the order flow.
    private func depthIndex(_ name: String) -> Int? {
        guard let topic = topicsByName[topicName(name)], topic < listings.count * SymbolStream.allCases.count,
            topic % SymbolStream.allCases.count == SymbolStream.depth.rawValue
        else { return nil }
        return topic / SymbolStream.allCases.count
    }

    /// Queues the names of a connection's subscriptions, silent ones included.
    package mutating func listSubscriptions(
        on connection: ConnectionID, requestID: RequestID
    ) throws(ConnectionRefusal) {
        if !isConnected(connection) { throw .notConnected }
        reply(.streams(slots[connection.slot]!.names), requestID, to: connection)
    }

    /// Whether the client still has this connection: until it has received the close or has closed it itself.
    package func isConnected(_ connection: ConnectionID) -> Bool {
        connection.slot < slots.count && slots[connection.slot]?.id == connection
    }

    /// Number of a connection's subscriptions, including silent ones.
    package func subscriptionCount(of connection: ConnectionID) -> Int {
        isConnected(connection) ? slots[connection.slot]!.names.count : 0
    }

    /// Delivers everything that has arrived by now, in order. Bytes are valid during the call: the text of a
    /// text frame, the payload of a ping, the reason of a close.
    ///
    /// After `closed` the connection is gone; a connection that vanished never says so.
    package mutating func poll(
        _ connection: ConnectionID,
        to body: (_ timeUs: Int64, _ delivery: VenueDelivery, _ bytes: Span<UInt8>) -> Void
    ) {
        if !isConnected(connection) { return }
        let isOver = slots[connection.slot]!.deliver(untilUs: nowUs, to: body)
        if isOver { disconnect(connection) }
    }

    /// When the next frame arrives on a connection; nil if none is on its way.
    package func nextArrivalUs(_ connection: ConnectionID) -> Int64? {
        isConnected(connection) ? slots[connection.slot]!.queue.nextUs : nil
    }

    /// Whether the connection has vanished: the venue neither sends nor hears anything on it.
    package func hasVanished(_ connection: ConnectionID) -> Bool {
        isConnected(connection) && slots[connection.slot]!.state == .vanished
    }

    /// Closes the connection from the client's side. What is on its way is lost.
    package mutating func disconnect(_ connection: ConnectionID) {
        if !isConnected(connection) { return }
        for name in slots[connection.slot]!.names { dropSubscription(name, of: connection) }
        slots[connection.slot] = nil
    }

    /// For how long the consumer of the frames stands still from the beginning of a second on; usually 0. It
    /// is a fault of the consumer, so the driver carries it out. A function of seed and second.
    package func consumerStallUs(inSecond second: Int64) -> Int64 {
        var random = SeededRandom(configuration.seed, purpose: UInt64(bitPattern: second) ^ 0xC5 &<< 56)
        return faults.strikes(.pause, &random) ? random.within(100_000...5_000_000) : 0
    }

    /// By how much the client's wall clock is set at the beginning of a second; usually 0. The driver carries
    /// it out. A function of seed and second.
    package func clockStepUs(inSecond second: Int64) -> Int64 {
        var random = SeededRandom(configuration.seed, purpose: UInt64(bitPattern: second) ^ 0xC6 &<< 56)
        if !faults.strikes(.clock, &random) { return 0 }
        let stepUs = random.within(random.chance(perMille: 500) ? 50_000...10_000_000 : 1...3_600_000_000)
        return random.chance(perMille: 500) ? stepUs : -stepUs
    }

    /// Whether the driver must lose a message of this symbol before its ring. The symbol is then silent for a
    /// while, so that no later message shows the loss.
    package mutating func losesBeforeRing(_ symbol: SymbolName) -> Bool {
        guard faults[.drop] > 0, let index = indices[symbol] else { return false }
        guard counters.strikes(.drop, of: faults, &random) else { return false }
        listings[index].halt(untilUs: nowUs + random.within(5_000_000...60_000_000))
        return true
    }

    private mutating func add(_ name: String, to connection: ConnectionID) {
        if !slots[connection.slot]!.held.insert(name).inserted { return }
        slots[connection.slot]!.names.append(name)
        guard let topic = topicsByName[topicName(name)] else { return }
        var isMute = counters.strikes(.mute, of: faults, &slots[connection.slot]!.random)
        if topics[topic].contains(where: { !$0.isMute }) {
            isMute = counters.strikes(.idle, of: faults, &slots[connection.slot]!.random) || isMute
        }
        topics[topic].append(
            Subscription(connection, name: name, isMute: isMute || slots[connection.slot]!.isDeaf))
    }

    private mutating func dropSubscription(_ name: String, of connection: ConnectionID) {
        guard let topic = topicsByName[topicName(name)] else { return }
        topics[topic].removeAll { $0.connection == connection && $0.name == name }
    }
}

// Messages on their way to subscribers.
extension Venue {
    /// Adds a stream with messages from outside, sent by `publish`; if the stream is known already, returns
    /// it.
    package mutating func addStream(_ name: String) -> VenueTopic {
        let name = topicName(name)
        if let index = topicsByName[name] { return VenueTopic(index: index) }
        addTopic(name)
        return VenueTopic(index: topics.count - 1)
    }

    mutating func addTopic(_ name: String) {
        topicsByName[name] = topics.count
        topics.append([])
    }

    /// Sends a message from outside to all subscribers of its stream, wrapped or bare as each wants it; the
    /// unit of its times is not changed.
    package mutating func publish(_ message: [UInt8], to topic: VenueTopic) {
        publish(message, topic: topic.index, isMicroseconds: nil)
    }

    func hasListener(_ topic: Int, isMicroseconds: Bool) -> Bool {
        topics[topic].contains { slots[$0.connection.slot]?.isMicroseconds == isMicroseconds }
    }

    /// - Parameter isMicroseconds: only to connections with this unit of time; nil: to all.
    mutating func publish(_ message: [UInt8], topic: Int, isMicroseconds: Bool?) {
        for place in topics[topic].indices {
            let slot = topics[topic][place].connection.slot
            if topics[topic][place].isMute || slots[slot] == nil { continue }
            if let isMicroseconds, slots[slot]!.isMicroseconds != isMicroseconds { continue }
            slots[slot]!.send(
                message, wrapper: topics[topic][place].wrapper, atUs: nowUs, plan: faults,
                configuration: configuration, counters: &counters)
        }
    }
}
