// What the tests of the server share: a loop driven by the test's own thread, a server with a lively venue,
// and clients of this package that write down what they hear.

import BinanceServing
import BinanceVenue
import LobTransport
import MarketData
import SimulatedExchange
import Testing

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
        var answer = Answer()
        var options = HTTPFetch.Options()
        if let header { options.headers = [header] }
        var fetch: HTTPFetch?
        var isOver = false
        var handlers = HTTPFetch.Handlers(
            body: { bytes in for index in bytes.indices { answer.body.append(bytes[index]) } },
            finished: { error in
                answer.error = error
                isOver = true
            })
        handlers.answered = { status in
            answer.status = status
            answer.usedWeight = fetch?.header("x-mbx-used-weight-1m")
            answer.retryAfter = fetch?.header("retry-after")
            answer.date = fetch?.header("date")
            answer.contentType = fetch?.header("content-type")
        }
        let url = try ServiceURL("\(scheme)://127.0.0.1:\(server.port)\(target)")
        fetch = HTTPFetch(url, on: loop, options: options, handlers: handlers)
        if isPatient { drive { isOver } } else { rest(ms: 5) }
        return answer
    }
}

/// A symbol's traffic with many events and small messages.
func lively(_ market: Market) -> TrafficProfile {
    var profile = TrafficProfile.spotAlt
    profile.market = market
    profile.eventGapUs = QuantileTable(even: 20_000...60_000)
    profile.eventGridUs = 1
    profile.tickersPerEvent = QuantileTable(even: 0...3)
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

/// What came of a request.
struct Answer {
    var status = 0
    var body: [UInt8] = []
    var usedWeight: String?
    var retryAfter: String?
    var contentType: String?
    var date: String?
    var error: TransportError?
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A WebSocket client and what it heard.
final class Listener {
    private(set) var texts: [String] = []
    private(set) var pings: [String] = []
    private(set) var pongCount = 0
    private(set) var end: WebSocketEnd?
    private(set) var client: WebSocketClient?
    private var pieces: [UInt8] = []

    init(_ url: ServiceURL, on loop: EventLoop, backend: WebSocketBackend = .native) {
        var options = WebSocketClient.Options()
        options.backends = [backend]
        var handlers = WebSocketClient.Handlers { [self] bytes, isFinal in
            for index in bytes.indices { pieces.append(bytes[index]) }
            if !isFinal { return }
            texts.append(String(decoding: pieces, as: UTF8.self))
            pieces = []
        }
        handlers.pinged = { [self] in pings.append(String(decoding: $0.array, as: UTF8.self)) }
        handlers.ponged = { [self] _ in pongCount += 1 }
        handlers.closed = { [self] in end = $0 }
        client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
    }

    convenience init(_ server: ExchangeServer, _ path: String, on loop: EventLoop) throws {
        self.init(try ServiceURL("ws://127.0.0.1:\(server.port)\(path)"), on: loop)
    }

    var isOpen: Bool { client?.backend != nil && end == nil }

    func send(_ text: String) { _ = client?.send(text: text) }

    /// Messages that answer something.
    var replies: [String] {
        texts.filter { !$0.contains("\"e\":") && !$0.contains("\"u\":") && !$0.contains("lastUpdateId") }
    }

    func forget() { texts = [] }
}
