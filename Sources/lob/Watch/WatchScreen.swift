// The ladder of one book in a terminal at least 40 columns wide: bids on the left, asks on the right, the
// best in the first row, bars where there is room.
//
// A book that is not live keeps its last levels on the screen, dimmed and below a line that says so.

/// Draws a book.
struct WatchScreen {
    /// Whether to write colour escape sequences.
    var hasColours: Bool
    private var last: WatchedBook?

    private static let bidColour = "38;5;75"
    private static let askColour = "38;5;215"
    private static let alarmColour = "1;97;41"
    private static let dimColour = "2"

    init(hasColours: Bool) { self.hasColours = hasColours }

    /// The screen, at most `size`; without a book, the reason why there is none.
    ///
    /// - Parameters:
    ///   - book: the newest answer; nil before the first.
    ///   - trouble: what is wrong with the server; nil if nothing is.
    mutating func lines(
        _ book: WatchedBook?, trouble: String?, size: (rows: Int, columns: Int)
    ) -> [String] {
        if let book, book.bids.levels != nil { last = book }
        let isCurrent = trouble == nil && book?.state == "live" && book?.isServed == true
        var lines = [head(book, size.columns)]
        if let trouble {
            lines.append(alarm("STALE: \(trouble)", size.columns))
        } else if let book, !isCurrent {
            lines.append(
                alarm("\(book.state == "stale" ? "STALE" : "NOT LIVE"): \(book.stateText)", size.columns))
        } else {
            lines.append(spread(book, size.columns))
        }
        guard let last else { return lines }
        lines += ladder(last, isCurrent: isCurrent, rows: size.rows - lines.count, columns: size.columns)
        return lines
    }

    private func head(_ book: WatchedBook?, _ columns: Int) -> String {
        guard let book else { return cut("waiting for the server", columns) }
        let id = book.lastUpdateId.map { "   update \($0)" } ?? ""
        return cut("\(book.symbol)   \(book.stateText)\(id)", columns)
    }

    private func spread(_ book: WatchedBook?, _ columns: Int) -> String {
        guard let bid = book?.bids[0].flatMap({ Double($0.price) }),
            let ask = book?.asks[0].flatMap({ Double($0.price) }), bid + ask > 0
        else { return "" }
        let basisPoints = 20_000 * (ask - bid) / (ask + bid)
        return cut("spread \(fixed(basisPoints, basisPoints < 0.1 ? 4 : 2)) bp", columns)
    }

    private func alarm(_ text: String, _ columns: Int) -> String {
        paint(cut(text, columns), WatchScreen.alarmColour)
    }

    private func ladder(_ book: WatchedBook, isCurrent: Bool, rows: Int, columns: Int) -> [String] {
        let count = min(max(rows, 0), max(book.bids.levels?.count ?? 0, book.asks.levels?.count ?? 0))
        let ranks = 0..<count
        let levels = ranks.flatMap { [book.bids[$0], book.asks[$0]].compactMap { $0 } }
        let priceDecimals = WatchScreen.decimals(levels.map(\.price))
        var quantityDecimals = WatchScreen.decimals(levels.map(\.quantity))
        let priceWidth = levels.map { WatchScreen.cut($0.price, priceDecimals).count }.max() ?? 0
        let half = (columns - 3) / 2
        var quantityWidth = 0
        while true {
            quantityWidth = levels.map { WatchScreen.cut($0.quantity, quantityDecimals).count }.max() ?? 0
            if priceWidth + 1 + quantityWidth <= half || quantityDecimals == 0 { break }
            quantityDecimals -= 1
        }
        let barWidth = min(max(half - priceWidth - quantityWidth - 2, 0), 60)
        let most = levels.compactMap { Double($0.quantity) }.max() ?? 1
        return ranks.map { rank in
            let texts = [book.bids[rank], book.asks[rank]].map { level -> (bar: String, rest: [String]) in
                guard let level else { return ("", ["", ""]) }
                let share = (Double(level.quantity) ?? 0) / max(most, 1e-12)
                let bar = String(
                    repeating: "▇", count: Int((share.squareRoot() * Double(barWidth)).rounded()))
                return (
                    bar,
                    [
                        WatchScreen.cut(level.quantity, quantityDecimals),
                        WatchScreen.cut(level.price, priceDecimals),
                    ]
                )
            }
            let (bid, ask) = (texts[0], texts[1])
            let left =
                padded(bid.bar, barWidth, toRight: true) + (barWidth > 0 ? " " : "")
                + padded(bid.rest[0], quantityWidth, toRight: true) + " "
                + padded(bid.rest[1], priceWidth, toRight: true)
            let right =
                padded(ask.rest[1], priceWidth, toRight: true) + " "
                + padded(ask.rest[0], quantityWidth, toRight: true) + (barWidth > 0 ? " " : "") + ask.bar
            if !isCurrent { return paint(left + "   " + right, WatchScreen.dimColour) }
            return paint(left, WatchScreen.bidColour) + "   " + paint(right, WatchScreen.askColour)
        }
    }

    private func paint(_ text: String, _ colour: String) -> String {
        hasColours ? "\u{1B}[\(colour)m\(text)\u{1B}[0m" : text
    }

    private func cut(_ text: String, _ columns: Int) -> String { String(text.prefix(columns)) }

    private func padded(_ text: String, _ width: Int, toRight: Bool) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }

    /// The number of decimals, not counting trailing zeros, that all these texts need.
    private static func decimals(_ texts: [String]) -> Int {
        texts.map { text in
            guard let point = text.firstIndex(of: ".") else { return 0 }
            let fraction = text[text.index(after: point)...]
            return fraction.count - fraction.reversed().prefix { $0 == "0" }.count
        }.max() ?? 0
    }

    /// A decimal text cut to at most `decimals` decimals.
    private static func cut(_ text: String, _ decimals: Int) -> String {
        guard let point = text.firstIndex(of: ".") else { return text }
        if decimals == 0 { return String(text[..<point]) }
        return text[...point] + String(text[text.index(after: point)...].prefix(decimals))
    }
}
