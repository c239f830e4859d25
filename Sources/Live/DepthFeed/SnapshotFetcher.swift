// Fetches snapshots: the planner decides what to request and when, a carrier performs the request, and
// `deliver` brings the body to its shard. Before the body it delivers the announcement of the request, a
// little before that is sent: from then on the shard keeps what it receives. Several markets with one weight
// budget share one fetcher.
//
// Live it runs on its own loop, normally one that sleeps, so that TLS handshakes and bodies of half a
// megabyte never delay a feed. In a simulation it runs in virtual time.
//
// Invariants
// * Every accepted request ends in one delivery, a body or a failure, unless it is cancelled, replaced by a
//   later one for its symbol, or the fetcher stops.
// * Every body is announced before it is delivered: when the planner says so, at the latest when its request
//   is sent, or when a new request finds one in flight.
// * Never more requests in flight than the planner allows, and none beyond its time limit.
// * While something cannot be delivered nothing new is requested, so at most one body waits per request in
//   flight, and one announcement per symbol with a request.
//
// Bounds: the planner's queue; bodies of at most `bodyBytesMax`. Worst case: O(entries) for a request sent.

import BinanceVenue
import BookSync
import FeedPlan
import LobHandoff
import MarketData

/// Fetches the depth snapshots and symbol lists of the markets that share a weight budget. Thread: that of
/// its clock; other threads use `status` and a `SnapshotFetcherHandle` of FeedSockets.
public final class SnapshotFetcher {
    /// Limits of a fetcher.
    public struct Options: Sendable {
        /// The planner's limits and times; nil: the pool's defaults.
        public var planner: SnapshotPlanner.Configuration?
        /// Request weight per minute that the venue states, if a list of its symbols was fetched before. An
        /// implausible one is counted and ignored.
        public var statedWeightPerMinute: Int?
        /// Longest body of a snapshot; longer ones than the parser accepts are useless.
        public var bodyBytesMax = MessageParser.messageBytesMax
        /// Longest body of a symbol list.
        public var listBytesMax = 64 << 20
        /// Time limit for one address; all addresses together have the planner's.
        public var requestLimitMs = 8_000
        /// Time limit for a symbol list.
        public var listLimitMs = 60_000
        /// Attempts to fetch a symbol list before giving up.
        public var listAttemptsMax = 5
        /// Time between two attempts to deliver a body that was not accepted.
        public var redeliveryMs = 20
        /// Time between two status publications.
        public var statusIntervalMs = 500
        /// Header lines of every request, by their names.
        public var headers: [String: String] = [:]

        /// The defaults.
        public init() {}
    }

    /// A request, as it comes from an engine.
    package enum Request: Hashable, Sendable {
        /// A snapshot with at least this many levels per side; `attempt` is the number of failed attempts so
        /// far, `rank` its place among those of equal priority.
        case want(
            SnapshotKey, SnapshotPriority, levelCount: Int, attempt: Int,
            rank: SnapshotRank = SnapshotRank())
        /// The current rank of this symbol, in case a snapshot of it is requested.
        case rank(SnapshotKey, SnapshotRank)
        /// Cancel the request of this symbol.
        case cancel(SnapshotKey)
    }

    /// The result of a request.
    package struct Delivery: Sendable {
        /// News of a snapshot, ready to become a frame.
        package enum News: Hashable, Sendable {
            /// It was requested: the envelope.
            case requested([UInt8])
            /// It has arrived: envelope and body.
            case snapshot([UInt8])
            /// It failed.
            case failed
        }

        /// The symbol it belongs to.
        package var key: SnapshotKey
        /// The news.
        package var news: News

        var isRequest: Bool { if case .requested = news { true } else { false } }
    }

    let clock: any ShellClock
    let options: Options
    let endpoints: [Market: Endpoints]
    let get: (SnapshotFetch) -> (() -> Void)?
    let report: (FeedEvent) -> Void
    var planner: SnapshotPlanner
    var counted = SnapshotFetcherStatus()
    /// Weight per minute stated in each market's list.
    var statedWeights: [Market: Int] = [:]
    private var minutes = MinuteClock()
    /// Whether it was stopped.
    package private(set) var isStopped = false
    /// Requests in progress, by ticket.
    var fetches: [UInt64: SnapshotFetch] = [:]
    /// Lists to be requested later, by their timer.
    var laterLists: [ShellTimer: () -> Void] = [:]
    private let deliver: (Delivery) -> Bool
    private var undelivered: [Delivery] = []
    private var timer: ShellTimer?
    private var statusTimer: ShellTimer?
    private var redelivery: ShellTimer?
    private var statusWriter: LatestValueWriter<SnapshotFetcherStatus>

    /// The status and plan of the fetcher, for any thread.
    package let status: LatestValueReader<SnapshotFetcherStatus>

    /// A fetcher with nothing to do.
    ///
    /// - Parameters:
    ///   - endpoints: the addresses of each market.
    ///   - clock: its time; the fetcher must be used only on the clock's thread, this call included.
    ///   - options: limits and times.
    ///   - get: starts a request and returns a closure that cancels it, or nil if the address is invalid.
    ///     What happens to it is reported to the request, at the earliest after this call.
    ///   - deliver: receives the results, on the clock's thread; false if one cannot be accepted now, and it
    ///     is offered again.
    ///   - report: receives loggable events, on the clock's thread.
    /// - Precondition: at least one market, all of them of one weight pool.
    package init(
        _ endpoints: [Endpoints], clock: any ShellClock, options: Options = Options(),
        get: @escaping (SnapshotFetch) -> (() -> Void)?, deliver: @escaping (Delivery) -> Bool,
        report: @escaping (FeedEvent) -> Void = { _ in }
    ) {
        guard let pool = endpoints.first?.market.weightPool else { preconditionFailure("no market") }
        precondition(endpoints.allSatisfy { $0.market.weightPool == pool }, "markets of two weight pools")
        self.endpoints = Dictionary(endpoints.map { ($0.market, $0) }, uniquingKeysWith: { $1 })
        (self.clock, self.options) = (clock, options)
        (self.get, self.deliver, self.report) = (get, deliver, report)
        planner = SnapshotPlanner(pool: pool, configuration: options.planner)
        let mailbox = LatestValue(SnapshotFetcherStatus())
        status = mailbox.reader
        statusWriter = mailbox.writer
        guard let stated = options.statedWeightPerMinute else { return }
        for place in endpoints { take(weightPerMinute: stated, of: place.market) }
    }

    /// Requests not yet gone, cancelled ones included. A process may end when it is 0 after `stop`.
    package internal(set) var openCount = 0

    /// Accepts requests in order. One refused by the planner's full queue is delivered as a failure.
    ///
    /// - Precondition: the fetcher has the markets of all keys.
    package func want(_ requests: [Request]) {
        if isStopped { return }
        for request in requests { take(request) }
        pump()
    }

    private func take(_ request: Request) {
        switch request {
        case .want(let key, let priority, let levelCount, let attempt, let rank):
            precondition(endpoints[key.market] != nil, "a market without endpoints")
            let acceptance = planner.request(
                key, priority, levelCount: levelCount, attempt: attempt, rank: rank, nowMs: nowMs)
            switch acceptance {
            case .queued, .merged: break
            case .underWay: announce(key, key.market.snapshotLimit(atLeast: levelCount))
            case .full: hand(Delivery(key: key, news: .failed))
            }
        case .rank(let key, let rank): planner.rank(key, rank)
        case .cancel(let key):
            planner.cancel(key)
            undelivered.removeAll { $0.key == key }
        }
    }

    /// Announces to a symbol's shard that a request for it is in flight.
    private func announce(_ key: SnapshotKey, _ limit: SnapshotLimit) {
        let envelope = SnapshotEnvelope(symbol: key.symbol, limit: limit.levelCount)
        hand(Delivery(key: key, news: .requested(envelope.bytes)))
    }

    /// The current plan.
    package var plan: SnapshotPlanner.Plan {
        var plan = planner.plan(nowMs: nowMs)
        let aheadMs = minutes.aheadMs
        plan.waitingUntilMs = plan.waitingUntilMs.map { $0 == .max ? .max : $0 - aheadMs }
        plan.etaMs = plan.etaMs.map { $0 - aheadMs }
        return plan
    }

    /// Ends all requests for good; nothing more is delivered, and waiting requests for a list are failed.
    package func stop() {
        if isStopped { return }
        isStopped = true
        for timer in [timer, statusTimer, redelivery] { timer.map { clock.cancel($0) } }
        undelivered = []
        for fetch in fetches.values { fetch.cancel() }
        publish()
        let lists = laterLists.values
        laterLists = [:]
        for list in lists { list() }
    }

    /// The planner's time: its minutes are the clock's, and so the venue's.
    var nowMs: Int64 {
        let nowMs = minutes.timeMs(
            realtimeMs: clock.realtimeNs / 1_000_000, monotonicMs: clock.monotonicMs)
        let slipMs = minutes.takeSlip()
        if slipMs != 0 { planner.clockSlipped(byMs: slipMs, nowMs: nowMs) }
        return nowMs
    }

    /// Sends what may be sent, and sets the alarm for the next time.
    func pump() {
        if isStopped { return }
        timer.map { clock.cancel($0) }
        timer = nil
        planning: while undelivered.isEmpty {
            switch planner.next(nowMs: nowMs) {
            case .announce(let key, let limit): announce(key, limit)
            case .send(let request):
                if !request.isAnnounced { announce(request.key, request.limit) }
                fetch(request)
            case .wait(let untilMs):
                // The clock may be set meanwhile.
                let delayMs = min(max(untilMs - nowMs, 1), 60_000)
                timer = clock.alarm(afterMs: delayMs) { self.pump() }
                break planning
            case .idle: break planning
            }
        }
        showSoon()
    }

    /// Delivers, or keeps it until it is accepted.
    func hand(_ delivery: Delivery) {
        if isStopped { return }
        if undelivered.isEmpty && deliver(delivery) { return }
        undelivered.append(delivery)
        if redelivery == nil { offerLater() }
    }

    private func offerLater() {
        redelivery = clock.alarm(afterMs: Int64(options.redeliveryMs)) { [self] in
            redelivery = nil
            while let first = undelivered.first, deliver(first) { undelivered.removeFirst() }
            if undelivered.isEmpty { pump() } else { offerLater() }
        }
    }

    /// Schedules publication of the status.
    func showSoon() {
        if statusTimer != nil { return }
        statusTimer = clock.alarm(afterMs: Int64(options.statusIntervalMs)) { [self] in
            statusTimer = nil
            publish()
        }
    }

    private func publish() {
        counted.take(plan)
        counted.undelivered = undelivered.count { !$0.isRequest }
        counted.writtenAtNs = clock.realtimeNs
        statusWriter.publish(counted)
    }
}
