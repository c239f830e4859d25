// What the tests of the server share: a venue, a service over it and a server over that, each on threads of
// its own, and clients on the loop of the test.

import BinanceVenue
import BookService
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange
import Testing

@testable import BookServer
@testable import ExchangeServer

/// Tests that open sockets run one after another; each drives its own loop.
@Suite(.serialized) struct ServerTests {}

/// A venue on a thread of its own.
final class VenueThread: Sendable {
    private final class Confined: @unchecked Sendable {
        let server: ExchangeServer
        init(_ server: ExchangeServer) { self.server = server }
    }

    private struct Export: Sendable {
        var port: Int
        var loop: LoopHandle
        var confined: Confined
    }

    let market: Market
    private let thread: LoopThread<Export>
    private let stopping = StopFlag()

    init(_ market: Market, _ symbols: [SymbolName], seed: UInt64, speed: Double) throws {
        self.market = market
        var configuration = ExchangeServer.live(
            VenueConfiguration(
                market: market, symbols: symbols.map { VenueSymbol($0, VenueThread.traffic(market)) },
                seed: seed))
        configuration.startUs = LoopClock.realtimeNs / 1000
        configuration.historyUs = 600_000_000
        var options = ExchangeServer.Options()
        options.speed = speed
        thread = try LoopThread("venue") { [configuration, options, stopping] loop throws(TransportError) in
            let server = try ExchangeServer(configuration, on: loop, options: options)
            return LoopThread.Resident(
                remote: Export(port: server.port, loop: loop.remote, confined: Confined(server)),
                isOver: { stopping.isRaised })
        }
    }

    var port: Int { thread.remote.port }

    /// What goes wrong from now on.
    func setFaults(_ plan: FaultPlan) {
        let confined = thread.remote.confined
        while !thread.remote.loop.post({ _ in confined.server.faults = plan }) { usleep(1_000) }
    }

    func stop() {
        if stopping.isRaised { return }
        stopping.raise()
        thread.remote.loop.wake()
        thread.join()
    }

    private static func traffic(_ market: Market) -> TrafficProfile {
        var profile: TrafficProfile =
            switch market {
            case .spot: .spotAlt
            case .usdm: .usdmBTC
            case .coinm: .coinm
            }
        profile.levelCount = 400
        profile.levelsPerEvent = QuantileTable([1, 1, 2, 3, 4, 6, 8, 10, 14, 20, 40])
        profile.eventGapUs = QuantileTable([
            100_000, 100_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000, 500_000, 800_000,
            1_500_000,
        ])
        profile.tickersPerEvent = QuantileTable([0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 6])
        return profile
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
    let venue: VenueThread
    let service: BookService
    let server: BookServer
    let symbols: [SymbolName]

    init(
        _ market: Market = .spot, symbolCount: Int = 2, seed: UInt64 = 1, speed: Double = 20,
        options: BookServer.Options = BookServer.Options()
    ) throws {
        symbols = (0..<symbolCount).map {
            SymbolName(market == .coinm ? "SIM\($0)USD_PERP" : "SIM\($0)USDT")!
        }
        loop = try EventLoop()
        venue = try VenueThread(market, symbols, seed: seed, speed: speed)
        service = try BookService(quick(market, port: venue.port, symbols))
        var options = options
        options.dialect = .classic(market)
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
        var answer = Answer()
        var fetch: HTTPFetch?
        var isOver = false
        var handlers = HTTPFetch.Handlers(
            body: { bytes in for index in bytes.indices { answer.body.append(bytes[index]) } },
            finished: { _ in isOver = true })
        handlers.answered = { status in
            answer.status = status
            for name in ["x-mbx-used-weight-1m", "retry-after", "x-lob-served", "x-lob-depth-limit"] {
                answer.headers[name] = fetch?.header(name)
            }
        }
        let url = try ServiceURL("http://127.0.0.1:\(port ?? server.port)\(target)")
        var options = HTTPFetch.Options()
        if let header { options.headers = [header] }
        fetch = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        drive("no answer to \(target)") { isOver }
        return answer
    }

    /// A depth answer once there is one.
    func depth(_ symbol: SymbolName, limit: Int = 1_000) throws -> Answer {
        let path = venue.market == .spot ? "/api/v3" : venue.market == .usdm ? "/fapi/v1" : "/dapi/v1"
        var answer = Answer()
        for _ in 0..<400 {
            answer = try get("\(path)/depth?symbol=\(symbol)&limit=\(limit)")
            if answer.status == 200 { break }
            usleep(25_000)
        }
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    func listen(_ path: String, port: Int? = nil) throws -> Listener {
        try Listener("ws://127.0.0.1:\(port ?? server.port)\(path)", on: loop)
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

/// What came of a request.
struct Answer {
    var status = 0
    var body: [UInt8] = []
    var headers: [String: String] = [:]
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A WebSocket client and what it heard.
final class Listener {
    var texts: [String] = []
    private(set) var end: WebSocketEnd?
    private(set) var client: WebSocketClient?
    private var pieces: [UInt8] = []

    init(_ url: String, on loop: EventLoop) throws {
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            for index in bytes.indices { pieces.append(bytes[index]) }
            if !isFinal { return }
            texts.append(String(decoding: pieces, as: UTF8.self))
            pieces = []
        }
        handlers.closed = { [self] in end = $0 }
        client = WebSocketClient(try ServiceURL(url), on: loop, handlers: handlers)
    }

    var isOpen: Bool { client?.backend != nil && end == nil }

    func send(_ text: String) { _ = client?.send(text: text) }

    func close() { client?.close() }
}
