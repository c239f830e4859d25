// What the servers of `lob exchange` have done, as a status line and as a summary.

import ExchangeServer
import LobMetrics
import SimulatedExchange

/// Rates and totals of several servers.
struct ExchangeMeter {
    private let servers: [ExchangeServer]
    private var lastMessageCount = 0
    private var lastAtNs = monotonicNs()

    init(_ servers: [ExchangeServer]) { self.servers = servers }

    /// The status line; rates are since the previous one.
    mutating func line() -> String {
        let counters = servers.map(\.counters)
        let nowNs = monotonicNs()
        let messages = counters.reduce(0) { $0 + $1.messageCount }
        let rate = Double(messages - lastMessageCount) / (Double(nowNs - lastAtNs) / 1e9)
        lastMessageCount = messages
        lastAtNs = nowNs
        let weights = zip(servers, counters).map { "\($0.market.name) \($1.usedWeight)" }
        func sum(_ path: PartialKeyPath<ExchangeCounters>) -> String {
            counted(counters.reduce(0) { $0 + ExchangeCounters[path].read($1) }, path)
        }
        var line =
            "\(sum(\.connectionCount)), \(sum(\.streamCount)), "
            + "\(rounded(rate)) \(ExchangeCounters[\.messageCount].title)/s, \(sum(\.requestCount)), "
            + "\(ExchangeCounters[\.usedWeight].title) \(weights.joined(separator: " "))"
        let faults = Fault.allCases.reduce(0) { sum, fault in
            sum + counters.reduce(0) { $0 + $1.venue[fault] }
        }
        if faults > 0 { line += ", \(counted(faults, "fault"))" }
        let behindUs = counters.map(\.behindUs).max() ?? 0
        if behindUs > 1_000_000 {
            line += ", \(fixed(Double(behindUs) / 1e6, 1)) s \(ExchangeCounters[\.behindUs].title)"
        }
        return line
    }

    /// Totals printed at the end, in this order.
    private static let totals: [Metric<ExchangeCounters>] =
        [
            ExchangeCounters[\.connectedCount], ExchangeCounters[\.refusedCount],
            ExchangeCounters[\.slowCount], venue(\.floodCount), venue(\.pongTimeoutCount),
            venue(\.updateCount), ExchangeCounters[\.messageCount], ExchangeCounters[\.messageBytes],
            venue(\.controlCount), venue(\.refusalCount), ExchangeCounters[\.requestCount],
            venue(\.limitedCount), venue(\.bannedCount), ExchangeCounters[\.overloadCount],
        ]

    /// Totals printed after those, if not zero.
    private static let rareTotals: [Metric<ExchangeCounters>] =
        [ExchangeCounters[\.playedCount]] + ExchangeCounters.metrics.filter { $0.label?.name == "fault" }

    private static func venue(_ path: PartialKeyPath<VenueCounters>) -> Metric<ExchangeCounters> {
        VenueCounters[path].within(\.venue)
    }

    /// Totals and faults of one server.
    private func totals(_ server: ExchangeServer) -> [(name: String, count: Int)] {
        let counters = server.counters
        let rare = ExchangeMeter.rareTotals.filter { $0.read(counters) > 0 }
        return (ExchangeMeter.totals + rare).map { (name: $0.key, count: $0.read(counters)) }
    }

    /// One JSON object for all servers.
    func json(elapsedNs: Int64) -> String {
        let parts = servers.map { server in
            let members = totals(server).map { "\"\($0.name)\":\($0.count)" }
            return "\"\(server.market.name)\":{\(members.joined(separator: ","))}"
        }
        return "{\"seconds\":\(fixed(Double(elapsedNs) / 1e9, 3)),\(parts.joined(separator: ","))}"
    }

    /// The table for the terminal.
    func summary(elapsedNs: Int64) -> String {
        var rows = [[""] + servers.map(\.market.name)]
        let columns = servers.map(totals)
        var names: [String] = []
        for column in columns {
            for total in column where !names.contains(total.name) { names.append(total.name) }
        }
        for name in names {
            let counts = columns.map { $0.first { $0.name == name }.map { "\($0.count)" } ?? "0" }
            rows.append([ExchangeMeter.words(name)] + counts)
        }
        return renderTable(rows, leftAligned: [0]) + "\nran \(fixed(Double(elapsedNs) / 1e9, 1)) s"
    }

    /// The name of a JSON member as words: `refusedControls` becomes `refused controls`.
    private static func words(_ name: String) -> String {
        var text = ""
        for letter in name {
            switch letter {
            case ".": text += " "
            case "A"..."Z": text += " \(letter.lowercased())"
            case "0"..."9" where text.last?.isLetter == true: text += " \(letter)"
            case _: text.append(letter)
            }
        }
        return text
    }
}
