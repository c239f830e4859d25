// What the tests of the server share: a venue, a service over it and a server over that, each on threads of
// its own, and clients on the loop of the test.

import BinanceVenue
import BookService
import Foundation
import LobHandoff
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookServer

/// Tests that open sockets; each drives its own loop.
@Suite(.blocking) struct ServerTests {
    /// All of it with these options, once there is a book.
    func stack(
        symbolCount: Int = 2, _ configure: (inout BookServer.Options) -> Void
    ) throws -> Stack {
        var options = BookServer.Options()
        configure(&options)
        let stack = try Stack(symbolCount: symbolCount, options: options)
        _ = try stack.depth("SIM0USDT")
        return stack
    }
}

/// A configuration with short times.
func quick(_ market: Market, port: Int, _ symbols: [SymbolName]) -> ServiceConfiguration {
    let endpoints = Endpoints(
        market: market, streamBase: "ws://127.0.0.1:\(port)", restBase: "http://127.0.0.1:\(port)")
    var configuration = ServiceConfiguration(endpoints: endpoints, symbols: symbols)
    configuration.idle = .park
    configuration.ringBytes = 1 << 20
    configuration.tickIntervalMs = 25
    configuration.auditEveryMs = 500
    configuration.silenceMs = 1_500
    configuration.lagMsMax = 60_000
    configuration.supervisor.backoffFirstMs = 20
    configuration.supervisor.backoffMaxMs = 200
    configuration.supervisor.coalesceMs = 20
    configuration.supervisor.overlapMs = 100
    configuration.supervisor.attemptsPerFiveMinutesMax = 240
    return configuration
}

/// All of it.
final class Stack {
    let loop: EventLoop
    let venue: VenueHost
    let service: BookService
    let server: BookServer
    let symbols: [SymbolName]

    init(
        _ market: Market = .spot, symbolCount: Int = 2, seed: UInt64 = 1, speed: Double = 20,
        options: BookServer.Options = BookServer.Options(), tokens: [String] = []
    ) throws {
        symbols = names(market, symbolCount)
        loop = try EventLoop()
        venue = try VenueHost(.init(market: market, symbols: symbols, seed: seed, speed: speed))
        service = try BookService(quick(market, port: venue.port, symbols))
        var options = options
        options.dialect = .classic(market)
        if !tokens.isEmpty { options.tokens = tokens }
        server = try BookServer(service, options)
    }

    func stop() {
        server.stop()
        _ = service.stop()
        venue.stop()
    }

    /// Turns the loop until the condition holds; fails the test when it does not in time.
    @discardableResult
    func drive(
        forAtMostMs: Int = 20_000, _ what: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .milliseconds(forAtMostMs)
        while !condition() {
            if clock.now > end {
                Issue.record(what ?? "not in time", sourceLocation: sourceLocation)
                return false
            }
            loop.turn(waitAtMostNs: 2_000_000)
        }
        return true
    }

    /// The answer to a request, waited for.
    func get(_ target: String, port: Int? = nil, header: HTTPHeader? = nil) throws -> Answer {
        let asked = try Asked("http://127.0.0.1:\(port ?? server.port)\(target)", on: loop, header: header)
        drive("no answer to \(target)") { asked.isOver }
        return asked.answer
    }

    /// A depth answer once there is one.
    func depth(_ symbol: SymbolName, limit: Int = 1_000) throws -> Answer {
        var answer = Answer()
        for _ in 0..<400 {
            answer = try get("\(venue.setup.market.requestPath)/depth?symbol=\(symbol)&limit=\(limit)")
            if answer.status == 200 { break }
            usleep(25_000)
        }
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    func listen(_ path: String, port: Int? = nil) throws -> Listener {
        try Listener(
            port: port ?? server.port, path, on: loop, backends: [.native, .libwebsockets])
    }

    /// A copy of a book of a service, waited for.
    func copy(_ symbol: SymbolName, of service: BookService) -> FullBook? {
        let answers = CommandQueue<FullBook>(capacity: 1)
        var copy: FullBook?
        guard service.copy(of: symbol, { _ = answers.post($0) }) else { return nil }
        drive("no copy") {
            copy = answers.take().first
            return copy != nil
        }
        return copy
    }
}
