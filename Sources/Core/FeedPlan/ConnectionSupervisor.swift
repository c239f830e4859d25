// Supervises a shard's connections: dialling, subscribing, renewing before the venue ends one, replacing a
// bad one, all within the venue's limits.
//
// There are at most two connections: the one in service and its replacement. A replacement is opened beside
// the old one, subscribed completely, and given a few seconds of overlap in which the engine moves every
// symbol that has an update over by its update ids; only then is the old one closed. A planned renewal
// therefore never makes a book stale, even if the symbol is silent during the overlap. When a connection is
// replaced because something was wrong with it, a symbol silent in the overlap is stale until its next update
// proves that nothing was missed.
//
// Pure: time comes in, actions come out, in the order in which to perform them. The owner performs them and
// reports what happened; the invariants hold whatever it reports, in whatever order.
//
// Invariants
// * At most two connections at a time, and at most `attemptsPerFiveMinutesMax` opened in any five minutes.
// * No request is sent if `messagesPerSecond` messages left on that connection within the last second.
// * Actions name only ids that were opened and not closed. `connected` occurs at most once per id,
//   `disconnected` or `retired` exactly once for each id that had it.
// * After `stop` nothing is open and nothing is ever opened again.
//
// Bounds: two connections, their requests (`StreamRequests`), the names of refused streams, one number for
// each stream ever resubscribed on a connection, `attemptsPerFiveMinutesMax` times. At most 20 actions per
// input.
//
// Worst case: O(streams of the shard) when a connection opens or streams are resubscribed, otherwise O(1).

import MarketData

/// Runs the connections of one shard.
///
/// The supervisor as a whole:
/// ```
/// phase     input        next      actions
/// new       start        running   open
///           stop         stopped
///           any other    –
/// running   stop         stopped   close all; disconnected for each that was connected
///           start        –
///           any other              see below
/// stopped   any          –
/// ```
/// One connection while the supervisor is running; unknown ids are ignored. An outgoing one (`isOutgoing`) is
/// to be replaced: its replacement is opened at once, or when backoff and attempts allow.
/// ```
/// connection   input                                  next         actions
/// dialling     opened                                 subscribing  send the first batch
///              closed                                 gone         open after its backoff
///              time: not open in time                 gone         close; open after its backoff
///              replied, shutdownAnnounced             –
/// subscribing  replied: accepted                      –            send the next batch in its time
///              replied: accepted, the last            connected    connected; the older one retires
///              replied: refused                       –            send the batch again
///              replied: refused again, several names  –            send its halves
///              replied: refused again, one name       –            go on without it, as after success
///              replied: refused again, some names     –            send each of them alone
///                left out before
///              replied: all or too much refused       gone         close; open after its backoff
///              time: no answer in time                gone         close; open after its backoff
///              shutdownAnnounced: it is alone, older  outgoing     open a replacement
///              shutdownAnnounced: it is the newer     gone         close; open after its backoff
///              closed                                 gone         open after its backoff
/// connected    replied: accepted to SUBSCRIBE         –            resubscribed
///              replied: refused again                 outgoing     open a replacement
///              time: no answer in time                outgoing     open a replacement
///              time: near the end of its life         outgoing     open a replacement
///              time: overlap over                     gone         close; retired if it was sound and the
///                                                                  other delivers as much, else disconnected
///              shutdownAnnounced                      outgoing     open a replacement
///              fellSilent                             outgoing     open a replacement
///              resubscribe                            –            UNSUBSCRIBE and SUBSCRIBE in their time
///              resubscribe: too many were lost        outgoing     open a replacement
///              closed                                 gone         disconnected; open if it was alone
/// any          sent                                   –            less room for requests
///              redialled                              –            less room for connections
///              opened again                           –
/// ```
/// A stream that the venue does not accept is left out on that connection: `connected` names it. It is
/// requested again when the owner asks for a resubscription, alone, and on the next connection, after all
/// others; so a connection that ends over too many refusals leaves fewer to be found by the next one.
/// When the older of two is gone, the newer takes its place; when the newer is gone, the older stays, still
/// outgoing. Backoff grows with every consecutive failure. A connection that was subscribed for long, or that
/// delivered data, is no failure; a `Retry-After` is always observed.
public struct ConnectionSupervisor: Sendable {
    enum Phase: Hashable, Sendable {
        case new, running, stopped
    }

    /// Limits and times.
    public let configuration: Configuration
    /// Names of all streams of the shard.
    public let streams: [String]
    private let names: Set<StreamKey>
    private(set) var phase = Phase.new
    /// The connection in service and its replacement.
    var links: [StreamConnection] = []
    var dials: DialPolicy
    /// Streams that the venue refused when they were last requested, on whichever connection.
    var excluded: Set<StreamKey> = []
    private(set) var clockMs: Int64 = .min
    var lastID: UInt16 = 0

    /// A supervisor that has not started.
    ///
    /// - Precondition: a configuration that `validate` accepts for this many streams, no two of the same
    ///   bytes; `ShardPlan` makes such shards.
    public init(streams: [String], configuration: Configuration) {
        do throws(ConfigurationError) {
            try configuration.validate(streamCount: streams.count)
        } catch {
            preconditionFailure("\(error)")
        }
        let configuration = configuration.saturated
        names = Set(streams.map(StreamKey.init))
        precondition(names.count == streams.count, "a stream twice")
        self.streams = streams
        self.configuration = configuration
        dials = DialPolicy(configuration)
    }

    /// Starts.
    public mutating func start(nowMs: Int64) -> [Action] {
        switch phase {
        case .new: phase = .running
        case .running, .stopped: break
        }
        return settled(nowMs) { _, _ in }
    }

    /// A connection being opened makes another attempt, which counts like the first. Nothing is due at once.
    public mutating func redialled(nowMs: Int64) {
        clockMs = max(clockMs, nowMs)
        dials.dialled(nowMs: clockMs)
    }

    /// The connection is open, with nothing subscribed yet.
    public mutating func opened(_ id: UInt16, nowMs: Int64) -> [Action] {
        settled(nowMs, id) { supervisor, index, _ in
            supervisor.links[index].opened(supervisor.streams)
        }
    }

    /// A reply arrived on the connection.
    public mutating func replied(
        _ id: UInt16, to requestID: RequestID?, _ outcome: ReplyOutcome, nowMs: Int64
    ) -> [Action] {
        settled(nowMs, id) { supervisor, index, actions in
            let verdict = supervisor.links[index].requests.replied(requestID, outcome)
            supervisor.learn(index, verdict)
            switch verdict {
            case .unrelated, .split: break
            case .accepted(let request):
                if supervisor.links[index].isConnected && request.method == .subscribe {
                    actions.append(.resubscribed(id, request.streams))
                }
                supervisor.accepted(index, &actions)
            case .excluded(let request, let code, let text):
                actions.append(.report(.refused(id, request, code: code, text: text, isFinal: true)))
                supervisor.accepted(index, &actions)
            case .refused(let request, let code, let text, let isFinal):
                actions.append(
                    .report(.refused(id, request, code: code, text: text, isFinal: isFinal)))
                if isFinal && request.method == .subscribe { supervisor.isBad(index, .refused, &actions) }
            }
        }
    }

    /// The venue announced on the connection that it will close it.
    public mutating func shutdownAnnounced(_ id: UInt16, nowMs: Int64) -> [Action] {
        settled(nowMs, id) { supervisor, index, actions in
            switch supervisor.links[index].phase {
            case .dialling: break
            case .subscribing where index > 0: supervisor.drop(index, &actions)
            case .subscribing, .connected: supervisor.requestReplacement(index, .shutdown, &actions)
            }
        }
    }

    /// The connection ended or could not be opened.
    ///
    /// - Parameters:
    ///   - id: the connection.
    ///   - loss: how it ended.
    ///   - hasDelivered: whether it delivered data.
    ///   - retryAfterSeconds: `Retry-After` of the refusal, if any.
    ///   - nowMs: the time.
    public mutating func closed(
        _ id: UInt16, _ loss: Loss, hasDelivered: Bool = false, retryAfterSeconds: Int? = nil, nowMs: Int64
    ) -> [Action] {
        settled(nowMs, id) { supervisor, index, actions in
            if hasDelivered { supervisor.forgiveWhatDelivered(index) }
            let toldMs = retryAfterSeconds.map { RefusalWait.ms(retryAfterSeconds: $0) }
            supervisor.lose(index, loss, toldMs: toldMs, &actions)
        }
    }

    /// The connection was busy and went silent, but for pongs at most. It may recover; meanwhile its
    /// replacement is opened.
    public mutating func fellSilent(_ id: UInt16, nowMs: Int64) -> [Action] {
        settled(nowMs, id) { supervisor, index, actions in
            switch supervisor.links[index].phase {
            case .dialling, .subscribing: break
            case .connected:
                supervisor.links[index].suspect()
                supervisor.requestReplacement(index, .silent, &actions)
            }
        }
    }

    /// We sent a message on the connection that the supervisor did not request: a pong or a ping.
    public mutating func sent(_ id: UInt16, nowMs: Int64) -> [Action] {
        settled(nowMs, id) { supervisor, index, _ in
            supervisor.links[index].requests.sent(nowMs: supervisor.clockMs)
        }
    }

    /// These streams are unexpectedly silent: unsubscribes and resubscribes them.
    ///
    /// Done on the newest subscribed connection; without one, all streams are about to be subscribed anyway.
    /// Names of other shards are ignored.
    public mutating func resubscribe(_ wanted: [String], nowMs: Int64) -> [Action] {
        settled(nowMs) { supervisor, actions in
            guard let index = supervisor.links.lastIndex(where: \.isConnected) else { return }
            let known = wanted.filter { supervisor.names.contains(StreamKey($0)) }
            let added = supervisor.links[index].requests.resubscribe(known, nowMs: supervisor.clockMs)
            if added.isEmpty { return }
            actions.append(.report(.resubscribing(supervisor.links[index].id, streamCount: added.count)))
            // Symbols of which the venue refuses a stream are not the connection's fault.
            let refused = Set(supervisor.links[index].requests.excluded.map(\.symbol))
            let lost = supervisor.links[index].countLost(
                added.filter { !refused.contains(StreamKey($0).symbol) }, nowMs: supervisor.clockMs,
                supervisor.configuration)
            if lost * 100 >= supervisor.streams.count * supervisor.configuration.lostSharePercent {
                supervisor.links[index].suspect()
                supervisor.requestReplacement(index, .lostStreams(count: lost), &actions)
            }
        }
    }

    /// Time has passed.
    public mutating func timePassed(nowMs: Int64) -> [Action] { settled(nowMs) { _, _ in } }

    /// Ends everything for good.
    public mutating func stop(nowMs: Int64) -> [Action] {
        clockMs = max(clockMs, nowMs)
        phase = .stopped
        var actions: [Action] = []
        for link in links {
            actions.append(.close(link.id))
            if link.isConnected { actions.append(.disconnected(link.id)) }
        }
        links = []
        return actions
    }

    /// Handles an input about one connection, if it exists, and then does everything that is due.
    private mutating func settled(
        _ nowMs: Int64, _ id: UInt16, _ input: (inout ConnectionSupervisor, Int, inout [Action]) -> Void
    ) -> [Action] {
        settled(nowMs) { supervisor, actions in
            if let index = supervisor.links.firstIndex(where: { $0.id == id }) {
                input(&supervisor, index, &actions)
            }
        }
    }

    /// Handles an input and then does everything that is due. Time never runs backwards here.
    private mutating func settled(
        _ nowMs: Int64, _ input: (inout ConnectionSupervisor, inout [Action]) -> Void
    ) -> [Action] {
        clockMs = max(clockMs, nowMs)
        switch phase {
        case .new, .stopped: return []
        case .running:
            var actions: [Action] = []
            forgetFailures()
            input(&self, &actions)
            settle(&actions)
            return actions
        }
    }
}
