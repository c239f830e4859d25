// Every fault of the simulation, how it is raised here, and what shows that it struck and was mended.
//
// All of them reach a client through a socket but one: `pause` is a fault of the consumer, so the test
// carries it out itself, by standing on the book thread for as long as the venue says.

import BinanceVenue
import BookEngine
import DepthFeed
import MarketData
import SimulatedExchange
import VenueSupport

@testable import BookService

/// What can be seen of a run from outside.
struct Sight {
    let venue: VenueHost
    let service: BookService
    let diary: Diary
    /// What stands between the service and the venue.
    var meddler: Meddler?
    /// Times the consumer stood still.
    var pauseCount = 0
    /// For how long no message of any symbol came, at most.
    var silenceMsMax = 0

    func sum(_ counter: KeyPath<SymbolCounters, Int>) -> Int { service.sum(counter) }
    func feeds(_ counter: KeyPath<FeedStatus, Int>) -> Int { service.feeds(counter) }
    func engines(_ counter: KeyPath<EngineCounters, Int>) -> Int {
        service.shardStatuses.reduce(0) { $0 + $1.engine[keyPath: counter] }
    }
}

/// One fault under test.
struct FaultCase: Sendable, CustomStringConvertible {
    /// A counter that shows the repair, with its name for people.
    struct Sign: Sendable {
        var name: String
        var count: @Sendable (Sight) -> Int
    }

    var fault: Fault
    var market: Market
    /// Probability for each opportunity.
    var rate: Double
    var signs: [Sign]
    /// Venue seconds in a second.
    var speed: Double
    /// Levels a side of the venue's books.
    var levelCount: Int
    var adjust: @Sendable (inout ServiceConfiguration) -> Void = { _ in }

    var description: String { "\(fault), \(market.name)" }

    init(
        _ fault: Fault, _ market: Market, rate: Double, _ signs: [Sign], speed: Double = 20,
        levelCount: Int = 400,
        adjust: @escaping @Sendable (inout ServiceConfiguration) -> Void = { _ in }
    ) {
        (self.fault, self.market, self.rate, self.signs) = (fault, market, rate, signs)
        (self.speed, self.levelCount, self.adjust) = (speed, levelCount, adjust)
    }

    /// The venue with this fault alone.
    var setup: VenueHost.Setup {
        var plan = FaultPlan.none
        plan[fault] = Int64(rate * 1e9)
        return VenueHost.Setup(
            market: market, symbols: names(market, 3), seed: UInt64(fault.rawValue) + 1, speed: speed,
            faults: plan,
            levelCount: levelCount)
    }

    private static func symbols(_ name: String, _ counter: @escaping @Sendable (SymbolCounters) -> Int)
        -> Sign
    {
        Sign(name: name) { sight in
            sight.service.symbols.reduce(0) { $0 + counter(sight.service.status($1).counters) }
        }
    }

    private static func feeds(_ name: String, _ counter: @escaping @Sendable (FeedStatus) -> Int) -> Sign {
        Sign(name: name) { sight in sight.service.shardStatuses.reduce(0) { $0 + counter($1.feed) } }
    }

    private static func engines(_ name: String, _ counter: @escaping @Sendable (EngineCounters) -> Int)
        -> Sign
    {
        Sign(name: name) { sight in sight.service.shardStatuses.reduce(0) { $0 + counter($1.engine) } }
    }

    private static let gaps = symbols("gaps") { $0.gaps }
    private static let discarded = symbols("discarded") { $0.discarded }
    private static let resyncs = symbols("resyncs") { $0.resyncs }
    private static let snapshots = symbols("snapshots") { $0.snapshots }
    private static let tooOld = symbols("snapshots too old") { $0.snapshotsTooOld }
    private static let audits = symbols("audits") { $0.auditsAgreed }
    private static let deepenings = symbols("deepenings") { $0.deepenings }
    private static let resubscriptions = feeds("streams resubscribed") { $0.resubscribedStreams }
    private static let losses = feeds("losses") { $0.losses }
    private static let malformed = engines("malformed") { $0.malformed }
    private static let troubles = Sign(name: "requests repeated") {
        $0.service.fetcherStatus.transientFailureCount
    }

    /// All faults, each on one market.
    static let all: [FaultCase] = [
        FaultCase(.lost, .usdm, rate: 0.02, [gaps, resyncs, snapshots]),
        FaultCase(.duplicate, .spot, rate: 0.05, [discarded]),
        FaultCase(.reorder, .coinm, rate: 0.02, [gaps, resyncs, snapshots]),
        FaultCase(.truncate, .usdm, rate: 0.02, [malformed, gaps, resyncs]),
        FaultCase(.corrupt, .spot, rate: 0.02, [malformed, gaps, resyncs]),
        FaultCase(
            .foreign, .coinm, rate: 0.02, [engines("unknown symbols") { $0.unknownSymbol }, gaps, resyncs]),
        FaultCase(.cut, .spot, rate: 0.1, [losses, resyncs]),
        FaultCase(
            .vanish, .usdm, rate: 0.08,
            [
                feeds("pings of ours") { $0.probes },
                Sign(name: "connections given up") { $0.diary.count("nothing received for") },
            ]),
        FaultCase(
            .expire, .coinm, rate: 0.1, [losses, Sign(name: "closes") { $0.diary.count("with 1001") }]),
        FaultCase(
            .shutdown, .spot, rate: 0.05,
            [feeds("shutdowns") { $0.shutdowns }, feeds("replacements") { $0.replacements }]),
        FaultCase(
            .stall, .usdm, rate: 0.1,
            [Sign(name: "a quarter of a second of silence") { $0.silenceMsMax / 250 }, audits]),
        FaultCase(.mute, .spot, rate: 0.3, [resubscriptions]),
        FaultCase(
            .pause, .coinm, rate: 0.05, [feeds("messages dropped") { $0.droppedMessages }, gaps], speed: 80
        ) {
            $0.ringBytes = 1 << 16
        },
        FaultCase(.stale, .spot, rate: 0.3, [tooOld, audits]),
        FaultCase(.frozen, .usdm, rate: 0.1, [tooOld, audits]),
        FaultCase(.fail, .coinm, rate: 0.4, [troubles, audits]),
        FaultCase(.slow, .spot, rate: 0.4, [troubles, audits]) { $0.fetcher.requestLimitMs = 300 },
        FaultCase(.rescale, .usdm, rate: 0.05, [audits]),
        // Audits deepen a book too: on a machine with little time for this they would always come first.
        FaultCase(.thin, .spot, rate: 0.1, [deepenings]) { ($0.depth, $0.auditEveryMs) = (100, 60_000) },
        FaultCase(.walk, .coinm, rate: 0.1, [deepenings]) { ($0.depth, $0.auditEveryMs) = (100, 60_000) },
        FaultCase(
            .burst, .usdm, rate: 0.05,
            [
                // Half of it without bursts.
                Sign(name: "thirty levels an event") { sight in
                    sight.engines(\.levels) / max(sight.engines(\.depthUpdates), 1) / 30
                }
            ], levelCount: 2000),
        FaultCase(.halt, .spot, rate: 0.1, [symbols("quiet checks") { $0.quietChecks }]),
        FaultCase(.fade, .coinm, rate: 0.05, [resubscriptions]),
    ]
}
