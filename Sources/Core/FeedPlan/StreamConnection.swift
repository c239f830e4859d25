// One connection of a shard: what it has come to, what is wrong with it, and how long it may last. What that
// means for the shard, and whether there is another one, is the supervisor's business.

/// A connection from its dialling to its end.
///
/// ```
/// phase        input                                next         verdict
/// dialling     opened                               subscribing
///              checked: not open in time            –            notOpened
/// subscribing  accepted, the last                   connected    yes
///              accepted, not the last               –            no
///              checked: no answer in time           –            unanswered
/// connected    checked: near the end of its life    –            old
///              checked: no answer in time           –            unanswered
/// any          doom                                 –            yes, once: it wants a replacement
///              suspect                              –            it may have failed to deliver something
///              retire                               –            it is closed at that time
///              stay                                 –            it is not
/// ```
struct StreamConnection: Sendable {
    enum Phase: Hashable, Sendable {
        case dialling
        case subscribing
        case connected(sinceMs: Int64)
    }

    /// What is wrong with a connection.
    enum Trouble: Hashable {
        case notOpened
        case old
        case unanswered(StreamRequest)
    }

    let id: UInt16
    let dialledAtMs: Int64
    private let renewAtMs: Int64
    private(set) var phase = Phase.dialling
    var requests: StreamRequests
    /// Whether it is to be replaced.
    private(set) var isDoomed = false
    /// Whether it may have failed to deliver something.
    private(set) var isSuspect = false
    /// When the overlap with its replacement ends; nil if it has none.
    private(set) var retireAtMs: Int64?
    /// How often each stream was resubscribed on this connection, each time soon after the time before.
    private var resubscriptions: [String: (count: Int, atMs: Int64)] = [:]

    /// A connection that is dialled now.
    init(
        _ id: UInt16, dialledAtMs: Int64, renewAtMs: Int64,
        _ configuration: ConnectionSupervisor.Configuration
    ) {
        self.id = id
        self.dialledAtMs = dialledAtMs
        self.renewAtMs = renewAtMs
        requests = StreamRequests(configuration)
    }

    /// Whether it serves: all its streams are acknowledged.
    var isConnected: Bool { connectedSinceMs != nil }

    /// Since when it serves; nil if it does not.
    private var connectedSinceMs: Int64? {
        switch phase {
        case .connected(let sinceMs): sinceMs
        case .dialling, .subscribing: nil
        }
    }

    /// Whether it has served for so long.
    func hasServed(forMs limitMs: Int64, nowMs: Int64) -> Bool {
        guard let connectedSinceMs else { return false }
        return nowMs - connectedSinceMs >= limitMs
    }

    /// It is open; these streams are to be subscribed.
    mutating func opened(_ streams: [String]) {
        switch phase {
        case .dialling:
            phase = .subscribing
            requests.subscribe(streams)
        case .subscribing, .connected: break
        }
    }

    /// A request was accepted, or given up for good.
    ///
    /// - Returns: whether that makes it serve.
    mutating func accepted(nowMs: Int64) -> Bool {
        switch phase {
        case .dialling, .connected: return false
        case .subscribing: if !requests.isDone { return false }
        }
        phase = .connected(sinceMs: nowMs)
        return true
    }

    /// It wants a replacement; false if it did already.
    mutating func doom() -> Bool {
        if isDoomed { return false }
        isDoomed = true
        return true
    }

    /// It may have failed to deliver something.
    mutating func suspect() { isSuspect = true }

    /// Its replacement serves; it is closed at this time.
    mutating func retire(atMs: Int64) { retireAtMs = atMs }

    /// Its replacement is gone.
    mutating func stay() { retireAtMs = nil }

    /// Whether all that it delivered to its end is delivered by another one.
    func isContinued(by next: StreamConnection?) -> Bool {
        guard !isSuspect, let next, next.isConnected else { return false }
        return next.requests.excluded.isSubset(of: requests.excluded)
    }

    /// What is wrong with it now, in the order in which it is to be dealt with.
    func troubles(nowMs: Int64, _ configuration: ConnectionSupervisor.Configuration) -> [Trouble] {
        var troubles: [Trouble] = []
        switch phase {
        case .dialling: return nowMs - dialledAtMs >= configuration.dialLimitMs ? [.notOpened] : []
        case .subscribing: break
        case .connected: if renewAtMs <= nowMs { troubles.append(.old) }
        }
        if let request = requests.overdue(nowMs: nowMs) { troubles.append(.unanswered(request)) }
        return troubles
    }

    /// When it has something to do, or to be checked for; `.max` if never.
    func wakeAtMs(_ configuration: ConnectionSupervisor.Configuration) -> Int64 {
        var wakeMs = Int64.max
        switch phase {
        case .dialling: wakeMs = dialledAtMs + configuration.dialLimitMs
        case .subscribing: break
        case .connected: if !isDoomed { wakeMs = renewAtMs }
        }
        return min(wakeMs, requests.wakeAtMs ?? .max, retireAtMs ?? .max)
    }

    /// Counts that these streams are resubscribed, and the streams that are lost by now. Only what comes soon
    /// after the time before adds up: over a day nearly every stream that lives is silent for long now and
    /// then.
    mutating func countLost(
        _ added: [String], nowMs: Int64, _ configuration: ConnectionSupervisor.Configuration
    ) -> Int {
        let sinceMs = nowMs - configuration.lostWithinMs
        for name in added {
            let last = resubscriptions[name] ?? (count: 0, atMs: .min)
            resubscriptions[name] = (last.atMs >= sinceMs ? last.count + 1 : 1, nowMs)
        }
        return resubscriptions.values.count {
            $0.count >= configuration.lostAfterCount && $0.atMs >= sinceMs
        }
    }
}
