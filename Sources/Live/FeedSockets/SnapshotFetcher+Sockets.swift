// A fetcher over HTTP.

import BinanceVenue
import DepthFeed
import LobTransport

extension SnapshotFetcher {
    /// A fetcher with nothing to do, over HTTP.
    ///
    /// - Parameters:
    ///   - endpoints: the addresses of each market.
    ///   - loop: its event loop; the fetcher must be used only on the loop's thread, this call included.
    ///   - options: limits and times.
    ///   - deliver: receives the results, on the loop's thread; false if one cannot be accepted now, and it
    ///     is offered again.
    ///   - report: receives loggable events, on the loop's thread.
    /// - Throws: `TransportError.invalidURL` for an endpoint that is not a URL.
    /// - Precondition: at least one market, all of them of one weight pool.
    package convenience init(
        _ endpoints: [Endpoints], on loop: EventLoop, options: Options = Options(),
        deliver: @escaping (Delivery) -> Bool, report: @escaping (FeedEvent) -> Void = { _ in }
    ) throws(TransportError) {
        for place in endpoints { _ = try ServiceURL(place.restBase) }
        self.init(
            endpoints, clock: loop, options: options, get: { $0.get(on: loop) }, deliver: deliver,
            report: report)
    }
}

extension SnapshotFetch {
    /// Sends the request.
    ///
    /// - Returns: a closure that cancels it; nil if its address is not a URL.
    fileprivate func get(on loop: EventLoop) -> (() -> Void)? {
        guard let url = try? ServiceURL(address) else { return nil }
        var options = HTTPFetch.Options()
        options.bodyBytesMax = bodyBytesMax
        options.limitMs = requestLimitMs
        options.headers = headers.sorted { $0.key < $1.key }.compactMap { HTTPHeader($0.key, $0.value) }
        var request: HTTPFetch?
        var handlers = HTTPFetch.Handlers(
            body: { self.received($0) },
            finished: { error in
                request = nil
                self.finished(error.map { "\($0)" })
            })
        handlers.answered = { status in self.answered(status: status) { request?.header($0) } }
        request = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        return { request?.cancel() }
    }
}
