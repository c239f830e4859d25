// A replay as JSON, as a table and as a ladder.

import BinanceVenue
import BookEngine
import DepthBook
import LobMetrics
import MarketData

/// Renders the results of a replay.
struct ReplayReport {
    let market: Market
    let printsBook: Bool
    /// Malformed messages of the capture; which symbol a broken message belonged to cannot be known.
    let malformed: Int
    /// Maximum number of levels shown per side.
    let depth: Int
    /// Whether it was replayed at the pace of the capture, which makes its duration meaningless.
    let isPaced: Bool

    private static let noScales = SymbolScales(priceDecimals: 0, quantityDecimals: 0)

    /// The object that `--json` prints for a symbol.
    func json(_ symbol: ReplayedSymbol) -> String {
        let status = symbol.status
        let scales = status.scales ?? ReplayReport.noScales
        var text =
            "{\"symbol\":\"\(status.symbol)\",\"market\":\"\(market.name)\",\"state\":\"\(status.state)\""
        if status.state == .stale { text += ",\"reason\":\"\(status.reason)\"" }
        text += ",\"lastUpdateId\":\(status.lastUpdateID),\(members(symbol))"
        text += ",\"proven\":{\"bid\":\(proven(status.provenBids, scales))"
        text += ",\"ask\":\(proven(status.provenAsks, scales))}"
        text += ",\"digest\":\"\(hexadecimal(symbol.digest))\""
        if printsBook {
            text += ",\"bids\":\(levels(symbol.bids, scales)),\"asks\":\(levels(symbol.asks, scales))"
        }
        return text + "}"
    }

    private func members(_ symbol: ReplayedSymbol) -> String {
        let c = symbol.status.counters
        var members = MetricMembers()
        members.add(c, \.applied, \.discarded, \.gaps)
        members.add("events.malformed", malformed)
        members.add(c, \.tickersCompared, \.tickersAgreed, \.partialsCompared, \.partialsAgreed)
        members.add("bodies.compared", symbol.bodies.comparedCount)
        members.add("bodies.agreed", symbol.bodies.comparedCount - symbol.bodies.mismatches)
        return members.text
    }

    private func proven(_ range: ProvenRange, _ scales: SymbolScales) -> String {
        switch range {
        case .nothing: "\"\""
        case .to(let price): "\"\(scales.text(price))\""
        case .unbounded: "null"
        }
    }

    private func levels(_ levels: [PriceLevel], _ scales: SymbolScales) -> String {
        let pairs = levels.map { "[\"\(scales.text($0.price))\",\"\(scales.text($0.quantity))\"]" }
        return "[" + pairs.joined(separator: ",") + "]"
    }

    /// The summary for the terminal.
    func table(_ summary: ReplaySummary) -> String {
        var rows = [
            [
                "symbol", "state", SymbolCounters[\.applied].title, SymbolCounters[\.gaps].title, "bids",
                "asks",
                "best bid", "best ask", SymbolCounters[\.tickersCompared].title, "digest",
            ]
        ]
        for symbol in summary.symbols {
            let status = symbol.status
            let c = status.counters
            let scales = status.scales ?? ReplayReport.noScales
            let partials = c.partialsCompared > 0 ? " + \(c.partialsAgreed)/\(c.partialsCompared)" : ""
            rows.append([
                "\(status.symbol)", state(status), "\(c.applied)", "\(c.gaps)", "\(symbol.bids.count)",
                "\(symbol.asks.count)", symbol.bids.first.map { scales.text($0.price) } ?? "-",
                symbol.asks.first.map { scales.text($0.price) } ?? "-",
                "\(c.tickersAgreed)/\(c.tickersCompared)\(partials)", hexadecimal(symbol.digest),
            ])
        }
        let seconds = Double(summary.elapsedNs) / 1e9
        var text = renderTable(rows, leftAligned: [0, 1])
        text += "\n\(summary.lines) messages, "
        text += "\(summary.engine.depthUpdates) \(EngineCounters[\.depthUpdates].title) with "
        text += "\(summary.engine.levels) \(EngineCounters[\.levels].title), "
        text += "\(summary.malformedCount) malformed"
        if isPaced { return text + ending(summary) }
        let rate = rounded(Double(summary.lines) / max(seconds, 1e-9))
        text += "; books kept in \(fixed(seconds, 3)) s, without reading and unpacking: \(rate) messages/s"
        return text + ending(summary)
    }

    /// The notes below the table.
    private func ending(_ summary: ReplaySummary) -> String {
        var text = ""
        if let damage = summary.damage { text += "\n\(damage)" }
        if summary.isInterrupted { text += "\ninterrupted: the rest has not been read" }
        for symbol in summary.symbols { text += complaints(symbol).map { "\n" + $0 }.joined() }
        return text
    }

    private func state(_ status: SymbolStatus) -> String {
        status.state == .stale ? "stale (\(status.reason))" : "\(status.state)"
    }

    /// The best ten levels per side, asks above bids, with a bar for the quantity.
    func ladder(_ symbol: ReplayedSymbol) -> String {
        let scales = symbol.status.scales ?? ReplayReport.noScales
        let asks = symbol.asks.prefix(10).reversed()
        let bids = symbol.bids.prefix(10)
        let largest = Double(max((asks + bids).map(\.quantity.mantissa).max() ?? 1, 1))
        var rows: [[String]] = []
        func add(_ level: PriceLevel, _ side: String) {
            let length = Int((Double(level.quantity.mantissa) / largest * 40).rounded(.up))
            rows.append([
                side, scales.text(level.price), scales.text(level.quantity),
                String(repeating: "▇", count: length),
            ])
        }
        for level in asks { add(level, "ask") }
        for level in bids { add(level, "bid") }
        return "\n\(symbol.status.symbol) at \(symbol.status.lastUpdateID)\n"
            + renderTable(rows, leftAligned: [0, 3])
    }
}
