// A live run against a venue in which everything goes wrong, recorded: the recording makes the same books,
// from its beginning and from every place in it where reading may begin.

import BinanceVenue
import BookRecording
import DepthBook
import Foundation
import LobRecording
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import BookService

@Suite struct RecordedRunTests {
    @Test(arguments: [Market.spot, .usdm]) func theRecordingMakesTheSameBooks(_ market: Market) async {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lob-run-\(UUID())").path
        await onOwnThread("recorded run, \(market.name)") { report in
            let symbols = names(market, 3)
            var plan = FaultPlan.all
            for fault in Fault.allCases where fault.opportunity != .request { plan[fault] *= 5 }
            let venue = try VenueHost(.init(market: market, symbols: symbols, seed: 3, faults: plan))
            defer { venue.stop() }
            let service = try BookService(brisk(venue.endpoints, symbols))
            var options = RecorderOptions(folder: folder)
            (options.baseEveryNs, options.baseFramesMin) = (400_000_000, 0)
            options.segmentEveryNs = 1_500_000_000
            let recorder = try BookRecorder(service, options)
            usleep(3_000_000)
            venue.setFaults(.none)
            Witness(venue).settle(service, report)
            let books = service.stop()
            let summary = recorder.stop()
            report.expect(summary.lostFrames == 0 && summary.segments > 1, "\(summary)")
            report.expect(summary.viewsAgreed == summary.viewsCompared, "\(summary)")
            report.expect(
                summary.viewsCompared > 0 && summary.digests > 0, "nothing was compared: \(summary)")

            let streams = try RecordedStream.all(at: folder)
            report.expect(streams.count == 1, "\(streams.count) streams")
            for stream in streams {
                let whole = try RecordingVerification(stream)
                report.expect(!whole.isDamaged, "\(whole.counters), \(whole.mismatches)")
                report.expect(
                    whole.counters.booksAdopted == 0 && whole.counters.digestsUnknown == 0, "adopted")
                report.expect(whole.counters.digestsCompared == summary.digests, "\(whole.counters)")
                for book in books {
                    let own = whole.symbols.first { $0.status.symbol == book.status.symbol }
                    report.expect(own?.digest == book.digest, "\(book.status.symbol): another book")
                    report.expect(own?.status.lastUpdateID == book.status.lastUpdateID, "another id")
                }
                var bases: [SegmentIndex.Entry] = []
                stream.forEachReader(unusable: { report.expect(false, "\($0)") }) { _, reader in
                    bases += reader.index.blocks.filter { $0.isBase && $0.sequence > 0 }
                }
                report.expect(bases.count > 2, "\(bases.count) bases")
                for base in bases {
                    let part = try RecordingVerification(stream, fromNs: base.firstAtNs)
                    report.expect(!part.isDamaged, "from \(base.firstAtNs): \(part.mismatches)")
                }
            }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}
