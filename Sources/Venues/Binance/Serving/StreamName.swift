// Names of the streams of books, read and printed.
//
//     <symbol>@depth[@<interval>]             every change
//     <symbol>@depth<levels>[@<interval>]     the best levels: 5, 10 or 20
//     <symbol>@bookTicker                     the best prices
//
//     market   intervals, default first
//     ---------|------------------------------
//     spot     1000ms, 100ms
//     futures  250ms, 100ms, 500ms, 0ms
//
// `@0ms` is of old captures and of old clients; it is served and never asked for. Any other name is accepted
// by the venue and stays silent, names with an upper-case symbol among them.

/// The name of a stream of a book.
package struct StreamName: Hashable, Sendable {
    /// What the stream shows.
    package enum Content: Hashable, Sendable {
        /// Every change.
        case depth
        /// The best `levelCount` levels a side.
        case partialDepth(levelCount: Int)
        /// The best prices.
        case bookTicker
    }

    /// The symbol as it stands in the name: in lower case, or the name is of no stream.
    package var symbol: String
    /// What the stream shows.
    package var content: Content
    /// Milliseconds between two messages; nil where the name does not say, and for best prices.
    package var intervalMs: Int?

    /// A name of these parts.
    package init(symbol: String, _ content: Content, intervalMs: Int? = nil) {
        (self.symbol, self.content, self.intervalMs) = (symbol, content, intervalMs)
    }

    /// The parts of a name; nil if it is of no stream of a book. Whether a market has the stream is for
    /// `ServingRules.serves`.
    package init?(_ text: String) {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3 else { return nil }
        symbol = String(parts[0])
        if parts[1] == "bookTicker" {
            if parts.count == 3 { return nil }
            content = .bookTicker
            return
        }
        guard parts[1].hasPrefix("depth") else { return nil }
        let levels = parts[1].dropFirst("depth".count)
        if levels.isEmpty {
            content = .depth
        } else {
            guard let levelCount = StreamName.number(levels), levelCount > 0 else { return nil }
            content = .partialDepth(levelCount: levelCount)
        }
        if parts.count == 2 { return }
        guard parts[2].hasSuffix("ms"), let intervalMs = StreamName.number(parts[2].dropLast(2)) else {
            return nil
        }
        self.intervalMs = intervalMs
    }

    /// The name.
    package var text: String {
        let interval = intervalMs.map { "@\($0)ms" } ?? ""
        switch content {
        case .depth: return "\(symbol)@depth\(interval)"
        case .partialDepth(let levelCount): return "\(symbol)@depth\(levelCount)\(interval)"
        case .bookTicker: return "\(symbol)@bookTicker"
        }
    }

    /// A number of at most five digits without zeros in front, so that it prints as it was read.
    private static func number(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 <= 9 }),
            text == "0" || !text.hasPrefix("0")
        else { return nil }
        return Int(text)
    }
}

extension ServingRules {
    /// The name of the stream of the best prices of every symbol; the futures' alone.
    package static let everyBestName = "!bookTicker"

    /// Levels a side that partial depths are served with.
    package static let partialLevelCounts = [5, 10, 20]

    /// Intervals of depth streams in milliseconds, the one of names that do not say first.
    package var intervalsMs: [Int] { market == .spot ? [1_000, 100] : [250, 100, 500, 0] }

    /// Whether the market has a stream, for a symbol that it has. All other names are accepted and silent.
    package func serves(_ name: StreamName) -> Bool {
        let isLowerCase = !name.symbol.isEmpty && !name.symbol.utf8.contains { $0 >= 0x41 && $0 <= 0x5A }
        let hasInterval = name.intervalMs.map(intervalsMs.contains) ?? true
        switch name.content {
        case .depth: return isLowerCase && hasInterval
        case .partialDepth(let levelCount):
            return isLowerCase && hasInterval && ServingRules.partialLevelCounts.contains(levelCount)
        case .bookTicker: return isLowerCase
        }
    }
}
