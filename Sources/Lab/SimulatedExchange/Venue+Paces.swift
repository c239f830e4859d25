// Depth streams at the speeds their names say.
//
//     market   the flow's own pace   slower streams, default first
//     ---------|---------------------|----------------------------
//     spot     @100ms                @1000ms
//     futures  @0ms                  @250ms, @100ms, @500ms
//
// A slower stream is shown at multiples of its interval, if anything happened since. A speed that the market
// does not have is a name that nobody knows. Where `honoursSpeeds` is off, every speed is the flow's own.

import BinanceVenue
import MarketData

extension Venue {
    /// The intervals of the slower streams, in microseconds.
    static func intervalsUs(_ configuration: borrowing VenueConfiguration) -> [Int64] {
        if !configuration.honoursSpeeds { return [] }
        return configuration.market == .spot ? [1_000_000] : [250_000, 100_000, 500_000]
    }

    /// The topic that a stream name asks for.
    func topicName(_ name: String) -> String {
        let parts = name.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts[1].hasPrefix("depth") else { return name }
        if configuration.honoursSpeeds {
            let usual = configuration.market == .spot ? "1000ms" : "250ms"
            return parts.count == 3 ? name : "\(name)@\(usual)"
        }
        let isSpeed = parts.count == 2 || ["0ms", "100ms", "250ms", "500ms", "1000ms"].contains(parts[2])
        return isSpeed ? "\(parts[0])@\(parts[1])" : name
    }

    /// Names the topics of all symbols: first those at the flow's pace, then the slower ones.
    mutating func addTopics() {
        let own = !configuration.honoursSpeeds ? "" : configuration.market == .spot ? "@100ms" : "@0ms"
        for index in listings.indices {
            let symbol = listings[index].name.lowercasedASCII
            for stream in SymbolStream.allCases {
                addTopic("\(symbol)@\(stream)" + (stream == .bookTicker ? "" : own))
            }
        }
        for index in listings.indices {
            let symbol = listings[index].name.lowercasedASCII
            for intervalUs in intervalsUs {
                for stream in SymbolStream.depths { addTopic("\(symbol)@\(stream)@\(intervalUs / 1_000)ms") }
            }
        }
    }

    /// The topic of a slower stream; `pace` counts the intervals of all symbols.
    private func topic(_ stream: SymbolStream, ofPace pace: Int) -> Int {
        SymbolStream.allCases.count * listings.count + pace * SymbolStream.depths.count + stream.rawValue
    }

    /// The topics of a symbol's diffs, at every speed.
    func diffTopics(of index: Int) -> [Int] {
        let slower = intervalsUs.indices.map { topic(.depth, ofPace: index * intervalsUs.count + $0) }
        return [SymbolStream.depth.topic(of: index)] + slower
    }

    /// Adds the event that a symbol shows now to its slower streams, and sees to it that they are shown.
    mutating func gather(_ index: Int) {
        for (place, intervalUs) in intervalsUs.enumerated() {
            let pace = index * intervalsUs.count + place
            let isHeard = SymbolStream.depths.contains { !topics[topic($0, ofPace: pace)].isEmpty }
            if !isHeard {
                paced[pace].forget()
                continue
            }
            let isFirst = !paced[pace].isPending
            paced[pace].gather(listings[index].flow.event, listings[index].flow.book)
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
