// Hostile peers: whatever the first connections meet, the service says what it was, and the books become
// right when the venue is to be reached again.

import BinanceVenue
import DepthFeed
import Foundation
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite struct HostileTests {
    @Test(arguments: HostileCase.streams) func streamsBecomeRight(_ hostile: HostileCase) async {
        await onOwnThread(hostile.name) { try HostileTests.run(hostile, $0) }
    }

    @Test(arguments: HostileCase.requests) func requestsBecomeRight(_ hostile: HostileCase) async {
        await onOwnThread(hostile.name) { try HostileTests.run(hostile, $0) }
    }

    private static func run(_ hostile: HostileCase, _ report: Report) throws {
        let symbols = names(.spot, 3)
        let venue = try VenueHost(.init(symbols: symbols, speed: hostile.speed))
        defer { venue.stop() }
        let meddler = Meddler(to: venue.port, first: hostile.count, hostile.sabotage)
        defer { meddler.stop() }
        let isStreams = hostile.backend == .streams
        let endpoints = venue.endpoints(
            host: "127.0.0.1", streamPort: isStreams ? meddler.port : venue.port,
            restPort: isStreams ? venue.port : meddler.port)
        var configuration = brisk(endpoints, symbols)
        hostile.adjust(&configuration)
        let diary = Diary()
        let service = try BookService(configuration) { diary.note($0) }
        let sight = Sight(venue: venue, service: service, diary: diary, meddler: meddler)
        let witness = Witness(venue)
        // All that is to be spoiled has been, and what came of it was told.
        report.wait(
            "spoiled and told '\(hostile.said)'",
            seen: { "\(meddler.acceptedCount) connections\n\(diary.tail)" }
        ) {
            witness.look(service)
            return meddler.acceptedCount >= hostile.count && (hostile.said.isEmpty || diary.has(hostile.said))
        }
        var missing: String?
        report.wait("seen", seen: { "\(missing ?? "")\n\(diary.tail)" }) {
            witness.look(service)
            missing = hostile.sign?(sight)
            return missing == nil
        }
        witness.settle(service, report)
        // What is spoiled for good is looked at for longer.
        if case .drip(_, everyUs: 0) = hostile.sabotage { witness.look(service, forMs: 1000) }
        witness.settle(service, report)
        for symbol in symbols { expectNoFalseAlarm(service.status(symbol), 1, report) }
        let stopMs = report.time { _ = service.stop() }
        report.expect(stopMs < 3_000, "stop took \(stopMs) ms")
    }
}
