// Every number of a configuration at its worst: a service starts and stops, or says which field is wrong,
// before any thread exists. It never traps.

import BinanceVenue
import DepthFeed
import FeedPlan
import Foundation
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

/// One field, set to a number.
struct NumberField: Sendable, CustomStringConvertible {
    typealias Setter = @Sendable (inout ServiceConfiguration, Int64) -> Void

    var description: String
    var set: Setter

    init(_ name: String, _ path: any WritableKeyPath<ServiceConfiguration, Int> & Sendable) {
        description = name
        set = { $0[keyPath: path] = Int($1) }
    }

    init(_ name: String, ms path: any WritableKeyPath<ServiceConfiguration, Int64> & Sendable) {
        description = name
        set = { $0[keyPath: path] = $1 }
    }

    init(_ name: String, _ set: @escaping Setter) { (description, self.set) = (name, set) }

    /// A field of the planner.
    static func planner(
        _ name: String, _ set: @escaping @Sendable (inout SnapshotPlanner.Configuration, Int64) -> Void
    ) -> NumberField {
        NumberField("fetcher.planner." + name) { configuration, value in
            var planner = SnapshotPlanner.Configuration(pool: .spot)
            set(&planner, value)
            configuration.fetcher.planner = planner
        }
    }

    static let service: [NumberField] = [
        NumberField("depth", \.depth), NumberField("auditEveryMs", ms: \.auditEveryMs),
        NumberField("lagMsMax", ms: \.lagMsMax), NumberField("shardCountMin", \.shardCountMin),
        NumberField("tickIntervalMs", \.tickIntervalMs), NumberField("silenceMs", ms: \.silenceMs),
        NumberField("seed") { $0.seed = UInt64(bitPattern: $1) },
        NumberField("ringBytes") { $0.ringBytes = Int($1) },
        NumberField("cpus[1]") { $0.cpus = [0, Int($1)] },
        NumberField("streams.partialLevelCount") { $0.streams.partialLevelCount = Int($1) },
        NumberField("socket.messageBytesMax", \.socket.messageBytesMax),
        NumberField("socket.openLimitMs", \.socket.openLimitMs),
        NumberField("socket.closeLimitMs", \.socket.closeLimitMs),
        NumberField("socket.pingAfterMs") { $0.socket.pingAfterMs = Int($1) },
        NumberField("socket.pongLimitMs", \.socket.pongLimitMs),
        NumberField("socket.silenceLimitMs") { $0.socket.silenceLimitMs = Int($1) },
        NumberField("busySilence.messagesPerSecondMin", \.busySilence.messagesPerSecondMin),
        NumberField("busySilence.pingAfterMs", ms: \.busySilence.pingAfterMs),
        NumberField("busySilence.pongLimitMs", ms: \.busySilence.pongLimitMs),
        NumberField("busySilence.goneAfterMs", ms: \.busySilence.goneAfterMs),
        NumberField("busySilence.emptyAfterMs", ms: \.busySilence.emptyAfterMs),
        NumberField("fetcher.bodyBytesMax", \.fetcher.bodyBytesMax),
        NumberField("fetcher.listBytesMax", \.fetcher.listBytesMax),
        NumberField("fetcher.requestLimitMs", \.fetcher.requestLimitMs),
        NumberField("fetcher.listLimitMs", \.fetcher.listLimitMs),
        NumberField("fetcher.listAttemptsMax", \.fetcher.listAttemptsMax),
        NumberField("fetcher.redeliveryMs", \.fetcher.redeliveryMs),
        NumberField("fetcher.statusIntervalMs", \.fetcher.statusIntervalMs),
        NumberField("loop.readBytesMax", \.loop.readBytesMax),
        NumberField("loop.queueBytesMax", \.loop.queueBytesMax),
        NumberField("loop.commandCountMax", \.loop.commandCountMax),
    ]

    static let supervisor: [NumberField] = [
        NumberField("supervisor.batchNameCountMax", \.supervisor.batchNameCountMax),
        NumberField("supervisor.messageSharePercent", \.supervisor.messageSharePercent),
        NumberField("supervisor.answerLimitMs", ms: \.supervisor.answerLimitMs),
        NumberField("supervisor.dialLimitMs", ms: \.supervisor.dialLimitMs),
        NumberField("supervisor.provenAfterMs", ms: \.supervisor.provenAfterMs),
        NumberField("supervisor.deliveredAfterMs", ms: \.supervisor.deliveredAfterMs),
        NumberField("supervisor.backoffFirstMs", ms: \.supervisor.backoffFirstMs),
        NumberField("supervisor.backoffMaxMs", ms: \.supervisor.backoffMaxMs),
        NumberField("supervisor.refusedWaitMs", ms: \.supervisor.refusedWaitMs),
        NumberField("supervisor.refusedWaitMaxMs", ms: \.supervisor.refusedWaitMaxMs),
        NumberField("supervisor.attemptsPerFiveMinutesMax", \.supervisor.attemptsPerFiveMinutesMax),
        NumberField("supervisor.renewalMarginMs", ms: \.supervisor.renewalMarginMs),
        NumberField("supervisor.renewalJitterMs", ms: \.supervisor.renewalJitterMs),
        NumberField("supervisor.overlapMs", ms: \.supervisor.overlapMs),
        NumberField("supervisor.coalesceMs", ms: \.supervisor.coalesceMs),
        NumberField("supervisor.lostAfterCount", \.supervisor.lostAfterCount),
        NumberField("supervisor.lostWithinMs", ms: \.supervisor.lostWithinMs),
        NumberField("supervisor.lostSharePercent", \.supervisor.lostSharePercent),
        NumberField("supervisor.seed") { $0.supervisor.seed = UInt64(bitPattern: $1) },
        NumberField("supervisor.terms.pingIntervalMs", \.supervisor.terms.pingIntervalMs),
        NumberField("supervisor.terms.pongDeadlineMs", \.supervisor.terms.pongDeadlineMs),
        NumberField("supervisor.terms.messagesPerSecondMax", \.supervisor.terms.messagesPerSecondMax),
        NumberField("supervisor.terms.streamCountMax", \.supervisor.terms.streamCountMax),
        NumberField("supervisor.terms.lifeMs", \.supervisor.terms.lifeMs),
        NumberField("supervisor.terms.attemptsPerFiveMinutesMax") {
            $0.supervisor.terms.attemptsPerFiveMinutesMax = Int($1)
        },
    ]

    static let planners: [NumberField] = [
        planner("weightPerMinute") { $0.weightPerMinute = Int($1) },
        planner("weightHeadroom") { $0.weightHeadroom = Int($1) },
        planner("urgentReserve") { $0.urgentReserve = Int($1) },
        planner("inFlightMax") { $0.inFlightMax = Int($1) }, planner("queueMax") { $0.queueMax = Int($1) },
        planner("answerTimeoutMs") { $0.answerTimeoutMs = $1 },
        planner("minuteGuardMs") { $0.minuteGuardMs = $1 },
        planner("backoffFirstMs") { $0.backoffFirstMs = $1 },
        planner("snapshotLagMs") { $0.snapshotLagMs = $1 },
        planner("announcedMax") { $0.announcedMax = Int($1) },
        planner("backoffMaxMs") { $0.backoffMaxMs = $1 },
        planner("limitedWaitMs") { $0.limitedWaitMs = $1 },
        planner("bannedWaitMs") { $0.bannedWaitMs = $1 },
        planner("blockedWaitMs") { $0.blockedWaitMs = $1 },
        planner("blockedWaitMaxMs") { $0.blockedWaitMaxMs = $1 },
        planner("lateAfterMs") { $0.lateAfterMs = $1 }, planner("lateMax") { $0.lateMax = Int($1) },
        planner("carefulInFlightMax") { $0.carefulInFlightMax = Int($1) },
        planner("outageFailureCount") { $0.outageFailureCount = Int($1) },
        planner("seed") { $0.seed = UInt64(bitPattern: $1) },
    ]
}

/// A configuration that once ended the process, or switched something off without a word.
struct WrongCase: Sendable, CustomStringConvertible {
    var description: String
    var market = Market.spot
    /// The field that is named; nil if it is legal.
    var field: String?
    var change: @Sendable (inout ServiceConfiguration) -> Void

    static let all: [WrongCase] = [
        WrongCase(description: "two symbols with one name of their streams", field: "symbols") {
            $0.symbols = [SymbolName("BTCUSDT"), SymbolName("ETHUSDT"), SymbolName("btcUSDT")]
        },
        WrongCase(description: "one symbol twice", field: nil) { $0.symbols += $0.symbols },
        WrongCase(description: "symbols that look the same", field: nil) {
            $0.symbols = [SymbolName("CAF\u{c9}"), SymbolName("CAFE\u{301}")]
        },
        WrongCase(description: "silence for ever", field: nil) { $0.silenceMs = .max },
        WrongCase(description: "audits never", field: nil) { $0.auditEveryMs = .max },
        WrongCase(description: "depth without end", field: "depth") { $0.depth = .max },
        WrongCase(description: "250 ms on spot", field: "streams.depthInterval") {
            $0.streams.depthInterval = .ms250
        },
        WrongCase(description: "1000 ms on futures", market: .usdm, field: "streams.depthInterval") {
            $0.streams.depthInterval = .ms1000
        },
        WrongCase(description: "15 partial levels", field: "streams.partialLevelCount") {
            $0.streams.partialLevelCount = 15
        },
        WrongCase(description: "partial depths on raw messages", field: "isCombined") {
            $0.streams.partialLevelCount = 5
            $0.isCombined = false
        },
        WrongCase(description: "ticks before now", field: "tickIntervalMs") { $0.tickIntervalMs = -1 },
        WrongCase(description: "requests without names", field: "supervisor.batchNameCountMax") {
            $0.supervisor.batchNameCountMax = 0
        },
        WrongCase(description: "answers at any time", field: nil) { $0.supervisor.answerLimitMs = .max },
        WrongCase(description: "overlap for ever", field: nil) { $0.supervisor.overlapMs = .max },
        WrongCase(description: "one level", field: nil) { $0.depth = 1 },
    ]
}

@Suite struct WrongConfigurationTests {
    /// Starts and stops, or names the field.
    private static func start(
        _ configuration: ServiceConfiguration, _ field: String, _ report: Report, mustFail: Bool? = nil
    ) {
        do throws(ServiceError) {
            let service = try BookService(configuration)
            report.expect(mustFail != true, "\(field) was taken")
            usleep(20_000)
            _ = service.stop()
        } catch {
            guard case .configuration(let wrong) = error else { return report.fail("\(field): \(error)") }
            report.expect(mustFail != false, "\(error)")
            report.expect(wrong.field.hasPrefix(field), "\(field): \(error)")
            report.expect(!wrong.value.isEmpty && !wrong.legal.isEmpty, "\(wrong)")
        }
    }

    private static func configuration(_ market: Market) -> ServiceConfiguration {
        let endpoints = Endpoints(
            market: market, streamBase: "ws://127.0.0.1:1", restBase: "http://127.0.0.1:1")
        var configuration = ServiceConfiguration(endpoints: endpoints, symbols: names(market, 3))
        configuration.idle = .park
        configuration.ringBytes = 1 << 16
        return configuration
    }

    @Test(arguments: WrongCase.all) func whatOnceTrapped(_ wrong: WrongCase) async {
        await onOwnThread("wrong: \(wrong)") { report in
            var configuration = WrongConfigurationTests.configuration(wrong.market)
            wrong.change(&configuration)
            WrongConfigurationTests.start(
                configuration, wrong.field ?? "", report, mustFail: wrong.field != nil)
        }
    }

    @Test(arguments: NumberField.service + NumberField.supervisor + NumberField.planners)
    func everyNumber(_ field: NumberField) async {
        await onOwnThread("number: \(field)") { report in
            for value in [0, -1, .max, .min, 1] as [Int64] {
                var configuration = WrongConfigurationTests.configuration(.spot)
                field.set(&configuration, value)
                // A field may be at odds with the one that limits it.
                let owner = "\(field)".split(separator: ".").dropLast().prefix { $0 != "terms" }
                WrongConfigurationTests.start(configuration, owner.joined(separator: "."), report)
            }
        }
    }

    /// What the engine gets of it is in range too.
    @Test func whatComesThrough() {
        var configuration = Self.configuration(.spot)
        configuration.silenceMs = .max
        configuration.auditEveryMs = .max
        configuration.lagMsMax = .max
        configuration.depth = 1
        let engine = configuration.engine
        #expect(engine.provenLevelCountMin == 1)
        for ns in [engine.auditEveryNs, engine.silenceNsMin, engine.firstEventNsMax, engine.lagNsMax] {
            #expect(ns == 1_000_000_000_000_000_000)
        }
        configuration.lagMsMax = 0
        configuration.auditEveryMs = 0
        #expect(configuration.engine.lagNsMax == 0 && configuration.engine.auditEveryNs == 0)
        configuration.lagMsMax = 5_000
        #expect(configuration.engine.lagNsMax == 5_000_000_000)
    }

    @Test func anErrorSaysAll() {
        var configuration = Self.configuration(.spot)
        configuration.supervisor.answerLimitMs = -7
        #expect(
            throws: ConfigurationError(field: "supervisor.answerLimitMs", value: "-7", legal: "1 or more")
        ) {
            try configuration.validate()
        }
        configuration = Self.configuration(.spot)
        configuration.depth = 0
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error.map { "\($0)" } == "depth is 0; legal is 1 … 5000")
    }
}
