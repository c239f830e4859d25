// Writes the events of a service to a log, each at the level it deserves, and remembers those that show that
// a run can never succeed.

import BinanceVenue
import BookService
import DepthFeed
import Logging
import MarketData
import Synchronization

/// Writes the events of a service to a log. Any thread of the service may call it.
final class RunReporter: Sendable {
    private struct Known: Sendable {
        var unknownSymbols = Set<SymbolName>()
        var isPathRefused = false
    }

    private let logger: Logger
    private let market: Market
    private let known = Mutex(Known())

    init(_ logger: Logger, _ market: Market) { (self.logger, self.market) = (logger, market) }

    /// Symbols that the venue said do not exist.
    var unknownSymbols: Set<SymbolName> { known.withLock { $0.unknownSymbols } }

    /// Whether the server said that it has no such path.
    var isPathRefused: Bool { known.withLock { $0.isPathRefused } }

    func tell(_ event: ServiceEvent) {
        var level = level(event)
        switch event {
        case .fetcher(.snapshotFailed(let key, .unknownSymbol)): return tellUnknown(key.symbol)
        case .fetcher(.snapshotFailed(_, .refused(status: 404, _))):
            doubtMarket()
            level = .debug
        case .feed(_, .ended(_, let end)):
            if end.refusedStatus == 404 { doubtMarket() }
        case .fetcher, .feed, .notPinned: break
        }
        logger.log(level: level, "\(event.message)", metadata: metadata(event.facts))
    }

    /// Reports once that the venue has no such symbol. The symbol is still requested from time to time, in
    /// case it is listed later.
    func tellUnknown(_ symbol: SymbolName) {
        if !known.withLock({ $0.unknownSymbols.insert(symbol).inserted }) { return }
        logger.error(
            "no such symbol", metadata: ["symbol": "\(symbol)", "market": "\(market.name)"])
    }

    /// Reports once that the server has no such path.
    private func doubtMarket() {
        let isFirst = known.withLock { known in
            defer { known.isPathRefused = true }
            return !known.isPathRefused
        }
        if !isFirst { return }
        logger.error(
            "the server knows no such path: it is of another market, or the URL has a path too much",
            metadata: ["market": "\(market.name)", "status": number(404)])
    }
}

/// Fields as metadata.
private func metadata(_ facts: [LogField]) -> Logger.Metadata {
    let pairs = facts.map { fact in
        switch fact.value {
        case .number(let value): (fact.name, number(value))
        case .text(let text): (fact.name, Logger.Metadata.Value.string(text))
        }
    }
    return Logger.Metadata(pairs, uniquingKeysWith: { $1 })
}

private func level(_ event: ServiceEvent) -> Logger.Level {
    switch event {
    case .notPinned: .warning
    case .feed(_, let inner), .fetcher(let inner): level(inner)
    }
}

private func level(_ event: FeedEvent) -> Logger.Level {
    switch event {
    case .supervisor(.subscribed), .opened, .exchangeInfo: .info
    case .supervisor(.waiting), .dialling: .debug
    case .supervisor(.replacing), .supervisor(.resubscribing), .shutdownAnnounced, .ended: .notice
    case .supervisor(.refused), .supervisor(.unanswered), .supervisor(.notOpened), .unreadable, .fellSilent,
        .dropped, .limited,
        .snapshotRetried, .exchangeInfoRetried:
        .warning
    case .snapshotTooLong, .snapshotFailed: .error
    }
}
