// The live picture of `lob run`: what the service does as a whole, then a line for each symbol, those that
// need a look first.

import BookService
import DepthBook
import DepthFeed
import MarketData

/// Draws a service.
struct RunScreen {
    private let service: BookService
    private let title: String
    private let clock = Stopwatch()
    private var lastMessages = 0
    private var lastBytes = 0
    private var lastAtNs: Int64 = 0
    private(set) var messagesPerSecond = 0.0
    private var bytesPerSecond = 0.0

    init(_ service: BookService, title: String) {
        self.service = service
        self.title = title
    }

    /// The picture, at most `rowCountMax` lines.
    ///
    /// - Parameter decimals: price decimals worth showing, where they are known.
    mutating func lines(_ watch: RunWatch, rowCountMax: Int, decimals: [SymbolName: Int]) -> [String] {
        let lanes = service.laneStatuses
        measure(lanes)
        var lines = [headline(watch), traffic(lanes)] + snapshots()
        let room = max(rowCountMax - lines.count - 3, 1)
        let symbols = watch.symbols.sorted { RunScreen.urgency($0) < RunScreen.urgency($1) }
        var rows = [
            [
                "symbol", "state", "proven", "best bid", "best ask", "events/s", "lag ms", "waiting",
                "tickers", "audits", "gaps",
            ]
        ]
        for symbol in symbols.prefix(room) { rows.append(row(symbol, decimals[symbol.name])) }
        lines.append("")
        lines += renderTable(rows, leftAligned: [0, 1]).split(separator: "\n").map(String.init)
        if symbols.count > room { lines.append("… and \(symbols.count - room) more") }
        return lines
    }

    /// The first line, which is also what is logged where there is no terminal.
    func headline(_ watch: RunWatch) -> String {
        var text = "\(title), \(RunScreen.duration(clock.elapsedNs)): \(watch.count(.live)) live"
        if watch.count(.syncing) > 0 { text += ", \(watch.count(.syncing)) syncing" }
        if watch.count(.stale) > 0 { text += ", \(watch.count(.stale)) stale" }
        return text + " of \(watch.symbols.count)"
    }

    private mutating func measure(_ lanes: [LaneStatus]) {
        let nowNs = clock.elapsedNs
        // Statuses come once a second; a shorter time would show steps.
        if nowNs - lastAtNs < 1_900_000_000 { return }
        let messages = lanes.reduce(0) { $0 + $1.feed.messages }
        let bytes = lanes.reduce(0) { $0 + $1.feed.bytes }
        let seconds = Double(nowNs - lastAtNs) / 1e9
        messagesPerSecond = Double(messages - lastMessages) / seconds
        bytesPerSecond = Double(bytes - lastBytes) / seconds
        (lastMessages, lastBytes, lastAtNs) = (messages, bytes, nowNs)
    }

    private func traffic(_ lanes: [LaneStatus]) -> String {
        let capacity = lanes.reduce(0) { $0 + $1.ringCapacityBytes }
        func share(_ bytes: Int) -> String { fixed(100 * Double(bytes) / Double(max(capacity, 1)), 1) + " %" }
        var text =
            "\(rounded(messagesPerSecond)) messages/s, \(fixed(bytesPerSecond / 1e6, 2)) MB/s; ring "
            + "\(share(lanes.reduce(0) { $0 + $1.ringBytes })), most "
            + "\(share(lanes.reduce(0) { $0 + $1.ringHighWaterBytes })), "
            + "lost \(lanes.reduce(0) { $0 + $1.feed.droppedMessages }); "
        let connections = lanes.map { "\($0.feed.state)" }
        text +=
            "connections \(Set(connections).count == 1 ? connections[0] : connections.joined(separator: " "))"
        let attempts = lanes.reduce(0) { $0 + $1.feed.attempts }
        if attempts > lanes.count { text += ", \(attempts) dialled" }
        if let error = lanes.map({ "\($0.feed.lastError)" }).first(where: { !$0.isEmpty }) {
            text += ", last trouble: \(error)"
        }
        return text
    }

    /// The plan of the snapshot desk, while there is one.
    private func snapshots() -> [String] {
        let desk = service.deskStatus
        let waiting = (0..<4).reduce(0) { $0 + desk.queued[$1] } + desk.inFlight
        var text = "snapshots \(desk.sentCount) asked, weight \(desk.weightSpent) of \(desk.weightMax)"
        if desk.refusalCount > 0 { text += ", \(desk.refusalCount) refusals" }
        if desk.transientFailureCount > 0 { text += ", \(desk.transientFailureCount) failures" }
        if waiting > 0 {
            let done = desk.delivered + desk.failed
            let width = 20
            let filled = desk.total == 0 ? 0 : done * width / desk.total
            let bar = String(repeating: "▇", count: filled) + String(repeating: "·", count: width - filled)
            text += "; \(bar) \(done) of \(desk.total)"
            let leftMs = desk.etaMs - wallClockUs() / 1000
            if desk.etaMs > 0 && leftMs > 0 { text += ", \(fixed(Double(leftMs) / 1000, 1)) s to go" }
        }
        return [text]
    }

    private func row(_ symbol: WatchedSymbol, _ decimals: Int?) -> [String] {
        let view = symbol.view
        let status = symbol.status
        let c = status.counters
        let isStale = view.state == .stale
        func price(_ level: PriceLevel?) -> String {
            guard let level else { return "-" }
            return RunScreen.shortened(view.scales.text(level.price), to: decimals)
        }
        let lagMs = Double(view.receivedAtNs / 1000 - view.eventTimeUs) / 1000
        return [
            "\(symbol.name)", isStale ? "stale, \(view.reason)" : "\(view.state)",
            "\(status.provenBidCount)/\(status.provenAskCount)", price(view.bestBid), price(view.bestAsk),
            fixed(symbol.eventsPerSecond, 1), view.eventTimeUs == 0 ? "-" : fixed(lagMs, 1),
            status.bufferedBytes == 0 ? "-" : "\(status.bufferedBytes / 1024) KB",
            "\(c.tickersAgreed)/\(c.tickersCompared)", "\(c.auditsAgreed)/\(c.auditsCompared)", "\(c.gaps)",
        ]
    }

    /// Symbols without a live book first, then the busiest.
    private static func urgency(_ symbol: WatchedSymbol) -> (Int, Double) {
        switch symbol.view.state {
        case .stale: (0, 0)
        case .syncing: (1, 0)
        case .live: (2, -symbol.eventsPerSecond.rounded())
        }
    }

    /// A decimal text without the zeros that the venue prints behind its tick.
    static func shortened(_ text: String, to decimals: Int?) -> String {
        guard let decimals, let point = text.firstIndex(of: ".") else { return text }
        let fraction = text[text.index(after: point)...]
        if fraction.count <= decimals || fraction.dropFirst(decimals).contains(where: { $0 != "0" }) {
            return text
        }
        return decimals == 0 ? String(text[..<point]) : text[...point] + String(fraction.prefix(decimals))
    }

    static func duration(_ ns: Int64) -> String {
        let seconds = Int(ns / 1_000_000_000)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
