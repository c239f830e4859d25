// Depth streams at the speeds that their names say.
//
//     market   the flow's own pace   slower streams, default first
//     ---------|---------------------|----------------------------
//     spot     @100ms                @1000ms
//     futures  @0ms                  @250ms, @100ms, @500ms
//
// A slower stream is shown at multiples of its interval if anything has happened since. A speed that the
// market does not have is an unknown name. Where `honoursSpeeds` is off, every speed means that of the flow.

import BinanceServing
import BinanceVenue
import MarketData

extension ServingRules {
    /// The interval of the order flow: the shortest.
    fileprivate var ownIntervalMs: Int { intervalsMs.min() ?? 0 }
}

extension Venue {
    /// The intervals of the slower streams, in microseconds.
    static func intervalsUs(_ configuration: borrowing VenueConfiguration) -> [Int64] {
        if !configuration.honoursSpeeds { return [] }
        let rules = ServingRules(configuration.market)
        return rules.intervalsMs.filter { $0 != rules.ownIntervalMs }.map { Int64($0) * 1_000 }
    }

    /// The topic that a stream name means.
    func topicName(_ name: String) -> String {
        guard var parts = StreamName(name), parts.content != .bookTicker else { return name }
        if configuration.honoursSpeeds {
            if !rules.serves(parts) { return name }
            parts.intervalMs = parts.intervalMs ?? rules.intervalsMs[0]
        } else if parts.intervalMs.map(Venue.everyIntervalMs.contains) ?? true {
            parts.intervalMs = nil
        }
        return parts.text
    }

    /// The intervals of all markets.
    private static let everyIntervalMs = Set(Market.allCases.flatMap { ServingRules($0).intervalsMs })

    /// Names the topics of all symbols: first those at the flow's pace, then the slower ones.
    mutating func addTopics() {
        let ownMs = configuration.honoursSpeeds ? rules.ownIntervalMs : nil
        for index in listings.indices {
            let symbol = listings[index].name.lowercasedASCII
            for stream in SymbolStream.allCases {
                addTopic(StreamName(symbol: symbol, stream.content, intervalMs: ownMs).text)
            }
        }
        for index in listings.indices {
            let symbol = listings[index].name.lowercasedASCII
            for intervalUs in intervalsUs {
                for stream in SymbolStream.depths {
                    addTopic(
                        StreamName(symbol: symbol, stream.content, intervalMs: Int(intervalUs / 1_000)).text)
                }
            }
        }
    }

    /// The topic of a slower stream; `pace` numbers the intervals of all symbols.
    private func topic(_ stream: SymbolStream, ofPace pace: Int) -> Int {
        SymbolStream.allCases.count * listings.count + pace * SymbolStream.depths.count + stream.rawValue
    }

    /// The topics of a symbol's diffs, at all speeds.
    func diffTopics(of index: Int) -> [Int] {
        let slower = intervalsUs.indices.map { topic(.depth, ofPace: index * intervalsUs.count + $0) }
        return [SymbolStream.depth.topic(of: index)] + slower
    }

    /// Adds the update that a symbol now shows to its slower streams and schedules them.
    mutating func gather(_ index: Int) {
        for (place, intervalUs) in intervalsUs.enumerated() {
            let pace = index * intervalsUs.count + place
            let isHeard = SymbolStream.depths.contains { !topics[topic($0, ofPace: pace)].isEmpty }
            if !isHeard {
                paced[pace].forget()
                continue
            }
            let isFirst = !paced[pace].isPending
            paced[pace].gather(listings[index].flow.current, listings[index].flow.book)
            if !isFirst { continue }
            let dueUs = (nowUs + intervalUs - 1) / intervalUs * intervalUs
            agenda.insert(VenueAgenda.Entry(timeUs: dueUs, index: listings.count + pace))
        }
    }

    /// Shows what a slower stream has gathered.
    mutating func showPaced(_ pace: Int) {
        if !paced[pace].isPending { return }
        let index = pace / intervalsUs.count
        let printed = listings[index].flow.printed
        for stream in SymbolStream.depths where !topics[topic(stream, ofPace: pace)].isEmpty {
            paced[pace].copyDiff(
                of: listings[index].name, configuration.market, printed, atUs: nowUs, into: &update)
            if let levelCount = stream.levelCount { fillTop(pace, levelCount, printed) }
            publishDepth(
                topic(stream, ofPace: pace), isDiff: stream == .depth, grid: coarseGrid(of: index))
        }
        paced[pace].wasShown()
    }

    /// Puts the best levels into the update, and for spot into the snapshot.
    private mutating func fillTop(_ pace: Int, _ levelCount: Int, _ printed: PrintedScales) {
        update.bids.removeAll()
        update.asks.removeAll()
        for level in paced[pace].topBids.prefix(levelCount) { update.bids.append(printed(level)) }
        for level in paced[pace].topAsks.prefix(levelCount) { update.asks.append(printed(level)) }
        if configuration.market != .spot { return }
        snapshot.reset()
        snapshot.lastUpdateID = update.last
        snapshot.scales = update.scales
        swap(&update.bids, &snapshot.bids)
        swap(&update.asks, &snapshot.asks)
    }
}
