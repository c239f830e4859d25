// The requests of one stream connection: which batch of names to send next, and what its answer means.
//
// One request at a time. A reply can then be attributed even without an id, as some refusals come, and an
// UNSUBSCRIBE is answered before the SUBSCRIBE of the same names is sent. The venue's message budget sets the
// pace, not the answers, so waiting for each costs almost nothing.
//
// Invariants
// * At most one request is awaited.
// * Never more than `messagesPerSecondMax` messages from us in a second, pongs and pings included; only that
//   many of the newest are recorded, which suffices.
// * Names waiting for a resubscription are names of this connection, each once, so they are bounded.
//
// A name that the venue does not accept must not cost the others their streams: a batch refused twice is
// halved until the name stands alone, and that name is then left out. A venue that refuses everything is not
// asked a thousand times. Names that an earlier connection left out come last, together: if they are refused
// again, each is asked for alone, which costs the others nothing.

/// Sends the requests of one connection one after another.
///
/// ```
/// state     input                                   next state  outcome
/// idle      next: something waits, budget has room  awaiting    the request
///           next: otherwise                         –           nothing
///           reply                                   –           unrelated
/// awaiting  next                                    –           nothing
///           reply: other id                         –           unrelated
///           reply: accepted                         idle        accepted
///           reply: UNSUBSCRIBE refused              idle        refused, and passed over
///           reply: SUBSCRIBE refused, first time    idle        refused, waits again before all others
///           reply: SUBSCRIBE of an excluded name
///             accepted                              idle        accepted, it is excluded no more
///             refused, not the only one left        idle        refused for good, it stays excluded
///           reply: SUBSCRIBE of excluded names
///             accepted                              idle        accepted, they are excluded no more
///             refused                               idle        split: each waits alone before all others
///           reply: SUBSCRIBE refused, second time
///             of many names, first subscription     idle        split: its halves wait before all others
///             of one name, not the only one left    idle        refused for good, the name is excluded
///             otherwise                             idle        refused for good
/// any       subscribe, resubscribe                  –           batches wait
///           sent                                    –           the budget has less room
///           giveUp                                  idle        nothing waits
/// ```
struct StreamRequests: Sendable {
    /// What a reply means.
    enum Verdict: Hashable, Sendable {
        /// It answers no awaited request.
        case unrelated
        /// This request is done.
        case accepted(StreamRequest)
        /// The venue refused it; `isFinal` if it is not retried.
        case refused(StreamRequest, code: Int64, text: String, isFinal: Bool)
        /// The venue refused it; its parts will be sent.
        case split
        /// The venue rejects this one name; the others go on.
        case excluded(StreamRequest, code: Int64, text: String)
    }

    /// Refusals on a connection after which batches are no longer halved: each rejected name costs about ten,
    /// unless it was rejected before.
    static let refusalCountMax = 64

    private struct Batch: Sendable {
        var method: StreamRequest.Method
        var streams: [String]
        var isRetry = false
        /// Whether it belongs to the first subscription.
        var isFirst = false
    }

    private let batchNameCountMax: Int
    private let coalesceMs: Int64
    private let answerLimitMs: Int64
    private var waiting: [Batch] = []
    private var awaited: (request: StreamRequest, batch: Batch, sentAtMs: Int64)?
    private var refusalCount = 0
    private var nameCount = 0
    /// Names the venue rejects on this connection, or rejected on an earlier one.
    private(set) var excluded = Set<StreamKey>()
    private var again: [String] = []
    private var againAtMs: Int64 = 0
    private var lastID: Int64 = 0
    private var messages: RateLedger

    /// - Parameter excluded: names that the venue rejected before.
    init(_ configuration: ConnectionSupervisor.Configuration, excluded: Set<StreamKey> = []) {
        batchNameCountMax = configuration.batchNameCountMax
        coalesceMs = configuration.coalesceMs
        answerLimitMs = configuration.answerLimitMs
        self.excluded = excluded
        messages = RateLedger(countMax: configuration.messagesPerSecond, windowMs: 1000)
    }

    /// Whether everything was answered and nothing waits.
    var isDone: Bool { awaited == nil && waiting.isEmpty && again.isEmpty }

    /// The request whose answer is overdue.
    func overdue(nowMs: Int64) -> StreamRequest? {
        guard let awaited, nowMs - awaited.sentAtMs >= answerLimitMs else { return nil }
        return awaited.request
    }

    /// When `next` or `overdue` has something to do, unless a reply comes first; nil if never.
    var wakeAtMs: Int64? {
        if let awaited { return awaited.sentAtMs + answerLimitMs }
        if !waiting.isEmpty { return messages.roomAtMs }
        return again.isEmpty ? nil : max(againAtMs, messages.roomAtMs)
    }

    /// Requests these streams, in batches.
    mutating func subscribe(_ streams: [String]) {
        nameCount = streams.count
        for batch in batches(streams.filter { !excluded.contains(StreamKey($0)) }) {
            waiting.append(Batch(method: .subscribe, streams: batch, isFirst: true))
        }
        for batch in batches(streams.filter { excluded.contains(StreamKey($0)) }) {
            waiting.append(Batch(method: .subscribe, streams: batch, isRetry: true, isFirst: true))
        }
    }

    /// Requests these streams again, a little later and together with any others requested until then.
    ///
    /// - Returns: those that were not waiting already.
    mutating func resubscribe(_ streams: [String], nowMs: Int64) -> [String] {
        if again.isEmpty { againAtMs = nowMs + coalesceMs }
        var known = Set(again.map(StreamKey.init))
        let added = streams.filter { known.insert(StreamKey($0)).inserted }
        again += added
        return added
    }

    /// Drops the awaited request and all that wait: the venue does not answer.
    mutating func giveUp() {
        awaited = nil
        waiting = []
        again = []
    }

    /// We sent a message on this connection that is not a request: a pong or a ping.
    mutating func sent(nowMs: Int64) { messages.charge(nowMs) }

    /// The request to send now.
    mutating func next(nowMs: Int64) -> StreamRequest? {
        if awaited != nil { return nil }
        if waiting.isEmpty && !again.isEmpty && againAtMs <= nowMs { waitForBoth() }
        if waiting.isEmpty || messages.roomAtMs > nowMs { return nil }
        let batch = waiting.removeFirst()
        lastID += 1
        let request = StreamRequest(id: lastID, method: batch.method, streams: batch.streams)
        awaited = (request, batch, nowMs)
        messages.charge(nowMs)
        return request
    }

    /// An answer arrived.
    mutating func replied(_ id: RequestID?, _ outcome: ReplyOutcome) -> Verdict {
        guard let (request, batch, _) = awaited, answers(id, request, outcome) else { return .unrelated }
        awaited = nil
        switch outcome {
        case .accepted:
            if request.method == .subscribe { excluded.subtract(request.streams.map(StreamKey.init)) }
            return .accepted(request)
        case .refused(let code, let text): return refused(request, batch, code, text)
        }
    }

    private mutating func refused(
        _ request: StreamRequest, _ batch: Batch, _ code: Int64, _ text: String
    ) -> Verdict {
        // Those that were refused before cost nothing but themselves.
        if batch.isFirst && batch.streams.allSatisfy({ excluded.contains(StreamKey($0)) }) {
            if batch.streams.count == 1 { return refusedAlone(request, code, text) }
            let alone = batch.streams.map {
                Batch(method: .subscribe, streams: [$0], isRetry: true, isFirst: true)
            }
            waiting.insert(contentsOf: alone, at: 0)
            return .split
        }
        refusalCount += 1
        var half = batch
        half.isRetry = true
        if batch.method == .subscribe && !batch.isRetry {
            waiting.insert(half, at: 0)
            return .refused(request, code: code, text: text, isFinal: false)
        }
        if !batch.isFirst || refusalCount > StreamRequests.refusalCountMax {
            return .refused(request, code: code, text: text, isFinal: true)
        }
        if batch.streams.count == 1 {
            excluded.formUnion(batch.streams.map(StreamKey.init))
            return refusedAlone(request, code, text)
        }
        let middle = batch.streams.count / 2
        half.streams = Array(batch.streams[middle...])
        waiting.insert(half, at: 0)
        half.streams = Array(batch.streams[..<middle])
        waiting.insert(half, at: 0)
        return .split
    }

    /// The venue refused an excluded name: the others go on without it, if there is any other.
    private func refusedAlone(_ request: StreamRequest, _ code: Int64, _ text: String) -> Verdict {
        excluded.count < nameCount || !waiting.isEmpty
            ? .excluded(request, code: code, text: text)
            : .refused(request, code: code, text: text, isFinal: true)
    }

    /// Whether a reply answers a request. One without an id can only be a refusal of something the venue
    /// could not parse.
    private func answers(_ id: RequestID?, _ request: StreamRequest, _ outcome: ReplyOutcome) -> Bool {
        switch id {
        case .integer(let value): return value == request.id
        case .text(let text): return text == String(request.id)
        case .null, nil:
            if case .refused = outcome { return true }
            return false
        }
    }

    /// Turns the names to resubscribe into pairs of requests.
    private mutating func waitForBoth() {
        for batch in batches(again.filter { !excluded.contains(StreamKey($0)) }) {
            waiting.append(Batch(method: .unsubscribe, streams: batch))
            waiting.append(Batch(method: .subscribe, streams: batch))
        }
        // One that was refused may be refused again, which must not cost the others theirs.
        for name in again where excluded.contains(StreamKey(name)) {
            waiting.append(Batch(method: .subscribe, streams: [name], isRetry: true, isFirst: true))
        }
        again = []
    }

    private func batches(_ streams: [String]) -> [[String]] {
        stride(from: 0, to: streams.count, by: batchNameCountMax).map { start in
            Array(streams[start..<min(start + batchNameCountMax, streams.count)])
        }
    }
}
