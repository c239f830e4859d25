// The work of the servers of `lob exchange`, as a line that is rewritten and as a summary.

import ExchangeServer
import SimulatedExchange

/// Rates and totals of some servers.
struct ExchangeMeter {
    private let servers: [ExchangeServer]
    private var lastMessageCount = 0
    private var lastAtNs = monotonicNs()

    init(_ servers: [ExchangeServer]) { self.servers = servers }

    /// The status line; rates are since the last one.
    mutating func line() -> String {
        let counters = servers.map(\.counters)
        let nowNs = monotonicNs()
        let messages = counters.reduce(0) { $0 + $1.messageCount }
        let rate = Double(messages - lastMessageCount) / (Double(nowNs - lastAtNs) / 1e9)
        lastMessageCount = messages
        lastAtNs = nowNs
        let weights = zip(servers, counters).map { "\($0.market.name) \($1.usedWeight)" }
        var line =
            "\(counted(counters.reduce(0) { $0 + $1.connectionCount }, "connection")), "
            + "\(counted(counters.reduce(0) { $0 + $1.streamCount }, "stream")), "
            + "\(rounded(rate)) messages/s, "
            + "\(counted(counters.reduce(0) { $0 + $1.requestCount }, "request")), weight "
            + weights.joined(separator: " ")
        let faults = Fault.allCases.reduce(0) { sum, fault in
            sum + counters.reduce(0) { $0 + $1.venue[fault] }
        }
        if faults > 0 { line += ", \(counted(faults, "fault"))" }
        let behindUs = counters.map(\.behindUs).max() ?? 0
        if behindUs > 1_000_000 { line += ", \(fixed(Double(behindUs) / 1e6, 1)) s behind" }
        return line
    }

    /// Totals and faults of each server.
    private func totals(_ server: ExchangeServer) -> [(name: String, count: Int)] {
        let counters = server.counters
        var totals = [
            ("connections", counters.connectedCount), ("refused", counters.refusedCount),
            ("tooSlow", counters.slowCount), ("tooManyMessages", counters.venue.floodCount),
            ("pongTimeouts", counters.venue.pongTimeoutCount), ("events", counters.venue.eventCount),
            ("messages", counters.messageCount), ("messageBytes", counters.messageBytes),
            ("controlMessages", counters.venue.controlCount),
            ("refusedControls", counters.venue.refusalCount),
            ("requests", counters.requestCount), ("answered429", counters.venue.limitedCount),
            ("answered418", counters.venue.bannedCount), ("overloaded", counters.overloadCount),
        ]
        if counters.playedCount > 0 { totals.append(("played", counters.playedCount)) }
        totals += Fault.allCases.filter { counters.venue[$0] > 0 }.map {
            ("fault.\($0.name)", counters.venue[$0])
        }
        return totals.map { (name: $0.0, count: $0.1) }
    }

    /// One JSON object for all servers.
    func json(elapsedNs: Int64) -> String {
        let parts = servers.map { server in
            let members = totals(server).map { "\"\($0.name)\":\($0.count)" }
            return "\"\(server.market.name)\":{\(members.joined(separator: ","))}"
        }
        return "{\"seconds\":\(fixed(Double(elapsedNs) / 1e9, 3)),\(parts.joined(separator: ","))}"
    }

    /// A table for people.
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

    /// A name of a JSON member as words: `refusedControls` is `refused controls`.
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
