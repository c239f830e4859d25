// Each fault of the simulated venue alone, and all of them together, through real sockets: while they strike
// no live book ever differs from the venue's, and when they end every book is whole again before long.

import BinanceVenue
import BookEngine
import DepthFeed
import Foundation
import LobTransport
import MarketData
import SimulatedExchange
import TestSupport
import Testing
import VenueSupport

@testable import BookService

@Suite struct FaultTests {
    /// When the faults have ended, every book is right within this time, if the machine has time for it.
    private static let recoveryMsMax = 15_000

    @Test func everyFaultHasItsCase() {
        #expect(Set(FaultCase.all.map(\.fault)) == Set(Fault.allCases.filter { !$0.isSubtle }))
        #expect(Set(FaultCase.all.map(\.market)) == Set(Market.allCases))
    }

    @Test(arguments: FaultCase.all) func booksStayTrueAndComeBack(_ fault: FaultCase) async {
        await onOwnThread("\(fault)") { report in
            try FaultTests.run(fault.setup, report) {
                // Both backends take their turns, and messages with and without the names of their streams.
                $0.socket.backends = fault.fault.rawValue % 2 == 0 ? [.native] : [.libwebsockets]
                $0.isCombined = fault.fault.rawValue % 3 != 0
                fault.adjust(&$0)
            } missing: { sight in
                var missing = fault.signs.filter { $0.count(sight) == 0 }.map(\.name)
                let strikes = fault.fault == .pause ? sight.pauseCount : sight.venue.strikes(fault.fault)
                if strikes == 0 { missing.append("the fault itself") }
                return missing
            }
        }
    }

    @Test(arguments: Market.allCases) func allFaultsTogether(_ market: Market) async {
        await onOwnThread("all faults, \(market.name)") { report in
            var plan = FaultPlan.all
            for fault in Fault.allCases {
                switch fault.opportunity {
                case .frame, .connectionSecond, .subscription: plan[fault] *= 5
                case .symbolSecond, .consumerSecond, .venueSecond: plan[fault] *= 10
                case .request: plan[fault] *= 2
                }
            }
            let tls = market == .spot ? TLSIdentity(CertificateFiles.shared.good) : nil
            let setup = VenueHost.Setup(
                market: market, symbols: names(market, 3), seed: 7, faults: plan, tls: tls)
            try FaultTests.run(setup, report) {
                $0.loop.authorityPath = tls == nil ? nil : CertificateFiles.shared.authority
            } missing: { sight in
                let struck = Fault.allCases.filter { sight.venue.strikes($0) > 0 }
                return struck.count >= 10 ? [] : ["ten kinds of faults, only \(struck)"]
            }
        }
    }

    /// - Parameter missing: what has not been seen yet; the faults go on until that is nothing.
    private static func run(
        _ setup: VenueHost.Setup, _ report: Report,
        adjust: (inout ServiceConfiguration) -> Void = { _ in }, missing: (Sight) -> [String]
    ) throws {
        let (symbols, seed) = (setup.symbols, setup.seed)
        let venue = try VenueHost(setup)
        defer { venue.stop() }
        var configuration = brisk(venue.endpoints, symbols)
        configuration.seed = seed
        adjust(&configuration)
        let diary = Diary()
        let service = try BookService(configuration) { diary.note($0) }
        let witness = Witness(venue)
        var sight = Sight(venue: venue, service: service, diary: diary)
        var pauses = Pauses()
        var lacking: [String] = []
        for turn in 0..<60 {
            witness.look(service, forMs: 500) {
                sight.pauseCount += pauses.pause(venue, service)
                let lastNs = symbols.map { service.view($0).receivedAtNs }.max() ?? 0
                let silenceMs = lastNs == 0 ? 0 : (LoopClock.realtimeNs - lastNs) / 1_000_000
                sight.silenceMsMax = max(sight.silenceMsMax, Int(silenceMs))
            }
            lacking = missing(sight)
            if turn >= 3 && lacking.isEmpty && witness.seen.equalCount > 20 { break }
        }
        report.expect(
            lacking.isEmpty,
            "seed \(seed): not seen: \(lacking), struck \(venue.counters.venue.struck)\n\(diary.tail)")
        venue.setFaults(.none)
        let recoveredMs = witness.settle(service, report, atMostMs: recoveryMsMax)
        let seen = witness.seen
        report.expect(seen.equalCount >= 3, "seed \(seed): too few comparisons: \(seen)")
        for symbol in symbols { expectNoFalseAlarm(service.status(symbol), seed, report) }
        let stopMs = report.time { _ = service.stop() }
        report.expect(stopMs < 5_000, "seed \(seed): stop took \(stopMs) ms")
        if ProcessInfo.processInfo.environment["LOB_CASE_TIMES"] != nil {
            print("  struck \(sight.venue.counters.venue.struck), right after \(recoveredMs) ms, \(seen)")
        }
    }
}

/// Stands on the book thread when the venue says that the consumer stands still: for as long as it says, and
/// until something found no room, however fast the machine is.
private struct Pauses {
    private var second: Int64 = 0
    private let isStanding = Switch()

    /// How often it stood still since the last call.
    mutating func pause(_ venue: VenueHost, _ service: BookService) -> Int {
        let (now, stallUs) = venue.ask { server in
            server.withVenue { venue in
                (venue.nowUs / 1_000_000, venue.consumerStallUs(inSecond: venue.nowUs / 1_000_000))
            }
        }
        if now == second || stallUs == 0 || isStanding.isOn { return 0 }
        second = now
        let waitUs = UInt32(Double(stallUs) / venue.setup.speed)
        let lostCount = service.lostCount
        isStanding.isOn = true
        let isTaken = service.ask(service.symbols[0]) { [isStanding] _, _ in
            usleep(waitUs)
            for _ in 0..<3000 where service.lostCount == lostCount { usleep(1000) }
            isStanding.isOn = false
        }
        if !isTaken { isStanding.isOn = false }
        return isTaken ? 1 : 0
    }
}

extension VenueCounters {
    /// What has struck, for people.
    var struck: String {
        Fault.allCases.filter { self[$0] > 0 }.map { "\($0) \(self[$0])" }.joined(separator: ", ")
    }
}

/// The venue is faulty, but what it says is never wrong. Snapshots are refuted with good reason here: where a
/// stream stands still for longer than a snapshot may lie ahead of it. Simulation in virtual time looks at
/// that.
func expectNoFalseAlarm(_ status: SymbolStatus, _ seed: UInt64, _ report: Report) {
    let c = status.counters
    report.expect(
        c.tickersAgreed == c.tickersCompared && c.partialsAgreed == c.partialsCompared
            && c.auditsAgreed == c.auditsCompared && c.crossings == 0,
        "seed \(seed): a false alarm: \(status)")
}
