// Readers and askers on many threads while books move.

import BinanceVenue
import DepthBook
import Foundation
import LobTransport
import MarketData
import SimulatedExchange
import Synchronization
import Testing
import VenueSupport

@testable import BookService
@testable import ExchangeServer

@Suite struct ReaderTests {
    /// Views are whole and true on every thread that reads them: sorted, not crossed, never going back, and
    /// equal to the best levels of the venue's book at their id.
    @Test func views() async {
        await onOwnThread("readers") { report in
            let symbols = names(.spot, 3)
            let venue = try VenueHost(.init(symbols: symbols, speed: 40))
            defer { venue.stop() }
            let service = try BookService(brisk(venue.endpoints, symbols))
            Witness(venue).settle(service, report)
            let readCount = Atomic<Int>(0)
            let comparedCount = Atomic<Int>(0)
            onThreads(4) { number in
                let symbol = symbols[number % symbols.count]
                let reader = service.readers(of: symbol)!.views
                var last = UpdateID(0)
                let endNs = LoopClock.monotonicNs + 800_000_000
                let latestNs = endNs + 8_000_000_000
                while LoopClock.monotonicNs < endNs
                    || (comparedCount.load(ordering: .relaxed) <= 20 && LoopClock.monotonicNs < latestNs)
                {
                    var view = BookView()
                    guard case .new = reader.read(into: &view) else { continue }
                    readCount.add(1, ordering: .relaxed)
                    if let flaw = flaw(view, symbol) { report.fail(flaw) }
                    report.expect(
                        view.lastUpdateID >= last, "\(symbol) went back from \(last) to \(view.lastUpdateID)")
                    if view.lastUpdateID > last && view.state == .live {
                        let copy = view
                        _ = venue.post { server in
                            comparedCount.add(1, ordering: .relaxed)
                            if let difference = difference(copy, server) { report.fail(difference) }
                        }
                    }
                    last = view.lastUpdateID
                    usleep(50)
                }
            }
            let (reads, comparisons) = (
                readCount.load(ordering: .relaxed), comparedCount.load(ordering: .relaxed)
            )
            report.expect(reads > 1000 && comparisons > 20, "\(reads) reads, \(comparisons) comparisons")
            _ = service.stop()
        }
    }

    /// Every question that was taken is answered, once; what comes when too many wait is refused.
    @Test func questions() async {
        await onOwnThread("questions") { report in
            let symbols = names(.usdm, 4)
            let venue = try VenueHost(.init(market: .usdm, symbols: symbols))
            defer { venue.stop() }
            var configuration = brisk(venue.endpoints, symbols)
            configuration.shardCountMin = 2
            let service = try BookService(configuration)
            Witness(venue).settle(service, report)
            let taken = Atomic<Int>(0)
            let refused = Atomic<Int>(0)
            let answered = Atomic<Int>(0)
            let isEnding = Switch()
            let asking = Thread {
                onThreads(6) { number in
                    while !isEnding.isOn {
                        let symbol = symbols[number % symbols.count]
                        let isTaken =
                            number < 3
                            ? service.ask(symbol) { _, status in
                                if status.symbol == symbol { answered.add(1, ordering: .relaxed) }
                            }
                            : service.copy(of: symbol) { copy in
                                if copy.status.symbol == symbol { answered.add(1, ordering: .relaxed) }
                            }
                        if isTaken {
                            taken.add(1, ordering: .relaxed)
                        } else {
                            refused.add(1, ordering: .relaxed)
                            usleep(100)
                        }
                    }
                }
                // Nobody asks any more.
                answered.add(1, ordering: .releasing)
            }
            asking.start()
            usleep(500_000)
            report.expect(!service.ask(SymbolName("NOSUCHUSDT")) { _, _ in }, "a stranger was asked for")
            // The service ends while they ask.
            _ = service.stop()
            isEnding.isOn = true
            let count = { taken.load(ordering: .relaxed) }
            report.wait(
                "answered", atMostMs: 3000,
                seen: { "taken \(count()), answered \(answered.load(ordering: .relaxed) - 1)" }
            ) { answered.load(ordering: .acquiring) == count() + 1 }
            report.expect(count() > 100, "only \(count()) questions")
            report.expect(!service.ask(symbols[0]) { _, _ in }, "a question was taken after the end")
        }
    }

    /// The list of symbols comes once to everybody who asked for it, also when the service ends meanwhile.
    @Test(arguments: [false, true]) func lists(_ isLimited: Bool) async {
        await onOwnThread("lists of symbols, limited \(isLimited)") { report in
            let symbols = names(.spot, 2)
            let venue = try VenueHost(.init(symbols: symbols))
            defer { venue.stop() }
            let limit = Sabotage.answer(httpAnswer("429 No", ["Retry-After: 60"]))
            let requests = Meddler(to: venue.port, first: isLimited ? .max : 0, limit)
            defer { requests.stop() }
            let endpoints = venue.endpoints(
                host: "127.0.0.1", streamPort: venue.port, restPort: requests.port)
            let service = try BookService(brisk(endpoints, symbols))
            let answers = Locked<[Int: [String]]>([:])
            for number in 0..<5 {
                let isTaken = service.fetchExchangeInfo { result in
                    let text =
                        switch result {
                        case .success(let info): "\(info.symbols.map(\.symbol))"
                        case .failure(let error): "\(error)"
                        }
                    answers.withLock { $0[number, default: []].append(text) }
                }
                report.expect(isTaken, "not taken")
            }
            if isLimited {
                usleep(200_000)
            } else {
                report.wait("read") { answers.withLock { $0.count == 5 } }
            }
            _ = service.stop()
            let expected = isLimited ? "stopped" : "\(symbols)"
            let seen = answers.withLock { $0 }
            report.expect(
                seen.count == 5 && seen.values.allSatisfy { $0 == [expected] }, "\(seen)")
            report.expect(!service.fetchExchangeInfo { _ in }, "taken after the end")
        }
    }
}

/// What is wrong with a view by itself.
private func flaw(_ view: BookView, _ symbol: SymbolName) -> String? {
    if view.symbol != symbol { return "a view of \(view.symbol) instead of \(symbol)" }
    for rank in 1..<max(Int(view.bidCount), 1) where view.bids[rank].price >= view.bids[rank - 1].price {
        return "\(symbol): bids are not sorted"
    }
    for rank in 1..<max(Int(view.askCount), 1) where view.asks[rank].price <= view.asks[rank - 1].price {
        return "\(symbol): asks are not sorted"
    }
    if view.bidCount > 0 && view.askCount > 0 && view.bids[0].price >= view.asks[0].price {
        return "\(symbol): crossed"
    }
    return nil
}

/// What a view shows otherwise than the venue's book at its id. Thread: the venue's.
private func difference(_ view: BookView, _ server: ExchangeServer) -> String? {
    let found = server.withVenue { venue in
        venue.withTruth(of: view.symbol, at: view.lastUpdateID) { truth -> String? in
            let factors = truth.factors(to: view.scales)!
            for side in Side.allCases {
                for rank in 0..<Int(side == .bid ? view.bidCount : view.askCount) {
                    let level = truth[side].level(rank: rank)
                    let wanted = PriceLevel(
                        level.price.mantissa * factors.price, level.quantity.mantissa * factors.quantity)
                    let shown = side == .bid ? view.bids[rank] : view.asks[rank]
                    if shown != wanted {
                        return "\(side) rank \(rank) shows \(shown), the venue has \(wanted)"
                    }
                }
            }
            return nil
        }
    }
    guard let found else { return "\(view.symbol): an id the venue does not know" }
    return found.map { "\(view.symbol) at \(view.lastUpdateID): \($0)" }
}
