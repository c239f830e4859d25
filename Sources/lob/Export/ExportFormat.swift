// The formats in which books are exported, as an argument.

import ArgumentParser
import BinanceVenue
import BookExports
import MarketData

/// An export format.
enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
    case incremental = "tardis-l2"
    case snapshots25 = "tardis-25"
    case snapshots5 = "tardis-5"
    case quotes = "tardis-quotes"
    case events = "npz"
    case text

    /// Whether one file may hold rows of several symbols.
    var takesSeveral: Bool { self != .events }

    /// Whether books can be sampled.
    var isSampled: Bool { self != .text }

    /// The exporter of this format.
    ///
    /// - Parameters:
    ///   - path: path of the file.
    ///   - market: market of the books.
    ///   - symbolCount: number of symbols that the file may hold.
    ///   - everyNs: interval between samples; 0 for none.
    ///   - inputs: files that are being read.
    func sink(
        _ path: String, _ market: Market, symbolCount: Int, everyNs: Int64, inputs: [String]
    ) throws(ExportError) -> any BookSink {
        let file = try ExportFile(
            path: path, isPatched: self == .events, inputs: inputs, isStopped: { StopSignals.isRaised })
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
    /// The format's name at tardis.dev.
    fileprivate var tardisName: String {
        switch self {
        case .spot: "binance"
        case .usdm: "binance-futures"
        case .coinm: "binance-delivery"
        }
    }
}
