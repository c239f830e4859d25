// The venue's limits: snapshot limits and weights, weight budgets, and connection terms.

import FeedPlan

extension Market {
    /// The budget to which requests to this market are charged.
    public var weightPool: WeightPool {
        switch self {
        case .spot: .spot
        case .usdm, .coinm: .futures
        }
    }

    /// The deepest snapshot at each weight, cheapest first.
    public var snapshotLimits: [SnapshotLimit] {
        switch self {
        case .spot:
            [
                SnapshotLimit(levelCount: 100, weight: 5), SnapshotLimit(levelCount: 500, weight: 25),
                SnapshotLimit(levelCount: 1000, weight: 50), SnapshotLimit(levelCount: 5000, weight: 250),
            ]
        case .usdm, .coinm:
            [
                SnapshotLimit(levelCount: 50, weight: 2), SnapshotLimit(levelCount: 100, weight: 5),
                SnapshotLimit(levelCount: 500, weight: 10), SnapshotLimit(levelCount: 1000, weight: 20),
            ]
        }
    }

    /// The cheapest legal limit with at least this many levels per side, and the deepest of its weight; the
    /// deepest of all if none has enough.
    public func snapshotLimit(atLeast levelCount: Int) -> SnapshotLimit {
        let limits = snapshotLimits
        return limits.first { $0.levelCount >= levelCount } ?? limits[limits.count - 1]
    }

    /// The limit for a first book: deep enough to trade on, cheap enough for hundreds of symbols at once.
    public var shallowSnapshotLimit: SnapshotLimit { snapshotLimit(atLeast: 100) }

    /// The terms of a stream connection to this market.
    public var connectionTerms: ConnectionTerms {
        switch self {
        case .spot:
            ConnectionTerms(
                pingIntervalMs: 20_000, pongDeadlineMs: 60_000, messagesPerSecondMax: 5, streamCountMax: 1024,
                lifeMs: 86_400_000, attemptsPerFiveMinutesMax: 300)
        case .usdm, .coinm:
            ConnectionTerms(
                pingIntervalMs: 180_000, pongDeadlineMs: 600_000, messagesPerSecondMax: 10,
                streamCountMax: 1024,
                lifeMs: 86_400_000, attemptsPerFiveMinutesMax: nil)
        }
    }

    /// Weight of a request for `exchangeInfo`.
    public var exchangeInfoWeight: Int {
        switch self {
        case .spot: 20
        case .usdm, .coinm: 1
        }
    }
}
