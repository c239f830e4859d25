// A fetcher over HTTP.

import BinanceVenue
import DepthFeed
import LobTransport

extension SnapshotFetcher {
    /// A fetcher with nothing to do, over HTTP.
    ///
    /// - Parameters:
    ///   - endpoints: where each market is.
    ///   - loop: its event loop; the fetcher must be used on the loop's thread only, this call included.
    ///   - options: limits and times.
    ///   - deliver: gets what requests lead to, on the loop's thread; false if it cannot be taken now, and it
    ///     is offered again.
    ///   - report: what is worth a line in a log. Called on the loop's thread.
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
    /// - Returns: what ends it early; nil if its address is no URL.
    fileprivate func get(on loop: EventLoop) -> (() -> Void)? {
        guard let url = try? ServiceURL(address) else { return nil }
        var options = HTTPFetch.Options()
        options.bodyBytesMax = bodyBytesMax
        options.limitMs = requestLimitMs
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
