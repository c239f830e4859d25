// A market's symbol list: one large body, charged to the same budget as the snapshots.

import BinanceVenue
import FeedPlan
import MarketData

/// Why a symbol list could not be fetched.
public enum ExchangeInfoError: Error, Hashable, Sendable {
    /// The venue refused every attempt or did not answer; `status` is 0 if it never did.
    case refused(status: Int, reason: String)
    /// No body could be parsed.
    case unreadable(ParseError)
    /// The fetcher was stopped.
    case stopped
}

extension ExchangeInfoError: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .refused(let status, let reason): FeedEvent.answer(status, reason)
        case .unreadable(let error): "unreadable: \(error)"
        case .stopped: "stopped"
        }
    }
}

extension SnapshotFetcher {
    /// Fetches a market's symbol list, within the budget and after every pause, retrying on failure.
    ///
    /// - Parameters:
    ///   - market: the market.
    ///   - use: receives the list, once, on the loop's thread.
    /// - Precondition: the fetcher has the market.
    public func fetchExchangeInfo(
        _ market: Market, _ use: @escaping (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) {
        ask(ListQuestion(market: market, use: use))
    }

    /// The same, keeping the venue's original text of some symbols.
    ///
    /// - Parameters:
    ///   - market: the market.
    ///   - symbols: symbols of which to keep the text.
    ///   - use: receives the list, once, on the loop's thread.
    package func fetchExchangeInfo(
        _ market: Market, keeping symbols: Set<SymbolName>,
        _ use: @escaping (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    ) {
        ask(ListQuestion(market: market, kept: symbols, use: use))
    }

    /// A requested list.
    private struct ListQuestion {
        var market: Market
        /// Symbols of which the venue's original text is kept.
        var kept: Set<SymbolName> = []
        var attempt = 0
        var use: (Result<ExchangeInfo, ExchangeInfoError>) -> Void
    }

    private func ask(_ question: ListQuestion) {
        let (market, use) = (question.market, question.use)
        if isStopped { return use(.failure(.stopped)) }
        guard let place = endpoints[market] else { preconditionFailure("a market without endpoints") }
        switch planner.admit(weight: market.exchangeInfoWeight, nowMs: nowMs) {
        case .wait(let untilMs):
            later(untilMs) { self.ask(question) }
        case .send(let ticket):
            let fetch = SnapshotFetch(
                place.restBase + place.exchangeInfoTarget, on: clock, bodyBytesMax: options.listBytesMax,
                requestLimitMs: options.listLimitMs, limitMs: options.listLimitMs, headers: options.headers,
                prefix: [],
                answered: { [self] in answering(ticket, $0.head) }
            ) { [self] fetch, error in
                openCount -= 1
                fetches[ticket] = nil
                counted.bytes += fetch.bytes.count
                settle(question, ticket, fetch, error)
            }
            if begin(fetch, ticket) { return }
            _ = planner.answeredOther(
                ticket, SnapshotPlanner.Answer(status: 400), attempt: question.attempt, nowMs: nowMs)
            use(.failure(.refused(status: 0, reason: "no such URL")))
        }
    }

    private func settle(
        _ question: ListQuestion, _ ticket: UInt64, _ fetch: SnapshotFetch, _ error: String?
    ) {
        let (market, use) = (question.market, question.use)
        if isStopped { return use(.failure(.stopped)) }
        var answer = fetch.answer(error)
        var failure = ExchangeInfoError.refused(status: answer.status, reason: fetch.reason(error))
        var info: ExchangeInfo?
        if (200...299).contains(answer.status) {
            switch read(question, fetch) {
            case .success(let list): info = list
            case .failure(let damage):
                // A body that cannot be parsed counts as missing.
                failure = damage
                answer.status = 0
            }
        }
        let nowMs = nowMs
        switch planner.answeredOther(ticket, answer, attempt: question.attempt, nowMs: nowMs) {
        case .deliver: use(info.map { .success($0) } ?? .failure(failure))
        case .failed: use(.failure(failure))
        case .retry(let notBeforeMs):
            counted.lastError = InlineText("\(failure)")
            if question.attempt + 1 >= options.listAttemptsMax {
                use(.failure(failure))
                break
            }
            report(retried(market, answer, failure, afterMs: notBeforeMs - nowMs))
            var again = question
            again.attempt += 1
            later(notBeforeMs) { self.ask(again) }
        }
        pump()
    }

    private func retried(
        _ market: Market, _ answer: SnapshotPlanner.Answer, _ failure: ExchangeInfoError, afterMs: Int64
    ) -> FeedEvent {
        if answer.isLimit { return .limited(status: answer.status, forMs: afterMs) }
        switch failure {
        case .refused(let status, let reason):
            return .exchangeInfoRetried(market, status: status, reason: reason, afterMs: afterMs)
        case .unreadable, .stopped:
            return .exchangeInfoRetried(market, status: 0, reason: "\(failure)", afterMs: afterMs)
        }
    }

    private func read(
        _ question: ListQuestion, _ fetch: SnapshotFetch
    ) -> Result<ExchangeInfo, ExchangeInfoError> {
        let market = question.market
        let beginNs = clock.monotonicNs
        let body = fetch.bytes
        do throws(ParseError) {
            let info = try ExchangeInfo(body.span, market: market, keeping: question.kept)
            let readInMs = Int((clock.monotonicNs - beginNs) / 1_000_000)
            report(
                .exchangeInfo(
                    market, symbols: info.symbols.count, bytes: body.count, readInMs: readInMs))
            info.requestWeightPerMinute.map { take(weightPerMinute: $0, of: market) }
            return .success(info)
        } catch {
            counted.lastError = InlineText("symbols of \(market): \(error)")
            return .failure(.unreadable(error))
        }
    }

    /// Plans with the budget stated by the venue from now on; if markets share one, with the smaller.
    func take(weightPerMinute: Int, of market: Market) {
        let before = statedWeights.updateValue(weightPerMinute, forKey: market)
        let least = statedWeights.values.min() ?? weightPerMinute
        if planner.venueStates(weightPerMinute: least) {
            counted.statedWeight = least
        } else {
            statedWeights[market] = before
            counted.unusableLimits += 1
            counted.lastError = InlineText("\(market) states a limit of \(weightPerMinute) a minute")
        }
    }

    private func later(_ untilMs: Int64, _ action: @escaping () -> Void) {
        if isStopped { return action() }
        let delayMs = min(max(untilMs - nowMs, 1), 60_000)
        var timer: ShellTimer?
        timer = clock.alarm(afterMs: delayMs) { [self] in
            timer.flatMap { laterLists.removeValue(forKey: $0) }?()
        }
        if let timer { laterLists[timer] = action }
    }
}
