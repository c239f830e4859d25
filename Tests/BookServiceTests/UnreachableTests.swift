// A venue that is not there: no name, nobody at the port, no descriptor left.

import BinanceVenue
import Foundation
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite struct UnreachableTests {
    @Test func aNameWithoutAnAddress() async {
        await onOwnThread("no such host") { report in
            let symbols = names(.spot, 2)
            let endpoints = Endpoints(
                market: .spot, streamBase: "ws://no-such-host.invalid:1",
                restBase: "http://no-such-host.invalid:1")
            let diary = Diary()
            let service = try BookService(brisk(endpoints, symbols)) { diary.note($0) }
            report.wait("told", seen: { diary.tail }) {
                diary.has("connection 1: ended: cannot resolve no-such-host.invalid")
            }
            report.expect(!service.isLive, "live without a venue")
            usleep(500_000)
            // A backoff of a fifth of a second at most: no storm of look-ups.
            report.expect(diary.count("dialling") < 40, "\(diary.count("dialling")) attempts")
            let stopMs = report.time { _ = service.stop() }
            report.expect(stopMs < 2_000, "stop took \(stopMs) ms")
        }
    }

    @Test func refusedAndLaterThere() async {
        await onOwnThread("refused and later there") { report in
            let symbols = names(.usdm, 2)
            let venue = try VenueHost(.init(market: .usdm, symbols: symbols))
            defer { venue.stop() }
            let port = venue.port
            let streams = Meddler(isListening: false, upstream: { _ in port }, script: { _ in .none })
            defer { streams.stop() }
            let requests = Meddler(isListening: false, upstream: { _ in port }, script: { _ in .none })
            defer { requests.stop() }
            let endpoints = venue.endpoints(
                host: "127.0.0.1", streamPort: streams.port, restPort: requests.port)
            let diary = Diary()
            let service = try BookService(brisk(endpoints, symbols)) { diary.note($0) }
            report.wait("told", seen: { diary.tail }) {
                diary.has("connection to 127.0.0.1 refused") && diary.count("dialling") >= 3
            }
            streams.listen()
            report.wait("told of the requests", seen: { diary.tail }) {
                diary.has("snapshot of SIM0USDT: connection to 127.0.0.1 refused")
            }
            requests.listen()
            Witness(venue).settle(service, report)
            _ = service.stop()
        }
    }

    /// The venue goes away for a while and comes back, with every book on board.
    @Test func goneForAWhile() async {
        await onOwnThread("gone for a while") { report in
            let symbols = names(.coinm, 3)
            let venue = try VenueHost(.init(market: .coinm, symbols: symbols))
            defer { venue.stop() }
            let port = venue.port
            let isGone = Switch()
            let meddler = Meddler(upstream: { _ in port }, script: { _ in isGone.isOn ? .reset : .none })
            defer { meddler.stop() }
            let endpoints = venue.endpoints(
                host: "127.0.0.1", streamPort: meddler.port, restPort: meddler.port)
            let diary = Diary()
            let service = try BookService(brisk(endpoints, symbols)) { diary.note($0) }
            let witness = Witness(venue)
            witness.settle(service, report)
            isGone.isOn = true
            venue.cutAll()
            let resets = meddler.acceptedCount
            report.wait("tried again", seen: { diary.tail }) { meddler.acceptedCount > resets + 3 }
            report.wait("stale and disconnected", seen: { diary.tail }) {
                symbols.allSatisfy { symbol in
                    let view = service.view(symbol)
                    return view.state == .stale && view.reason == .disconnected
                }
            }
            isGone.isOn = false
            witness.settle(service, report)
            _ = service.stop()
        }
    }
}
