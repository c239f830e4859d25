// The face, as a program of others would use it, against an exchange behind sockets.

import Foundation
import LocalOrderBook
import Synchronization
import Testing
import VenueSupport

@Suite struct FaceTests {
    private static let symbols: [SymbolName] = ["SIM0USDT", "SIM1USDT"]

    private static func withVenue<R>(_ body: (BookVenue) async throws -> R) async throws -> R {
        let host = try VenueHost(.init(symbols: symbols, speed: 40))
        defer { host.stop() }
        let address = "127.0.0.1:\(host.port)"
        return try await body(.binance(.spot, streams: "ws://\(address)", rest: "http://\(address)"))
    }

    private static func calm(_ configuration: inout ServiceConfiguration) {
        configuration.idle = .park
        configuration.tickInterval = .milliseconds(25)
    }

    @Test(.timeLimit(.minutes(10))) func viewsComeWhileTheyAreAwaited() async throws {
        try await Self.withVenue { venue in
            var lines: [String] = []
            var ids: [UpdateID] = []
            var last: BookView?
            try await withBooks(of: Self.symbols, on: venue, configure: Self.calm) { books in
                #expect(books.symbols == Self.symbols)
                for await view in books["SIM0USDT"].views where view.isLive {
                    lines.append("\(view.bid) \(view.ask) \(view.spread) at \(view.updateID)")
                    ids.append(view.updateID)
                    #expect(last.map(view.showsSame(as:)) != true, "\(view.updateID) came twice")
                    last = view
                    if lines.count == 20 { break }
                }
                let top = books["SIM1USDT"].tops.latest
                #expect(top.isLive == (top.state == .live))
            }
            print("FaceTests: \(lines.last ?? "nothing")")
            #expect(ids.count == 20 && ids == ids.sorted())
            let shape = #/\d+\.\d+ \d+\.\d+ \d+\.\d+ at \d+/#
            #expect(lines.allSatisfy { $0.wholeMatch(of: shape) != nil }, "\(lines)")
        }
    }

    /// A thread that waits for the best bid and ask, beside several tasks that wait for views.
    @Test(.timeLimit(.minutes(10))) func threadsAndTasksWaitBesideEachOther() async throws {
        try await Self.withVenue { venue in
            try await withBooks(of: Self.symbols, on: venue, configure: Self.calm) { books in
                let topCount = await withTaskGroup(of: Int.self) { group in
                    for number in 0..<6 {
                        let symbol = Self.symbols[number % 2]
                        group.addTask {
                            var count = 0
                            for await view in books[symbol].views where view.isLive {
                                count += 1
                                if count == 10 { break }
                            }
                            return count
                        }
                    }
                    group.addTask {
                        await onThread {
                            var waiter = books["SIM0USDT"].tops.waiter()
                            var count = 0
                            while count < 10, let top = waiter.next() {
                                if top.isLive && top.bestBid != nil { count += 1 }
                            }
                            return count
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(topCount == Array(repeating: 10, count: 7))
                var view = BookView()
                var top = TopOfBook()
                var (seen, missed) = (0, 0)
                while seen < 20 && missed < 100_000 {
                    let readers = books.service.readers(of: "SIM0USDT")!
                    let reading = readers.views.read(into: &view)
                    if readers.tops.read(into: &top) == reading {
                        #expect(top == TopOfBook(view))
                        seen += 1
                    } else {
                        missed += 1
                    }
                }
                #expect(seen == 20)
            }
        }
    }

    /// What a body throws comes out when the service has ended.
    @Test(.timeLimit(.minutes(10))) func aThrowStopsTheService() async throws {
        struct Enough: Error {}
        try await Self.withVenue { venue in
            let kept = Mutex<LiveBooks?>(nil)
            await #expect(throws: Enough.self) {
                try await withBooks(of: Self.symbols, on: venue, configure: Self.calm) { books in
                    kept.withLock { $0 = books }
                    throw Enough()
                }
            }
            let books = try #require(kept.withLock { $0 })
            #expect(!books.service.ask("SIM0USDT") { _, _ in })
            for await _ in books["SIM0USDT"].views {}
            var waiter = books["SIM0USDT"].tops.waiter()
            while waiter.next() != nil {}
        }
    }

    /// Cancellation ends loops and waits, and the service before `withBooks` returns.
    @Test(.timeLimit(.minutes(10)), arguments: [false, true])
    func cancellationStops(_ blocks: Bool) async throws {
        try await Self.withVenue { venue in
            let isWaiting = Switch()
            let task = Task {
                try await withBooks(of: Self.symbols, on: venue, configure: Self.calm) { books in
                    if blocks {
                        _ = await onThread {
                            var waiter = books["SIM0USDT"].views.waiter()
                            isWaiting.isOn = true
                            while waiter.next() != nil {}
                            return 0
                        }
                    } else {
                        isWaiting.isOn = true
                        for await _ in books["SIM0USDT"].views {}
                    }
                    return books
                }
            }
            while !isWaiting.isOn { try await Task.sleep(for: .milliseconds(1)) }
            task.cancel()
            let books = try await task.value
            #expect(!books.service.ask("SIM0USDT") { _, _ in })
        }
    }

    @Test func badConfigurationThrows() async {
        let nowhere = BookVenue.binance(.spot, streams: "ws://127.0.0.1:1", rest: "http://127.0.0.1:1")
        await #expect(throws: ServiceError.noSymbols) {
            try await withBooks(of: [], on: nowhere) { _ in }
        }
        let error = await #expect(throws: ServiceError.self) {
            try await withBooks(
                of: ["BTCUSDT"], on: nowhere, configure: { $0.auditEvery = .seconds(-1) }, { _ in })
        }
        guard case .configuration? = error else {
            Issue.record("\(error.map { "\($0)" } ?? "nothing")")
            return
        }
        let wrong = BookVenue.binance(.spot, streams: "no address", rest: "none")
        await #expect(throws: ServiceError.self) {
            try await withBooks(of: ["BTCUSDT"], on: wrong) { _ in }
        }
    }

    @Test func whatIsNotKnownPrintsAsAQuestionMark() {
        let view = BookView()
        #expect("\(view.bid) \(view.ask) \(view.spread)" == "? ? ?")
        #expect(view.spread.double == nil)
        #expect("\(TopOfBook().bid) \(TopOfBook().ask) \(TopOfBook().spread)" == "? ? ?")
    }

    @Test func numbersPrintWithTheirDecimals() {
        var view = BookView()
        view.scales = SymbolScales(priceDecimals: 2, quantityDecimals: 3)
        view.bids[0] = PriceLevel(6_180_340, 5)
        view.asks[0] = PriceLevel(6_180_350, 6)
        (view.bidCount, view.askCount) = (1, 1)
        (view.provenBids, view.provenAsks) = (.unbounded, .unbounded)
        #expect("\(view.bid) \(view.ask) \(view.spread)" == "61803.40 61803.50 0.10")
        let top = TopOfBook(view)
        #expect([top.bid, top.ask, top.spread] == [view.bid, view.ask, view.spread])
        #expect(view.ask.double == 61803.5)
    }

    @Test func timesAreDurations() {
        var configuration = ServiceConfiguration(
            endpoints: BookVenue.binanceSpot.endpoints, symbols: ["BTCUSDT"])
        #expect(configuration.auditEvery == .seconds(600))
        configuration.auditEvery = .microseconds(1500)
        #expect(configuration.auditEveryMs == 2)
        configuration.lagMax = .seconds(Int64.max)
        #expect(configuration.lagMsMax == TimeLimit.longestMs)
        configuration.silence = .seconds(-1)
        #expect(configuration.silenceMs == -1000)
        configuration.tickInterval = .milliseconds(7)
        #expect(configuration.tickIntervalMs == 7)
    }

    @Test func venuesAreValues() {
        #expect(BookVenue.binanceSpot.endpoints == Endpoints(market: .spot))
        #expect(BookVenue.binanceUSDM.endpoints == Endpoints(market: .usdm))
        #expect(BookVenue.binanceCOINM.endpoints == Endpoints(market: .coinm))
    }
}

/// Runs a body that blocks on a thread of its own.
private func onThread(_ body: @escaping @Sendable () -> Int) async -> Int {
    await withCheckedContinuation { done in
        Thread { done.resume(returning: body()) }.start()
    }
}
