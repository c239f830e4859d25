// The service of `lob run`.

import BinanceVenue
import BookService
import LobTransport
import MarketData

extension RunCommand {
    /// The service for these symbols.
    ///
    /// - Parameters:
    ///   - endpoints: the venue's addresses.
    ///   - symbols: the symbols.
    ///   - loop: options of its loops.
    ///   - list: the venue's list, if it was fetched: the limit that it states holds from the start.
    func service(
        _ endpoints: Endpoints, _ symbols: [SymbolName], _ loop: EventLoop.Options, list: ExchangeInfo?
    ) -> ServiceConfiguration {
        var configuration = ServiceConfiguration(endpoints: endpoints, symbols: symbols)
        books.apply(to: &configuration)
        configuration.shardCountMin = shards
        configuration.streams.hasBookTicker = !noBookTicker
        configuration.isCombined = !raw
        configuration.loop = loop
        configuration.fetcher.listAttemptsMax = .max
        configuration.fetcher.statedWeightPerMinute = list?.requestWeightPerMinute
        return configuration
    }
}
