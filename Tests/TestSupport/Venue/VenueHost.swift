// A simulated venue behind real sockets, on a thread of its own, and the truth it holds.

import BinanceServing
import BinanceVenue
import ExchangeServer
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange

/// A venue that runs until it is stopped.
package final class VenueHost: Sendable {
    /// What a venue is made of.
    package struct Setup: Sendable {
        package var market: Market
        package var symbols: [SymbolName]
        package var seed: UInt64
        package var speed: Double
        package var faults: FaultPlan
        package var tls: TLSIdentity?
        package var levelCount: Int
        package var errorShape: ErrorShape
        /// 0: a free one.
        package var port: Int

        package init(
            market: Market = .spot, symbols: [SymbolName] = [], seed: UInt64 = 1, speed: Double = 20,
            faults: FaultPlan = .none, tls: TLSIdentity? = nil, levelCount: Int = 400,
            errorShape: ErrorShape = .flat, port: Int = 0
        ) {
            (self.market, self.symbols, self.seed, self.speed) = (market, symbols, seed, speed)
            (self.faults, self.tls, self.levelCount) = (faults, tls, levelCount)
            (self.errorShape, self.port) = (errorShape, port)
        }
    }

    /// The exchange, touched on its loop's thread only.
    private final class Confined: @unchecked Sendable {
        let server: ExchangeServer
        init(_ server: ExchangeServer) { self.server = server }
    }

    private struct Export: Sendable {
        var port: Int
        var loop: LoopHandle
        var confined: Confined
    }

    package let setup: Setup
    private let thread: LoopThread<Export>
    private let stopping = StopFlag()

    package init(_ setup: Setup) throws {
        self.setup = setup
        var configuration = VenueConfiguration(
            market: setup.market,
            symbols: setup.symbols.map { VenueSymbol($0, traffic(setup.market, setup.levelCount)) },
            seed: setup.seed)
        configuration = ExchangeServer.live(configuration)
        configuration.startUs = LoopClock.realtimeNs / 1000
        configuration.faults = setup.faults
        configuration.errorShape = setup.errorShape
        // Ten minutes of its own time: longer than any book stands still in these tests.
        configuration.historyUs = 600_000_000
        var options = ExchangeServer.Options()
        options.speed = setup.speed
        options.tls = setup.tls
        options.port = setup.port
        thread = try LoopThread("venue") { [configuration, options, stopping] loop throws(TransportError) in
            let server = try ExchangeServer(configuration, on: loop, options: options)
            return LoopThread.Resident(
                remote: Export(port: server.port, loop: loop.remote, confined: Confined(server)),
                isOver: { stopping.isRaised })
        }
    }

    package var port: Int { thread.remote.port }

    /// Where it is.
    package var endpoints: Endpoints { endpoints(host: "127.0.0.1", streamPort: port, restPort: port) }

    /// Where it is to be found by another name, or behind somebody else.
    package func endpoints(host: String, streamPort: Int, restPort: Int) -> Endpoints {
        let letter = setup.tls == nil ? "" : "s"
        return Endpoints(
            market: setup.market, streamBase: "ws\(letter)://\(host):\(streamPort)",
            restBase: "http\(letter)://\(host):\(restPort)")
    }

    /// Hands something to the venue's thread; false if that has too much to do.
    package func post(_ body: @escaping @Sendable (ExchangeServer) -> Void) -> Bool {
        let confined = thread.remote.confined
        return thread.remote.loop.post { _ in body(confined.server) }
    }

    /// Asks the venue's thread and waits for the answer.
    package func ask<R: Sendable>(_ body: @escaping @Sendable (ExchangeServer) -> R) -> R {
        let answers = CommandQueue<R>(capacity: 1)
        let news = Signal()
        while true {
            let isTaken = post { server in
                _ = answers.post(body(server))
                news.notify()
            }
            if isTaken { break }
            usleep(1000)
        }
        while true {
            let ticket = news.ticket
            if let answer = answers.take().first { return answer }
            news.wait(since: ticket, timeoutNs: 1_000_000_000)
        }
    }

    /// What goes wrong from now on.
    package func setFaults(_ plan: FaultPlan) { ask { $0.faults = plan } }

    /// How often a fault has struck.
    package func strikes(_ fault: Fault) -> Int { counters.venue[fault] }

    package var counters: ExchangeCounters { ask(\.counters) }

    /// Ids of the last updates shown.
    package var shownIDs: [SymbolName: UpdateID] {
        let symbols = setup.symbols
        return ask { server in
            server.withVenue { venue in
                var ids: [SymbolName: UpdateID] = [:]
                for symbol in symbols { ids[symbol] = venue.shownID(of: symbol) }
                return ids
            }
        }
    }

    /// Closes every connection, as the venue does when it goes down.
    package func cutAll() {
        ask { server in
            server.withVenue { $0.closeAll(ConnectionClose(code: 1006)) }
            server.run()
        }
    }

    /// Ends it; a second time it does nothing.
    package func stop() {
        if stopping.isRaised { return }
        stopping.raise()
        thread.remote.loop.wake()
        thread.join()
    }
}

/// Names for a market's symbols.
package func names(_ market: Market, _ count: Int) -> [SymbolName] {
    (0..<count).map { SymbolName(market == .coinm ? "SIM\($0)USD_PERP" : "SIM\($0)USDT")! }
}

/// Traffic with small books and small messages, the shape of each market: many of these run at once.
package func traffic(_ market: Market, _ levelCount: Int) -> TrafficProfile {
    var profile: TrafficProfile =
        switch market {
        case .spot: .spotAlt
        case .usdm: .usdmBTC
        case .coinm: .coinm
        }
    profile.levelCount = levelCount
    profile.levelsPerUpdate = QuantileTable([1, 1, 2, 3, 4, 6, 8, 10, 14, 20, 40])
    profile.updateGapUs = QuantileTable([
        100_000, 100_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000, 500_000, 800_000, 1_500_000,
    ])
    profile.tickersPerUpdate = QuantileTable([0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 6])
    return profile
}
