// The network of the simulation: in place of sockets, threads and a server there are links, hops and the
// venue. It also injects faults before the feed: messages too long for the ring, and the mistakes of a
// careless program.

import BinanceServing
import BinanceVenue
import DepthFeed
import FeedPlan
import LobHandoff
import MarketData
import SimulatedExchange

extension Pipeline {
    static func feedConfiguration(_ plan: PipelinePlan, _ symbols: [SymbolName], _ endpoints: Endpoints)
        -> DepthFeed.Configuration
    {
        var configuration = DepthFeed.Configuration(endpoints: endpoints, symbols: symbols)
        configuration.streams.partialLevelCount = 5
        configuration.supervisor.terms.streamCountMax = max(1024, 3 * plan.symbolCount)
        configuration.supervisor.terms.lifeMs = plan.connectionLifeSeconds * 1000
        configuration.supervisor.renewalMarginMs = Int64(plan.connectionLifeSeconds) * 200
        configuration.supervisor.renewalJitterMs = Int64(plan.connectionLifeSeconds) * 200
        configuration.supervisor.seed = plan.seed
        configuration.tickIntervalMs = Int(Pipeline.tickUs / 1000)
        return configuration
    }

    /// Levels per side to request. Shallow first: a book of a hundred levels costs a fiftieth of the weight
    /// and is live just as soon.
    static func levelCount(_ priority: SnapshotPriority) -> Int {
        switch priority {
        case .initial, .resync, .shallow, .check: 100
        case .deepen, .audit: 1000
        }
    }

    // MARK: - Connections

    func dial(_ connection: FeedConnection) -> VenueLink {
        if links.count > 1 { violated(.terms, SymbolName(), "a third connection") }
        let link = VenueLink(connection, of: self)
        links.append(link)
        return link
    }

    func note(_ event: FeedEvent) {
        switch event {
        case .dialling: outcome.dials += 1
        case .supervisor(.replacing): outcome.replacements += 1
        case .supervisor(.resubscribing): outcome.resubscriptions += 1
        case .supervisor, .opened, .ended, .shutdownAnnounced, .unreadable, .fellSilent, .dropped,
            .snapshotTooLong, .snapshotRetried, .snapshotFailed, .limited, .exchangeInfo,
            .exchangeInfoRetried:
            break
        }
    }

    /// A message as the feed gets it: mostly as the venue sent it.
    func tampered(_ message: [UInt8], atUs timeUs: Int64) -> [UInt8] {
        if let index = lostBeforeRing(message) {
            if plan.measured == .dropped { beginFault(index, atUs: timeUs) }
            // Padded with blanks until it is longer than the ring: the feed has to drop it.
            return message + [UInt8](repeating: 0x20, count: plan.ringBytes)
        }
        if plan.mistake == .misreadsTickers || isDistorting { return withLongerQuantities(message) }
        return plan.mistake == .deleteByLiteral ? withoutShortZeros(message) : message
    }

    /// The index of the symbol if a message of its depth stream must be lost before the ring.
    private func lostBeforeRing(_ message: [UInt8]) -> Int? {
        if venue.faults[.drop] == 0 { return nil }
        let head = Array("{\"stream\":\"sim".utf8)
        guard message.starts(with: head) else { return nil }
        let digits = message[head.count...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let index = Int(String(decoding: digits, as: UTF8.self)), symbols.indices.contains(index),
            message[head.count...].starts(with: Array("\(index)usdt@depth@".utf8))
                || message[head.count...].starts(with: Array("\(index)usdt@depth\"".utf8)),
            venue.losesBeforeRing(symbols[index])
        else { return nil }
        return index
    }

    // MARK: - Snapshots

    /// Starts a request; returns a closure that cancels it.
    func get(_ fetch: SnapshotFetch) -> (() -> Void)? {
        guard let target = RequestTarget(address: fetch.address, base: endpoints.restBase) else { return nil }
        outcome.requests += 1
        var isOver = false
        func finish(_ error: String?) {
            if isOver { return }
            isOver = true
            fetch.finished(error)
        }
        clock.alarm(atUs: venue.nowUs + random.within(15_000...60_000)) { [unowned self] in
            if isOver { return }
            let response = venue.request(target)
            clock.alarm(atUs: response.dueUs) { [unowned self] in
                if isOver { return }
                if response.status == 0 { return finish("connection lost") }
                let headers = response.headers
                fetch.answered(status: response.status) { name in
                    headers.first { $0.name.lowercased() == name }?.value
                }
                if isOver { return }
                clock.alarm(atUs: venue.nowUs + random.within(0...20_000)) { [unowned self] in
                    if isOver { return }
                    noteBody(target, response)
                    fetch.received(body(response, target).span)
                    finish(nil)
                }
            }
        }
        return { [unowned self] in clock.alarm(atUs: 0) { finish("cancelled") } }
    }

    /// The body of an answer as the fetcher gets it.
    private func body(_ response: VenueResponse, _ target: RequestTarget) -> [UInt8] {
        let isDeep = target.parameter("limit").flatMap { Int($0) } ?? 0 > 100
        return plan.mistake == .futureAudits && isDeep ? withLaterID(response.body) : response.body
    }

    private func noteBody(_ target: RequestTarget, _ response: VenueResponse) {
        guard let symbol = target.parameter("symbol").flatMap({ SymbolName($0) }),
            let index = symbols.firstIndex(of: symbol)
        else { return }
        responses[index] = response
    }

    /// A delivery of the fetcher has reached the feed's thread.
    func arrived(_ delivery: SnapshotFetcher.Delivery) {
        switch delivery.news {
        case .requested: break
        case .snapshot, .failed:
            answerCount += 1
            if plan.mistake == .losesAnswers && answerCount > 3 { return }
            if let index = symbols.firstIndex(of: delivery.key.symbol), let response = responses[index] {
                noteAnswer(response, index: index)
            }
        }
        feed.deliver(delivery)
    }
}

extension RequestTarget {
    /// The target of a URL below a base; nil if it is not below it.
    init?(address: String, base: String) {
        guard address.hasPrefix(base) else { return nil }
        let parts = address.dropFirst(base.count).split(separator: "?", maxSplits: 1)
        guard let path = parts.first else { return nil }
        let pairs = parts.count < 2 ? [] : parts[1].split(separator: "&")
        let parameters = pairs.map { pair in
            let sides = pair.split(separator: "=", maxSplits: 1)
            return Parameter(String(sides[0]), sides.count < 2 ? "" : String(sides[1]))
        }
        self.init(path: String(path), parameters: parameters)
    }

    /// The value of a parameter; nil if it is missing.
    func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
}
