import BookEngine
import DepthBook
import LobRecording
import MarketData
import Testing

@testable import BookRecording

@Suite struct CodingTests {
    private static func image(_ provenBids: ProvenRange, _ scales: SymbolScales?) -> ServedImage {
        let isEmpty = scales == nil
        return ServedImage(
            symbol: "BTCUSDT",
            book: BookImage(
                lastUpdateID: UpdateID(.max), eventTimeUs: -5, scales: scales, provenBids: provenBids,
                provenAsks: .to(Price(12_345)),
                bids: isEmpty ? [] : [PriceLevel(900, .max), PriceLevel(100, 1), PriceLevel(0, 7)],
                asks: isEmpty ? [] : [PriceLevel(901, 3), PriceLevel(Price.mantissaMax, 9)],
                bidCountBound: 77, askCountBound: 0),
            source: 65_535, isHandedOver: true)
    }

    @Test func booksAreReadAsTheyWereWritten() {
        let scales = SymbolScales(priceDecimals: 18, quantityDecimals: 0)
        for image in [
            CodingTests.image(.nothing, scales), CodingTests.image(.to(Price(-1)), scales),
            CodingTests.image(.unbounded, nil),
        ] {
            let bytes = image.bytes
            #expect(ServedImage(bytes) == image)
            for count in bytes.indices { #expect(ServedImage(Array(bytes.prefix(count))) == nil, "\(count)") }
        }
    }

    /// Bytes that say a book that cannot be, or another one, or nothing; none traps.
    @Test func damagedBooks() {
        let good = CodingTests.image(.unbounded, SymbolScales(priceDecimals: 2, quantityDecimals: 3))
        let bytes = good.bytes
        var refused = 0
        for place in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[place] ^= 1 << UInt8(bit)
                guard let read = ServedImage(flipped) else {
                    refused += 1
                    continue
                }
                #expect(read.book.isPossible && (read != good || read.bytes == bytes))
            }
        }
        #expect(refused > 50)
    }

    @Test func digestsAndConnections() {
        var digests = BookDigests()
        digests.entries = [
            .init(symbol: 0, lastUpdateID: UpdateID(5), digest: .max),
            .init(symbol: .max, lastUpdateID: UpdateID(.min), digest: 1),
        ]
        #expect(BookDigests(digests.bytes) == digests)
        for count in digests.bytes.indices { #expect(BookDigests(Array(digests.bytes.prefix(count))) == nil) }
        #expect(ConnectionList.sources(ConnectionList.bytes([3, 1])) == [3, 1])
        #expect(ConnectionList.sources([2, 0, 1]) == nil && ConnectionList.sources([]) == nil)
    }

    /// Every number of a configuration that an engine is told survives, absurd ones are bounded.
    @Test func terms() {
        var configuration = Traffic.configuration
        configuration.levelCountMax = 1234
        configuration.lagNsMax = 5
        let terms = RecordingTerms(market: .spot, symbols: Traffic.symbols, configuration)
        let read = RecordingTerms(terms.bytes)
        #expect(read == terms && read?.symbolNames == Traffic.symbols && read?.knownMarket == .spot)
        #expect(read?.engine?.levelCountMax == 1234 && read?.engine?.lagNsMax == 5)
        #expect(read?.engine?.requestsAreAnnounced == true && read?.engine?.auditEveryNs == 2_000_000_000)
        var absurd = terms
        absurd.numbers["levelCountMax"] = .max
        absurd.numbers["bufferBytesMax"] = .min
        #expect(absurd.engine?.levelCountMax == 1 << 30 && absurd.engine?.bufferBytesMax == 0)
        absurd.market = "moon"
        #expect(absurd.engine == nil)
    }
}
