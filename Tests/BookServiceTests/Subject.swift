// The service under test: its configuration, brisk so that a test need not wait for human times, and what it
// says.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import FeedPlan
import Foundation
import LobTransport
import MarketData

@testable import BookService

/// Lines of what a service tells.
final class Diary: Sendable {
    private let told = Locked<[String]>([])

    var lines: [String] { told.withLock { $0 } }
    /// The newest lines, for a failure.
    var tail: String { lines.suffix(12).joined(separator: "\n") }

    func note(_ event: ServiceEvent) {
        told.withLock { told in
            if told.count < 20_000 { told.append("\(event)") }
        }
    }

    func has(_ text: String) -> Bool { told.withLock { $0.contains { $0.contains(text) } } }
    func count(_ text: String) -> Int { told.withLock { $0.count { $0.contains(text) } } }
}

/// A configuration with short times.
func brisk(_ endpoints: Endpoints, _ symbols: [SymbolName]) -> ServiceConfiguration {
    var configuration = ServiceConfiguration(endpoints: endpoints, symbols: symbols)
    configuration.idle = .park
    configuration.ringBytes = 1 << 20
    configuration.auditEveryMs = 400
    configuration.tickIntervalMs = 25
    // As the default's half a minute is to a venue of real time.
    configuration.silenceMs = 1_500
    configuration.socket.openLimitMs = 1_000
    configuration.socket.closeLimitMs = 300
    configuration.socket.pingAfterMs = 400
    configuration.socket.pongLimitMs = 400
    configuration.supervisor.answerLimitMs = 1_500
    configuration.supervisor.backoffFirstMs = 20
    configuration.supervisor.backoffMaxMs = 200
    configuration.supervisor.refusedWaitMs = 200
    configuration.supervisor.coalesceMs = 20
    configuration.supervisor.overlapMs = 100
    configuration.supervisor.provenAfterMs = 500
    // The venue's five minutes are shorter than ours by its speed.
    configuration.supervisor.attemptsPerFiveMinutesMax = 240
    configuration.fetcher.requestLimitMs = 1_500
    var planner = SnapshotPlanner.Configuration(pool: endpoints.market.weightPool)
    planner.backoffFirstMs = 20
    planner.backoffMaxMs = 200
    planner.answerTimeoutMs = 2_500
    planner.minuteGuardMs = 20
    planner.snapshotLagMs = 20
    planner.limitedWaitMs = 300
    planner.bannedWaitMs = 300
    // So are its minutes.
    planner.weightPerMinute *= 20
    configuration.fetcher.planner = planner
    return configuration
}

extension BookService {
    /// Status of a symbol at this moment; what it was at the start if the book thread does not answer.
    func status(_ symbol: SymbolName) -> SymbolStatus {
        Witness.copy(of: symbol, self)?.status ?? SymbolStatus(symbol)
    }

    /// A counter, added up over all symbols.
    func sum(_ counter: KeyPath<SymbolCounters, Int>) -> Int {
        symbols.reduce(0) { $0 + status($1).counters[keyPath: counter] }
    }

    /// A number of the feeds, added up over all shards.
    func feeds(_ counter: KeyPath<FeedStatus, Int>) -> Int {
        shardStatuses.reduce(0) { $0 + $1.feed[keyPath: counter] }
    }

    /// Messages that found no room, as far as it is known yet.
    var lostCount: Int {
        shardStatuses.reduce(0) { $0 + max($1.ring.droppedFrames, $1.feed.droppedMessages) }
    }

    /// Whether every symbol's published view is live.
    var isLive: Bool { symbols.allSatisfy { view($0).state == .live } }

    /// The published view.
    func view(_ symbol: SymbolName) -> BookView {
        readers(of: symbol)?.views.latest(BookView()) ?? BookView()
    }
}
