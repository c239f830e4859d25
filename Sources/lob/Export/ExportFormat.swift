// The layouts that books are exported in, as an argument.

import ArgumentParser
import BinanceVenue
import BookExports
import MarketData

/// A layout.
enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
    case incremental = "tardis-l2"
    case snapshots25 = "tardis-25"
    case snapshots5 = "tardis-5"
    case quotes = "tardis-quotes"
    case events = "npz"
    case text

    /// Whether the rows of several symbols may be in one file.
    var takesSeveral: Bool { self != .events }

    /// Whether books may be sampled.
    var isSampled: Bool { self != .text }

    /// What writes it.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - market: of the books.
    ///   - symbolCount: number of symbols that may be in it.
    ///   - everyNs: the interval between samples; 0: none.
    ///   - inputs: files that are being read.
    func sink(
        _ path: String, _ market: Market, symbolCount: Int, everyNs: Int64, inputs: [String]
    ) throws(ExportError) -> any BookSink {
        let file = try ExportFile(path: path, isPatched: self == .events, inputs: inputs)
        let exchange = market.tardisName
        let isSampled = everyNs > 0
        switch self {
        case .incremental: return IncrementalSink(file, exchange: exchange)
        case .snapshots25:
            return TopLevelsSink(file, exchange: exchange, .levels(25), isSampled: isSampled)
        case .snapshots5: return TopLevelsSink(file, exchange: exchange, .levels(5), isSampled: isSampled)
        case .quotes: return TopLevelsSink(file, exchange: exchange, .quotes, isSampled: isSampled)
        case .events: return EventArraySink(file)
        case .text: return MessageSink(file, namesSymbols: symbolCount > 1)
        }
    }
}

extension Market {
    /// What the layouts of tardis.dev call it.
    fileprivate var tardisName: String {
        switch self {
        case .spot: "binance"
        case .usdm: "binance-futures"
        case .coinm: "binance-delivery"
        }
    }
}
