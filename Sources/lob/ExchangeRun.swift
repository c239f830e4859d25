// The life of `lob exchange`: servers on one loop, a status line, an orderly end.
//
// SAFETY: OS calls get pointers that live inside the call.

import BinanceDepth
import ExchangeServer
import Glibc
import MarketData
import SimulatedExchange
import Synchronization
import Transport

/// Set by the first SIGINT or SIGTERM; a second one ends the process at once.
private let isStopping = Atomic<Bool>(false)

/// Makes signals end the loop in an orderly way.
func catchStopSignals() {
    for signal in [SIGINT, SIGTERM] {
        _ = Glibc.signal(signal) { number in
            if isStopping.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        }
    }
    _ = signal(SIGPIPE, SIG_IGN)
}

/// The servers of one process.
struct ExchangeRun {
    private let command: ExchangeCommand
    private let loop: EventLoop
    private var servers: [ExchangeServer] = []
    private let isTerminal = isatty(2) == 1

    init(_ command: ExchangeCommand) throws {
        self.command = command
        loop = try EventLoop()
        let addresses = AddressBook()
        for (index, market) in command.markets.enumerated() {
            var options = ExchangeServer.Options()
            options.address = command.listen.address
            options.port = command.listen.port == 0 ? 0 : command.listen.port + index
            options.speed = command.speed
            if let certificate = command.tlsCertificate, let key = command.tlsKey {
                options.tls = TLSIdentity(certificatePath: certificate, keyPath: key)
            }
            servers.append(
                try ExchangeServer(
                    try ExchangeRun.venue(command, market), on: loop, options: options, addresses: addresses))
        }
    }

    private static func venue(_ command: ExchangeCommand, _ market: Market) throws -> VenueConfiguration {
        var configuration = ExchangeServer.live(
            VenueConfiguration(
                market: market, symbols: try command.venueSymbols(market), seed: command.seed))
        configuration.startUs = wallClockUs()
        configuration.faults = try FaultPlan(command.faults)
        configuration.streamLatencyUs = 0...command.latency
        configuration.connectionLifeUs = Int64(command.life) * 1_000_000
        return configuration
    }

    /// Serves until a signal comes, then says goodbye to the clients.
    func run() throws {
        catchStopSignals()
        announce()
        var meter = ExchangeMeter(servers)
        let clock = Stopwatch()
        var shownAtNs: Int64 = 0
        loop.after(0) {}
        while !isStopping.load(ordering: .relaxed) {
            loop.turn(waitAtMostNs: 100_000_000)
            if isTerminal && clock.elapsedNs - shownAtNs > 1_000_000_000 {
                shownAtNs = clock.elapsedNs
                meter.show()
            }
        }
        for server in servers { server.shutDown() }
        let deadlineNs = clock.elapsedNs + 3_000_000_000
        while servers.contains(where: { $0.counters.connectionCount > 0 }) && clock.elapsedNs < deadlineNs {
            loop.turn(waitAtMostNs: 10_000_000)
        }
        for _ in 0..<20 { loop.turn(waitAtMostNs: 1_000_000) }
        meter.clear()
        if command.json {
            print(meter.json(elapsedNs: clock.elapsedNs))
        } else {
            print(meter.summary(elapsedNs: clock.elapsedNs))
        }
        loop.close()
    }

    /// Says where clients find the servers.
    private func announce() {
        let secure = command.tlsCertificate == nil ? "" : "s"
        let host = command.listen.address ?? "localhost"
        let name = host.contains(":") ? "[\(host)]" : host
        for server in servers {
            let rest = "http\(secure)://\(name):\(server.port)"
            let streams = "ws\(secure)://\(name):\(server.port)"
            let symbols = (try? command.venueSymbols(server.market))?.map { "\($0.name)" } ?? []
            if command.json {
                let list = symbols.map { "\"\($0)\"" }.joined(separator: ",")
                print(
                    "{\"market\":\"\(server.market.name)\",\"rest\":\"\(rest)\",\"streams\":\"\(streams)\","
                        + "\"symbols\":[\(list)]}")
                fflush(nil)
                continue
            }
            let shown = symbols.prefix(6).joined(separator: " ") + (symbols.count > 6 ? " …" : "")
            let paths = server.market == .usdm ? "/public/ws /public/stream /ws /stream" : "/ws /stream"
            printError("\(server.market.name): \(symbols.count) symbols: \(shown)")
            printError("  REST     \(rest)\(restPath(server.market))/depth?symbol=\(symbols.first ?? "")")
            printError("  streams  \(streams), paths \(paths)")
        }
    }

    private func restPath(_ market: Market) -> String {
        switch market {
        case .spot: "/api/v3"
        case .usdm: "/fapi/v1"
        case .coinm: "/dapi/v1"
        }
    }
}

/// Microseconds since 1970.
func wallClockUs() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
