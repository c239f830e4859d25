// Names of book streams, parsed and printed.
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
// `@0ms` comes from old captures and old clients; it is served but never requested. The venue accepts any
// other name, including names with an upper-case symbol, and stays silent.

/// The name of a book stream.
package struct StreamName: Hashable, Sendable {
    /// Content of the stream.
    package enum Content: Hashable, Sendable {
        /// Every change.
        case depth
        /// The best `levelCount` levels per side.
        case partialDepth(levelCount: Int)
        /// The best prices.
        case bookTicker
    }

    /// The symbol as written in the name: in lower case, or the stream does not exist.
    package var symbol: String
    /// Content of the stream.
    package var content: Content
    /// Milliseconds between two messages; nil if the name does not say, and for best prices.
    package var intervalMs: Int?

    /// A name with these parts.
    package init(symbol: String, _ content: Content, intervalMs: Int? = nil) {
        (self.symbol, self.content, self.intervalMs) = (symbol, content, intervalMs)
    }

    /// Parses a name; nil if it is not a book stream. `ServingRules.serves` decides whether a market has the
    /// stream.
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

    /// A number of at most five digits without leading zeros, so that it prints as it was read.
    private static func number(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 <= 9 }),
            text == "0" || !text.hasPrefix("0")
        else { return nil }
        return Int(text)
    }
}

extension ServingRules {
    /// The stream of every symbol's best prices; futures only.
    package static let everyBestName = "!bookTicker"

    /// Levels per side available as partial depth.
    package static let partialLevelCounts = [5, 10, 20]

    /// Intervals of depth streams in milliseconds, the default first.
    package var intervalsMs: [Int] { market == .spot ? [1_000, 100] : [250, 100, 500, 0] }

    /// Whether the market has a stream, given that it has the symbol. All other names are accepted and
    /// silent.
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
