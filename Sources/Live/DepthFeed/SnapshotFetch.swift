// One request of a fetcher under way.

import BinanceVenue
import FeedPlan
import LobHandoff
import LobTransport
import MarketData

/// A request under way. Its bytes are gathered behind `prefix`, so that envelope and body are one run.
final class SnapshotFetch {
    var bytes: [UInt8]
    private(set) var status = 0
    private(set) var usedWeight: Int?
    private(set) var retryAfterSeconds: Int?
    private var fetch: HTTPFetch?
    private var limit: LoopTimer?
    private var isLate = false
    private let limitMs: Int
    private let loop: EventLoop
    private let prefixBytes: Int

    /// - Parameters:
    ///   - limitMs: longest time, all addresses together.
    ///   - answered: the body begins.
    ///   - finished: the end, once; nil after a whole body, whatever the status.
    init(
        _ url: ServiceURL, on loop: EventLoop, options: HTTPFetch.Options, limitMs: Int, prefix: [UInt8],
        answered: @escaping (SnapshotFetch) -> Void,
        finished: @escaping (SnapshotFetch, TransportError?) -> Void
    ) {
        (self.loop, self.limitMs) = (loop, limitMs)
        bytes = prefix
        prefixBytes = prefix.count
        var handlers = HTTPFetch.Handlers(
            body: { [self] piece in
                for index in piece.indices { bytes.append(piece[index]) }
            },
            finished: { [self] error in
                limit.map(loop.cancel)
                fetch = nil
                finished(self, error)
            })
        handlers.answered = { [self] status in
            note(status)
            answered(self)
        }
        fetch = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        limit = loop.after(ms: limitMs) { [unowned self] in
            isLate = true
            fetch?.cancel()
        }
    }

    func cancel() { fetch?.cancel() }

    /// What is known of the answer while its body is on its way.
    var head: SnapshotPlanner.Answer { SnapshotPlanner.Answer(status: status, usedWeight: usedWeight) }

    /// What the planner wants to know of the answer.
    func answer(_ error: TransportError?) -> SnapshotPlanner.Answer {
        // A body that is not whole is no answer, but a refusal is one even if its body is not whole.
        let isWhole = error == nil || status >= 400
        return SnapshotPlanner.Answer(
            status: isWhole ? status : 0, code: code, retryAfterSeconds: retryAfterSeconds,
            usedWeight: usedWeight)
    }

    /// What went wrong, in a few words.
    func reason(_ error: TransportError?) -> String {
        if isLate { return "not whole after \(limitMs) ms" }
        if let error { return "\(error)" }
        guard case .reply(_, .refused(let code, let text))? = refusal else { return "" }
        return "\(code) \(text)"
    }

    private var code: Int? {
        guard case .reply(_, .refused(let code, _))? = refusal else { return nil }
        return Int(code)
    }

    private var refusal: ControlMessage? {
        if status < 400 { return nil }
        let body = Array(bytes.dropFirst(prefixBytes))
        return try? ControlMessage(body.span)
    }

    private func note(_ status: Int) {
        self.status = status
        usedWeight = fetch?.header("x-mbx-used-weight-1m").flatMap { Int($0) }
        retryAfterSeconds = fetch?.header("retry-after").flatMap { Int($0) }
    }
}
