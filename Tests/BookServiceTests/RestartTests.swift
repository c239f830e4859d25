// A venue that begins its ids anew: another exchange on the same port, as after a testnet's reset. Books kept
// across the reconnect may by chance join the new streams by their ids; none of them may be called live.

import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite struct RestartTests {
    @Test(arguments: [1, 2, 3] as [UInt64]) func booksOfAnotherTimeAreNotBelieved(_ seed: UInt64) async {
        await onOwnThread("restart, seed \(seed)") { report in
            var setup = VenueHost.Setup(symbols: names(.spot, 10), seed: seed, speed: 4)
            let former = try VenueHost(setup)
            // What a restart leaves to the ids alone; audits would show a wrong book sooner or later.
            var configuration = brisk(former.endpoints, setup.symbols)
            configuration.auditEveryMs = 0
            let service = try BookService(configuration) { _ in }
            let before = Witness(former)
            _ = before.settle(service, report, atMostMs: 60_000)
            former.stop()
            report.wait("the loss is noticed") {
                setup.symbols.allSatisfy { service.view($0).state != .live }
            }
            (setup.seed, setup.port) = (seed + 2, former.port)
            let venue = try VenueHost(setup)
            defer { venue.stop() }
            let witness = Witness(venue)
            witness.look(service, forMs: 3_000)
            _ = witness.settle(service, report, atMostMs: 60_000)
            let difference = witness.seen.firstDifference
            report.expect(difference == nil, "seed \(seed): live and wrong: \(difference ?? "")")
            report.expect(witness.seen.equalCount > 20, "seed \(seed): \(witness.seen)")
            _ = service.stop()
        }
    }
}
