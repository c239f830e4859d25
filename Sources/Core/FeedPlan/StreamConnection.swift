// One connection of a shard: its phase, its faults, and its remaining time. What follows for the shard, and
// whether there is another connection, is the supervisor's business.

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
/// any          markForReplacement                   –            yes, once: it wants a replacement
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

    /// A connection's fault.
    enum Fault: Hashable {
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
    private(set) var isOutgoing = false
    /// Whether it may have failed to deliver something.
    private(set) var isSuspect = false
    /// When the overlap with its replacement ends; nil if it has none.
    private(set) var retireAtMs: Int64?
    /// How often each stream was resubscribed on this connection, each time soon after the last.
    private var resubscriptions: [StreamKey: (count: Int, atMs: Int64)] = [:]

    /// A connection being dialled now.
    ///
    /// - Parameter excluded: streams that the venue refused on earlier connections.
    init(
        _ id: UInt16, dialledAtMs: Int64, renewAtMs: Int64, excluded: Set<StreamKey> = [],
        _ configuration: ConnectionSupervisor.Configuration
    ) {
        self.id = id
        self.dialledAtMs = dialledAtMs
        self.renewAtMs = renewAtMs
        requests = StreamRequests(configuration, excluded: excluded)
    }

    /// Whether it is in service: all its streams are acknowledged.
    var isConnected: Bool { connectedSinceMs != nil }

    /// Since when it has been in service; nil if it is not.
    private var connectedSinceMs: Int64? {
        switch phase {
        case .connected(let sinceMs): sinceMs
        case .dialling, .subscribing: nil
        }
    }

    /// Whether it has been in service for this long.
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
    /// - Returns: whether that puts it in service.
    mutating func accepted(nowMs: Int64) -> Bool {
        switch phase {
        case .dialling, .connected: return false
        case .subscribing: if !requests.isDone { return false }
        }
        phase = .connected(sinceMs: nowMs)
        return true
    }

    /// Marks it for replacement; false if it already was.
    mutating func markForReplacement() -> Bool {
        if isOutgoing { return false }
        isOutgoing = true
        return true
    }

    /// It may have failed to deliver something.
    mutating func suspect() { isSuspect = true }

    /// Its replacement is in service; it will be closed at this time.
    mutating func retire(atMs: Int64) { retireAtMs = atMs }

    /// Its replacement is gone.
    mutating func stay() { retireAtMs = nil }

    /// Whether another connection delivers everything that it delivered to its end.
    func isContinued(by next: StreamConnection?) -> Bool {
        guard !isSuspect, let next, next.isConnected else { return false }
        return next.requests.excluded.isSubset(of: requests.excluded)
    }

    /// Its current faults, in the order in which to handle them.
    func faults(nowMs: Int64, _ configuration: ConnectionSupervisor.Configuration) -> [Fault] {
        var faults: [Fault] = []
        switch phase {
        case .dialling: return nowMs - dialledAtMs >= configuration.dialLimitMs ? [.notOpened] : []
        case .subscribing: break
        case .connected: if renewAtMs <= nowMs { faults.append(.old) }
        }
        if let request = requests.overdue(nowMs: nowMs) { faults.append(.unanswered(request)) }
        return faults
    }

    /// When it next has something to do or to be checked; `.max` if never.
    func wakeAtMs(_ configuration: ConnectionSupervisor.Configuration) -> Int64 {
        var wakeMs = Int64.max
        switch phase {
        case .dialling: wakeMs = dialledAtMs + configuration.dialLimitMs
        case .subscribing: break
        case .connected: if !isOutgoing { wakeMs = renewAtMs }
        }
        return min(wakeMs, requests.wakeAtMs ?? .max, retireAtMs ?? .max)
    }

    /// Counts a resubscription of these streams; returns those that are now lost. Only resubscriptions in
    /// quick succession add up: in the course of a day nearly every live stream is silent for long now and
    /// then.
    mutating func countLost(
        _ added: [String], nowMs: Int64, _ configuration: ConnectionSupervisor.Configuration
    ) -> Int {
        let sinceMs = nowMs - configuration.lostWithinMs
        for name in added.map(StreamKey.init) {
            let last = resubscriptions[name] ?? (count: 0, atMs: .min)
            resubscriptions[name] = (last.atMs >= sinceMs ? last.count + 1 : 1, nowMs)
        }
        return resubscriptions.values.count {
            $0.count >= configuration.lostAfterCount && $0.atMs >= sinceMs
        }
    }
}
