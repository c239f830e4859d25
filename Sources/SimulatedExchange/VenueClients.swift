// What a client does with its connections: open, subscribe, take what has arrived, close.

import BinanceDepth
import MarketData

extension Venue {
    private static let attemptCountMax = 300
    private static let attemptWindowUs: Int64 = 300_000_000
    private static let streamCountMax = 1_024

    /// Opens a connection now. Frames follow for everything that happens from now on. Spot allows 300
    /// attempts in five minutes; of the futures no limit is known.
    ///
    /// - Parameters:
    ///   - streams: names such as `btcusdt@depth@100ms`; unknown ones are accepted and stay silent.
    ///   - isCombined: whether frames come in the wrapper that names their stream.
    public mutating func connect(
        _ streams: [String], isCombined: Bool
    ) throws(VenueRefusal) -> ConnectionID {
        if streams.count > Venue.streamCountMax { throw .tooManyStreams }
        attemptsUs.removeAll { $0 <= nowUs - Venue.attemptWindowUs }
        if configuration.market == .spot && attemptsUs.count >= Venue.attemptCountMax {
            throw .tooManyAttempts(retryAtUs: attemptsUs[0] + Venue.attemptWindowUs)
        }
        if configuration.market == .spot { attemptsUs.append(nowUs) }
        let free = slots.firstIndex { $0 == nil }
        let slot = free ?? slots.count
        if slot >= configuration.connectionCountMax { throw .tooManyConnections }
        let id = ConnectionID(slot: slot, ordinal: connectionCount)
        connectionCount += 1
        let made = VenueConnection(id, isCombined: isCombined, openUs: nowUs, configuration: configuration)
        if free == nil { slots.append(made) } else { slots[slot] = made }
        for name in streams { add(name, to: id) }
        return id
    }

    /// Adds streams and queues the venue's reply, `{"result":null,"id":…}`.
    public mutating func subscribe(
        _ streams: [String], on connection: ConnectionID, requestID: RequestID
    ) throws(VenueRefusal) {
        guard let held = names(of: connection) else { throw .notConnected }
        let added = streams.filter { !held.contains($0) }
        if held.count + added.count > Venue.streamCountMax { throw .tooManyStreams }
        for name in added { add(name, to: connection) }
        reply(.done, requestID, to: connection)
    }

    /// Removes streams and queues the venue's reply.
    public mutating func unsubscribe(
        _ streams: [String], on connection: ConnectionID, requestID: RequestID
    ) throws(VenueRefusal) {
        if names(of: connection) == nil { throw .notConnected }
        slots[connection.slot]?.names.removeAll { streams.contains($0) }
        for index in listings.indices {
            listings[index].subscriptions.removeAll {
                $0.connection == connection && streams.contains($0.name)
            }
        }
        reply(.done, requestID, to: connection)
    }

    /// Queues the names of a connection's subscriptions, silent ones included.
    public mutating func listSubscriptions(
        on connection: ConnectionID, requestID: RequestID
    ) throws(VenueRefusal) {
        guard let held = names(of: connection) else { throw .notConnected }
        reply(.streams(held), requestID, to: connection)
    }

    /// Whether the client still has this connection: until it has taken the close, or hung up.
    public func isConnected(_ connection: ConnectionID) -> Bool { names(of: connection) != nil }

    /// Hands out everything that has arrived by now, in order. Bytes are valid during the call.
    ///
    /// After `closed` the connection is gone; a connection that vanished never says so.
    public mutating func poll(
        _ connection: ConnectionID,
        to body: (_ timeUs: Int64, _ delivery: VenueDelivery, _ bytes: Span<UInt8>) -> Void
    ) {
        guard names(of: connection) != nil else { return }
        let isOver = slots[connection.slot]!.deliver(untilUs: nowUs, to: body)
        if isOver { disconnect(connection) }
    }

    /// When the next frame arrives on a connection; nil if none is on its way.
    public func nextArrivalUs(_ connection: ConnectionID) -> Int64? {
        names(of: connection) == nil ? nil : slots[connection.slot]?.queue.nextUs
    }

    /// Hangs up. What is on its way is lost.
    public mutating func disconnect(_ connection: ConnectionID) {
        guard names(of: connection) != nil else { return }
        slots[connection.slot] = nil
        for index in listings.indices {
            listings[index].subscriptions.removeAll { $0.connection == connection }
        }
    }

    /// For how long the consumer of the frames stands still from the beginning of a second on; mostly 0.
    /// A fault of the consumer's, so it is the driver that carries it out. A function of seed and second.
    public func consumerStallUs(inSecond second: Int64) -> Int64 {
        var random = SeededRandom(configuration.seed, purpose: UInt64(bitPattern: second) ^ 0xC5 &<< 56)
        return faults.strikes(.pause, &random) ? random.within(100_000...5_000_000) : 0
    }

    private func names(of connection: ConnectionID) -> [String]? {
        guard connection.slot < slots.count, let held = slots[connection.slot], held.id == connection
        else { return nil }
        return held.names
    }

    private mutating func add(_ name: String, to connection: ConnectionID) {
        slots[connection.slot]?.names.append(name)
        guard let (symbol, stream) = VenueStream.parse(name), let index = indicesByStream[symbol]
        else { return }
        let isMute = counters.strikes(.mute, of: faults, &slots[connection.slot]!.random)
        listings[index].subscriptions.append(
            Subscription(connection: connection, stream: stream, name: name, isMute: isMute))
    }

    private mutating func reply(_ result: ControlResult, _ id: RequestID, to connection: ConnectionID) {
        guard slots[connection.slot]?.isSending == true else { return }
        encoder.removeAll()
        // Cannot fail: at most 1024 names, which clients keep short; a longer list is not answered.
        guard (try? encoder.append(result, id: id)) != nil else { return }
        slots[connection.slot]?.reply(encoder, atUs: nowUs, configuration: configuration)
    }
}
