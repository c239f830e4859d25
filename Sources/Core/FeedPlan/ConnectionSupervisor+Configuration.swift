// Terms, limits and times of a shard's connections. Illegal values throw before anything starts; see
// `validate`.

extension ConnectionSupervisor {
    /// Limits and times of a supervisor.
    public struct Configuration: Hashable, Sendable {
        /// What the venue allows.
        public var terms: ConnectionTerms
        /// Most names in one request.
        public var batchNameCountMax = 200
        /// Share of the venue's message budget that is used; the rest is for pongs, which cannot wait.
        public var messageSharePercent = 60
        /// A connection that takes longer to answer a request is bad.
        public var answerLimitMs: Int64 = 10_000
        /// A connection that takes longer to open is given up. The socket's own limit is normally shorter.
        public var dialLimitMs: Int64 = 60_000
        /// A connection that was subscribed for this long was good: earlier failures are forgotten.
        public var provenAfterMs: Int64 = 30_000
        /// So was one that delivered data and was subscribed for this long: a link that breaks every few
        /// seconds is up most of the time.
        public var deliveredAfterMs: Int64 = 500
        /// First delay after a failure; doubled with every further one.
        public var backoffFirstMs: Int64 = 500
        /// Longest delay after failures.
        public var backoffMaxMs: Int64 = 60_000
        /// Shortest delay after the venue refused us for our request rate; doubled with every further
        /// refusal. A `Retry-After` takes precedence.
        public var refusedWaitMs = RefusalWait.firstMs
        /// Upper limit of that doubling; up to half as much again is added at random.
        public var refusedWaitMaxMs = RefusalWait.maxMs
        /// This shard's share of the attempts an IP may make in five minutes, observed even if the venue
        /// states no limit. Leave room: the last connection that it allows may still take several attempts,
        /// at other addresses or by another backend.
        public var attemptsPerFiveMinutesMax = 120
        /// A connection is replaced at least this long before the venue ends it.
        public var renewalMarginMs: Int64 = 600_000
        /// At random it is replaced up to this much earlier, so that shards do not renew together.
        public var renewalJitterMs: Int64 = 3_000_000
        /// Both connections deliver for this long before the older one is closed.
        public var overlapMs: Int64 = 3_000
        /// Resubscriptions are batched for this long.
        public var coalesceMs: Int64 = 500
        /// A stream resubscribed this often on one connection, each time within `lostWithinMs` of the last,
        /// counts as lost on it.
        public var lostAfterCount = 2
        /// See `lostAfterCount`.
        public var lostWithinMs: Int64 = 600_000
        /// A connection that lost this share of its streams is replaced.
        public var lostSharePercent = 25
        /// Seed of the jitter; must differ between shards and processes.
        public var seed: UInt64 = 1

        /// Defaults for these terms.
        public init(terms: ConnectionTerms) { self.terms = terms }

        /// Messages we may send per second.
        var messagesPerSecond: Int { max(1, terms.messagesPerSecondMax * messageSharePercent / 100) }
    }

    /// What the shell must do, in order.
    public enum Action: Hashable, Sendable {
        /// Connect to the combined stream target, without streams.
        case open(UInt16)
        /// Send this as a text message.
        case send(UInt16, StreamRequest)
        /// Close it and ignore anything it still delivers.
        case close(UInt16)
        /// Tell the engine: from now on this connection delivers all streams that the venue accepts.
        case connected(UInt16, refused: [String] = [])
        /// Tell the engine: from now on this connection delivers nothing.
        case disconnected(UInt16)
        /// Tell the engine the same about a connection that was sound to its end, after its replacement has
        /// delivered all streams for `overlapMs`.
        case retired(UInt16)
        /// Tell the engine: updates of these streams on this connection may be missing up to this point. They
        /// were unsubscribed and are subscribed again.
        case resubscribed(UInt16, [String])
        /// Report it to the user.
        case report(Report)
    }

    /// How a connection ended, as far as the next one is concerned.
    public enum Loss: Hashable, Sendable {
        /// It could not be opened, was closed, broke or went silent.
        case lost
        /// The venue limits our connection rate: a `RefusalWait` status instead of the upgrade, or close code
        /// 1008.
        case refused
    }
}
