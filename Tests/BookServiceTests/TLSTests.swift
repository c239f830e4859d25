// TLS along the whole chain: books come over it, a certificate that is wrong is refused by name and reason,
// and they come when it is right.

import BinanceVenue
import Foundation
import LobTransport
import MarketData
import TestSupport
import Testing
import VenueSupport

@testable import BookService

extension TLSIdentity {
    init(_ pair: CertificateFiles.Pair) { self.init(certificatePath: pair.certificate, keyPath: pair.key) }
}

/// A certificate that must be refused.
struct WrongCertificate: Sendable, CustomStringConvertible {
    var description: String
    var identity: TLSIdentity
    var said: String

    static let all: [WrongCertificate] = {
        let files = CertificateFiles.shared
        return [
            WrongCertificate(
                description: "of another host", identity: TLSIdentity(files.otherHost),
                said: "certificate of localhost refused: hostname mismatch"),
            WrongCertificate(
                description: "expired", identity: TLSIdentity(files.expired),
                said: "certificate of localhost refused: certificate has expired"),
            WrongCertificate(
                description: "signed by nobody", identity: TLSIdentity(files.selfSigned),
                said: "certificate of localhost refused: self-signed certificate"),
        ]
    }()
}

@Suite struct TLSTests {
    @Test(arguments: Market.allCases) func booksComeOverTLS(_ market: Market) async {
        await onOwnThread("TLS, \(market.name)") { report in
            let symbols = names(market, 3)
            let venue = try VenueHost(
                .init(market: market, symbols: symbols, tls: TLSIdentity(CertificateFiles.shared.good)))
            defer { venue.stop() }
            var configuration = brisk(
                venue.endpoints(host: "localhost", streamPort: venue.port, restPort: venue.port), symbols)
            configuration.loop.authorityPath = CertificateFiles.shared.authority
            let service = try BookService(configuration)
            let witness = Witness(venue)
            witness.settle(service, report)
            witness.look(service, forMs: 500)
            venue.cutAll()
            witness.settle(service, report)
            let stopMs = report.time { _ = service.stop() }
            report.expect(stopMs < 3_000, "stop took \(stopMs) ms")
        }
    }

    /// The first connections, for streams and for requests, meet the wrong certificate.
    @Test(arguments: WrongCertificate.all) func wrongCertificateIsRefused(_ wrong: WrongCertificate) async {
        await onOwnThread("certificate \(wrong)") { report in
            let symbols = names(.spot, 2)
            let impostor = try VenueHost(.init(symbols: symbols, tls: wrong.identity))
            defer { impostor.stop() }
            let venue = try VenueHost(
                .init(symbols: symbols, tls: TLSIdentity(CertificateFiles.shared.good)))
            defer { venue.stop() }
            let (wrongPort, rightPort) = (impostor.port, venue.port)
            let streams = Meddler(upstream: { $0 < 3 ? wrongPort : rightPort }, script: { _ in .none })
            defer { streams.stop() }
            let requests = Meddler(upstream: { $0 < 3 ? wrongPort : rightPort }, script: { _ in .none })
            defer { requests.stop() }
            var configuration = brisk(
                venue.endpoints(host: "localhost", streamPort: streams.port, restPort: requests.port), symbols
            )
            configuration.loop.authorityPath = CertificateFiles.shared.authority
            let diary = Diary()
            let service = try BookService(configuration) { diary.note($0) }
            let witness = Witness(venue)
            witness.settle(service, report)
            report.expect(
                diary.has("ended: \(wrong.said)"), "the stream's refusal is not told:\n\(diary.tail)")
            report.expect(
                diary.has("snapshot of SIM0USDT: \(wrong.said)"),
                "the request's is not told:\n\(diary.tail)")
            let counters = impostor.counters
            report.expect(
                counters.connectedCount == 0 && counters.requestCount == 0,
                "the impostor was believed: \(counters)")
            _ = service.stop()
        }
    }

    /// Services that start at the same moment do not get into each other's handshakes.
    @Test func manyAtOnce() async {
        await onOwnThread("many TLS services at once") { report in
            let symbols = names(.spot, 2)
            let venue = try VenueHost(
                .init(symbols: symbols, tls: TLSIdentity(CertificateFiles.shared.good)))
            defer { venue.stop() }
            var configuration = brisk(
                venue.endpoints(host: "localhost", streamPort: venue.port, restPort: venue.port), symbols)
            configuration.loop.authorityPath = CertificateFiles.shared.authority
            configuration.shardCountMin = 2
            onThreads(4) { [configuration] number in
                let diary = Diary()
                do throws(ServiceError) {
                    let service = try BookService(configuration) { diary.note($0) }
                    Witness(venue).settle(service, report)
                    _ = service.stop()
                } catch {
                    report.fail("service \(number): \(error)")
                }
                report.expect(!diary.has("refused") && !diary.has("TLS failed"), diary.tail)
            }
        }
    }

    /// TLS that begins and never ends.
    @Test func handshakeThatHangs() async {
        await onOwnThread("TLS handshake that hangs") { report in
            let symbols = names(.spot, 2)
            let venue = try VenueHost(
                .init(symbols: symbols, tls: TLSIdentity(CertificateFiles.shared.good)))
            defer { venue.stop() }
            let streams = Meddler(to: venue.port, first: 1, .vanish(afterBytes: 200))
            defer { streams.stop() }
            let requests = Meddler(to: venue.port, first: 1, .drip(fromByte: 0, everyUs: 20_000))
            defer { requests.stop() }
            var configuration = brisk(
                venue.endpoints(host: "localhost", streamPort: streams.port, restPort: requests.port), symbols
            )
            configuration.loop.authorityPath = CertificateFiles.shared.authority
            configuration.socket.openLimitMs = 500
            configuration.fetcher.requestLimitMs = 500
            let diary = Diary()
            let service = try BookService(configuration) { diary.note($0) }
            Witness(venue).settle(service, report)
            report.expect(
                diary.has("ended: not open after 500 ms") && diary.has(": not open after 500 ms, again"),
                diary.tail)
            _ = service.stop()
        }
    }
}
