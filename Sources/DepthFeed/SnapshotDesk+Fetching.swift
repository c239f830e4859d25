// One request of a desk: what it sends, what it gathers, and what its answer means.

import BinanceDepth
import Handoff
import MarketData
import Transport

/// A request under way. Its bytes are gathered behind `prefix`, so that envelope and body are one run.
final class DeskFetch {
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
        answered: @escaping (DeskFetch) -> Void, finished: @escaping (DeskFetch, TransportError?) -> Void
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

extension SnapshotDesk {
    /// Sends what the planner decided to send.
    func fetch(_ request: SnapshotPlanner.Request) {
        let key = request.key
        let limit = request.limit.levelCount
        guard let place = endpoints[key.market],
            let url = try? ServiceURL(place.restBase + place.snapshotTarget(key.symbol, limit: limit))
        else {
            loop.after(0) {
                self.settle(request.ticket, key, SnapshotPlanner.Answer(status: 400), "no such URL", [])
            }
            return
        }
        var http = HTTPFetch.Options()
        http.bodyBytesMax = options.bodyBytesMax
        http.limitMs = options.requestLimitMs
        // Ends before the planner takes the request back.
        let limitMs = max(Int(planner.configuration.answerTimeoutMs) - 500, 1)
        openCount += 1
        fetches[request.ticket] = DeskFetch(
            url, on: loop, options: http, limitMs: limitMs,
            prefix: SnapshotEnvelope(symbol: key.symbol, limit: limit).bytes,
            answered: { [self] in answering(request.ticket, $0.head) }
        ) { [self] fetch, error in
            openCount -= 1
            fetches[request.ticket] = nil
            counted.bytes += fetch.bytes.count
            settle(request.ticket, key, fetch.answer(error), fetch.reason(error), fetch.bytes)
        }
    }

    /// The body of an answer begins.
    func answering(_ ticket: UInt64, _ head: SnapshotPlanner.Answer) {
        planner.answering(ticket, head, nowMs: nowMs)
        pump()
    }

    private func settle(
        _ ticket: UInt64, _ key: SnapshotKey, _ answer: SnapshotPlanner.Answer, _ reason: String,
        _ frame: [UInt8]
    ) {
        if isStopped { return }
        let nowMs = nowMs
        switch planner.answered(ticket, answer, nowMs: nowMs) {
        case .deliver(let key): hand(Delivery(key: key, news: .snapshot(frame)))
        case .retry(let key, let notBeforeMs):
            let afterMs = notBeforeMs - nowMs
            counted.lastError = FeedText(FeedEvent.answer(answer.status, reason))
            report(
                answer.isLimit
                    ? .limited(status: answer.status, forMs: afterMs)
                    : .snapshotRetried(key, status: answer.status, reason: reason, afterMs: afterMs))
        case .failed(let key, let failure):
            counted.lastError = FeedText("\(key.symbol): \(FeedEvent.answer(answer.status, reason))")
            report(.snapshotFailed(key, failure))
            hand(Delivery(key: key, news: .failed))
        case .drop: break
        }
        pump()
    }
}

extension SnapshotPlanner.Answer {
    /// Whether the venue, or the firewall before it, wants no requests for a while.
    var isLimit: Bool { status == 429 || status == 418 || status == 403 }
}
