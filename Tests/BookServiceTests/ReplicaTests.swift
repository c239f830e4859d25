// A replica of a running service on a thread of its own: late, over a tap, without a request to the venue.

import BookEngine
import DepthBook
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import BookService

@Suite struct ReplicaTests {
    @Test func aReplicaOfARunningService() async {
        await onOwnThread("replica") { report in
            let symbols = names(.spot, 3)
            let venue = try VenueHost(.init(symbols: symbols, speed: 20))
            defer { venue.stop() }
            let service = try BookService(brisk(venue.endpoints, symbols))
            Witness(venue).settle(service, report)
            report.expect(service.symbols(ofShard: 0) == symbols && service.shardCount == 1, "other shards")
            report.expect(service.symbols(ofShard: 1).isEmpty, "a shard too many")

            let ring = try FrameRing(capacityBytes: 1 << 22)
            let tap = FrameTap(ring.producer)
            var consumer = ring.consumer
            var replica = ReplicaEngine(service.configuration.engine)
            for symbol in symbols { replica.addSymbol(symbol) }
            report.expect(service.add(tap, toShard: 0), "the tap was not added")

            let answers = CommandQueue<ReplicaAnswer>(capacity: 4)
            let originals = CommandQueue<FullBook>(capacity: 1)
            var sought: FullBook?
            var equalCount = 0
            let since = Metronome.now
            while equalCount < 20 && Metronome.ms(since: since) < 60_000 {
                if replica.doWork(&consumer, limit: 1) == 0 { usleep(100) }
                if let question = replica.takeQuestion(),
                    !service.answer(question, byShard: 0, { _ = answers.post($0) })
                {
                    replica.receive(nil)
                }
                for answer in answers.take() { replica.receive(answer) }
                if sought == nil && service.copy(of: symbols[equalCount % 3], { _ = originals.post($0) }) {
                    // The replica stands still meanwhile, so that it comes by the id of the copy.
                    while sought == nil {
                        sought = originals.take().first
                        usleep(50)
                    }
                }
                guard let book = sought else { continue }
                let status = replica.engine.status(book.status.symbol)!
                if status.lastUpdateID > book.status.lastUpdateID || book.status.state != .live {
                    sought = nil
                } else if status.lastUpdateID == book.status.lastUpdateID && status.state == .live {
                    equalCount += 1
                    sought = nil
                    let isEqual = replica.engine.withBook(book.status.symbol) { isSame($0, book) } ?? false
                    report.expect(isEqual, "another book at \(status.lastUpdateID)")
                }
            }
            report.expect(equalCount == 20, "only \(equalCount) comparisons")
            report.expect(service.remove(tap, fromShard: 0), "the tap was not removed")
            _ = service.stop()
            report.expect(!service.add(tap, toShard: 0), "a tap was added to a service that has stopped")
        }
    }
}

/// Whether two books have the same digest as far as both are proven.
private func isSame(_ replica: borrowing OrderBook, _ original: FullBook) -> Bool {
    let known = { (levels: [PriceLevel], range: ProvenRange, side: Side) in
        levels.filter { range.reaches($0.price, on: side) }
    }
    let (bids, asks) = (original.status.provenBids, original.status.provenAsks)
    let (ownBids, ownAsks) = (replica.provenBids, replica.provenAsks)
    let other = BookDigest.digest(
        bids: known(known(original.bids, bids, .bid), ownBids, .bid),
        asks: known(known(original.asks, asks, .ask), ownAsks, .ask))
    let own = BookDigest.digest(
        bids: known(known(replica.levels(.bid), bids, .bid), ownBids, .bid),
        asks: known(known(replica.levels(.ask), asks, .ask), ownAsks, .ask))
    return own == other
}
