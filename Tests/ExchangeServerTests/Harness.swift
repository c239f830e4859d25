// What the tests of the server share: a loop driven by the test's own thread, a server with a lively venue,
// and clients of this package that write down what they hear.

import BinanceServing
import BinanceVenue
import LobTransport
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import ExchangeServer

/// Tests that open sockets run one after another; each drives its own loop.
@Suite(.serialized) struct ExchangeTests {}

/// A loop, servers on it, and clients of them.
final class Bench {
    let loop: EventLoop
    private let clock = ContinuousClock()

    init(_ options: EventLoop.Options = EventLoop.Options()) throws { loop = try EventLoop(options) }

    /// A server of symbols with lively traffic and no latency.
    func serve(
        _ market: Market = .spot, symbols: [String] = ["BTCUSDT", "ETHUSDT"],
        options: ExchangeServer.Options = .init(),
        addresses: AddressBook = AddressBook(), _ configure: (inout VenueConfiguration) -> Void = { _ in }
    ) throws -> ExchangeServer {
        let listed = symbols.map { VenueSymbol(SymbolName($0)!, lively(market)) }
        var configuration = ExchangeServer.live(VenueConfiguration(market: market, symbols: listed, seed: 1))
        configuration.honoursSpeeds = false
        configuration.streamLatencyUs = 0...0
        configuration.requestLatencyUs = 0...1_000
        configure(&configuration)
        return try ExchangeServer(configuration, on: loop, options: options, addresses: addresses)
    }

    /// Turns the loop until the condition holds; fails the test when it does not in time.
    func drive(
        forAtMostMs: Int = 3_000, _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) {
        let end = clock.now + .milliseconds(forAtMostMs)
        while !condition() {
            if clock.now > end {
                Issue.record(what ?? "not in time", sourceLocation: sourceLocation)
                return
            }
            loop.turn(waitAtMostNs: 5_000_000)
        }
    }

    /// Turns the loop for a while.
    func rest(ms: Int) {
        let end = clock.now + .milliseconds(ms)
        while clock.now < end { loop.turn(waitAtMostNs: 5_000_000) }
    }

    /// The answer to a request, waited for.
    func get(
        _ server: ExchangeServer, _ target: String, scheme: String = "http", header: HTTPHeader? = nil,
        isPatient: Bool = true
    ) throws -> Answer {
        let asked = try Asked(
            "\(scheme)://127.0.0.1:\(server.port)\(target)", on: loop, header: header)
        if isPatient { drive { asked.isOver } } else { rest(ms: 5) }
        return asked.answer
    }
}

/// A symbol's traffic with many updates and small messages.
func lively(_ market: Market) -> TrafficProfile {
    var profile = TrafficProfile.spotAlt
    profile.market = market
    profile.updateGapUs = QuantileTable(even: 20_000...60_000)
    profile.updateGridUs = 1
    profile.tickersPerUpdate = QuantileTable(even: 0...3)
    if market != .spot {
        profile.scales = SymbolScales(priceDecimals: 4, quantityDecimals: 0)
        profile.tick = 10
        profile.startPrice = 12_740
        profile.quantityStep = 1
        profile.quantity = QuantileTable(even: 1...50_000)
        profile.ids = TrafficProfile.usdmBTC.ids
    }
    return profile
}

extension Listener {
    convenience init(_ server: ExchangeServer, _ path: String, on loop: EventLoop) throws {
        try self.init(port: server.port, path, on: loop)
    }
}
