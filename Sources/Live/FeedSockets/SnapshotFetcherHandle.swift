// A fetcher as other threads see it.

import BinanceVenue
import DepthFeed
import LobTransport
import MarketData

/// A snapshot fetcher as seen from any thread. May be copied; may outlive the fetcher without harm.
package struct SnapshotFetcherHandle: Sendable {
    private let loop: LoopHandle
    private let fetcher: LoopConfined<SnapshotFetcher>

    /// The handle of a fetcher on this loop. Thread: the loop's.
    package init(_ fetcher: SnapshotFetcher, on loop: EventLoop) {
        self.loop = loop.remote
        self.fetcher = LoopConfined(fetcher)
    }

    /// Posts requests in order.
    ///
    /// - Returns: false, with no effect, if the loop's command queue is full (retry) or the loop is closed.
    package func want(_ requests: [SnapshotFetcher.Request]) -> Bool {
        fetcher.post(loop) { $0.want(requests) }
    }

    /// See `SnapshotFetcher.fetchExchangeInfo`; `use` is called on the loop's thread, unless this returns
    /// false.
    package func fetchExchangeInfo(
        _ market: Market, keeping symbols: Set<SymbolName> = [],
        _ use: @escaping @Sendable (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) -> Bool {
        fetcher.post(loop) { $0.fetchExchangeInfo(market, keeping: symbols, use) }
    }

    /// See `SnapshotFetcher.stop`.
    package func stop() -> Bool { fetcher.post(loop) { $0.stop() } }
}
