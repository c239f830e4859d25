// One request of a fetcher: sending it, collecting the answer, and acting on it.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import MarketData

extension SnapshotFetcher {
    /// Sends a request decided on by the planner.
    func fetch(_ request: SnapshotPlanner.Request) {
        let key = request.key
        let limit = request.limit.levelCount
        guard let place = endpoints[key.market] else { preconditionFailure("a market without endpoints") }
        let fetch = SnapshotFetch(
            place.restBase + place.snapshotTarget(key.symbol, limit: limit), on: clock,
            bodyBytesMax: options.bodyBytesMax, requestLimitMs: options.requestLimitMs,
            // Ends before the planner takes the request back.
            limitMs: max(Int(planner.configuration.answerTimeoutMs) - 500, 1),
            headers: options.headers, prefix: SnapshotEnvelope(symbol: key.symbol, limit: limit).bytes,
            answered: { [self] fetch in
                if let cut = fetch.levelCountMax, cut > 0 {
                    fetch.setPrefix(SnapshotEnvelope(symbol: key.symbol, limit: min(limit, cut)).bytes)
                }
                answering(request.ticket, fetch.head)
            }
        ) { [self] fetch, error in
            openCount -= 1
            fetches[request.ticket] = nil
            counted.bytes += fetch.bytes.count
            settle(request.ticket, key, fetch.answer(error), fetch.reason(error), fetch.bytes)
        }
        if begin(fetch, request.ticket) { return }
        _ = clock.alarm(afterNs: 0) {
            self.settle(request.ticket, key, SnapshotPlanner.Answer(status: 400), "no such URL", [])
        }
    }

    /// Sends a request; false if the address is invalid.
    func begin(_ fetch: SnapshotFetch, _ ticket: UInt64) -> Bool {
        openCount += 1
        fetches[ticket] = fetch
        if fetch.begin(get) { return true }
        openCount -= 1
        fetches[ticket] = nil
        return false
    }

    /// The body of an answer starts.
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
            counted.lastError = InlineText(FeedEvent.answer(answer.status, reason))
            report(
                answer.isLimit
                    ? .limited(status: answer.status, forMs: afterMs)
                    : .snapshotRetried(key, status: answer.status, reason: reason, afterMs: afterMs))
        case .failed(let key, let failure):
            counted.lastError = InlineText("\(key.symbol): \(FeedEvent.answer(answer.status, reason))")
            report(.snapshotFailed(key, failure))
            hand(Delivery(key: key, news: .failed))
        case .drop: break
        }
        pump()
    }
}

extension SnapshotPlanner.Answer {
    /// Whether the venue, or the firewall before it, currently refuses requests.
    var isLimit: Bool { status == 429 || status == 418 || status == 403 }
}
