// Runs `lob exchange`: servers on one loop, a status line, an orderly end.
//
// SAFETY: OS calls get pointers that live inside the call.

import BinanceServing
import BinanceVenue
import ExchangeServer
import Glibc
import LobRecording
import LobTransport
import MarketData
import SimulatedExchange

/// The servers of one process.
struct ExchangeRun {
    private let command: ExchangeCommand
    private let loop: EventLoop
    private var servers: [ExchangeServer] = []
    /// Names of each server's symbols.
    private var listed: [[String]] = []
    private var captured: CapturedMarket?
    private let console = Console(isLive: true)

    init(_ command: ExchangeCommand) throws {
        self.command = command
        loop = try EventLoop()
        if let path = command.capture {
            try play(path)
            return
        }
        let addresses = AddressBook()
        for (index, market) in command.markets.enumerated() {
            let symbols = try command.venueSymbols(market)
            servers.append(
                try ExchangeServer(
                    try configuration(market, symbols), on: loop, options: options(index),
                    addresses: addresses))
            listed.append(symbols.map { "\($0.name)" })
        }
    }

    /// Makes the server that plays back a capture. Until it serves, a signal ends the process at once.
    private mutating func play(_ path: String) throws {
        let files = try CaptureFiles(path: path)
        let survey = try survey([files])
        if let why = refusal(survey) { throw CaptureRefusal.nothing(why) }
        let market = try captureMarket(command.market.first, survey)
        let capture = try CapturedMarket(files, market: market)
        var around = try configuration(market, [])
        around.dialect = .classic(market)
        servers.append(try ExchangeServer(playing: capture, around, on: loop, options: options(0)))
        listed.append(capture.symbols.map { "\($0.name)" })
        captured = capture
    }

    private func options(_ index: Int) -> ExchangeServer.Options {
        var options = ExchangeServer.Options()
        options.address = command.listen.address
        options.port = command.listen.port == 0 ? 0 : command.listen.port + index
        if case .times(let factor) = command.speed { options.speed = factor }
        options.isUnpaced = command.speed == .max
        options.playsAtOnce = command.atOnce
        options.staysWhenPlayed = command.stay
        if let certificate = command.tlsCertificate, let key = command.tlsKey {
            options.tls = TLSIdentity(certificatePath: certificate, keyPath: key)
        }
        return options
    }

    private func configuration(
        _ market: Market, _ symbols: [VenueSymbol]
    ) throws -> VenueConfiguration {
        var configuration = ExchangeServer.live(
            VenueConfiguration(market: market, symbols: symbols, seed: seed))
        configuration.startUs = wallClockUs()
        configuration.faults = faults
        configuration.streamLatencyUs = 0...(command.latency ?? (command.capture == nil ? 2_000 : 0))
        configuration.connectionLifeUs = Int64(command.life) * 1_000_000
        return configuration
    }

    /// Serves until a signal arrives, then closes the clients' connections properly.
    func run() throws {
        StopSignals.install()
        try announce()
        var meter = ExchangeMeter(servers)
        let clock = Stopwatch()
        var shownAtNs: Int64 = 0
        var isOver = false
        while !StopSignals.isRaised && (!isOver || command.stay) {
            loop.turn(waitAtMostNs: 100_000_000)
            if console.isLive && clock.elapsedNs - shownAtNs > 1_000_000_000 {
                shownAtNs = clock.elapsedNs
                console.draw([meter.line()])
            }
            if isPlayed && !isOver {
                isOver = true
                console.log("the capture is over" + (command.stay ? "; its books are served on" : ""))
            }
        }
        // Without --stay, the end of the capture has already closed every connection.
        for server in servers where !server.isPlayed || command.stay { server.shutDown() }
        let deadlineNs = clock.elapsedNs + 3_000_000_000
        while servers.contains(where: { $0.counters.connectionCount > 0 }) && clock.elapsedNs < deadlineNs {
            loop.turn(waitAtMostNs: 10_000_000)
        }
        for _ in 0..<20 { loop.turn(waitAtMostNs: 1_000_000) }
        console.clear()
        let elapsedNs = clock.elapsedNs
        defer { loop.close() }
        try Output.print(
            command.json ? meter.json(elapsedNs: elapsedNs) : meter.summary(elapsedNs: elapsedNs))
    }

    private var isPlayed: Bool { servers.contains { $0.isPlayed } }

    /// Prints where clients find the servers.
    private func announce() throws {
        let secure = command.tlsCertificate == nil ? "" : "s"
        let host = command.listen.address ?? "localhost"
        let name = host.contains(":") ? "[\(host)]" : host
        for (server, symbols) in zip(servers, listed) {
            let rest = "http\(secure)://\(name):\(server.port)"
            let streams = "ws\(secure)://\(name):\(server.port)"
            if command.json {
                let list = symbols.map { jsonText($0) }.joined(separator: ",")
                try Output.print(
                    "{\"market\":\"\(server.market.name)\",\"rest\":\"\(rest)\",\"streams\":\"\(streams)\","
                        + "\"seed\":\(seed),\"faults\":\"\(faults)\",\"symbols\":[\(list)]}")
                continue
            }
            let shown = symbols.prefix(6).joined(separator: " ") + (symbols.count > 6 ? " …" : "")
            let paths = server.market == .usdm ? "/public/ws /public/stream /ws /stream" : "/ws /stream"
            printError("\(server.market.name): \(counted(symbols.count, "symbol")): \(shown)")
            printError("  REST     \(rest)\(server.market.requestPath)/depth?symbol=\(symbols.first ?? "")")
            printError("  streams  \(streams), paths \(paths)")
            printError(captured == nil ? "  seed \(seed), faults \(faults)" : "  faults \(faults)")
            guard let captured else { continue }
            let seconds = fixed(Double(captured.spanNs) / 1e9, 0)
            let names = captured.streams.prefix(4).joined(separator: " ")
            let more = captured.streams.count > 4 ? " …" : ""
            printError("  capture  \(captured.messageCount) messages of \(seconds) s: \(names)\(more)")
            printError("           it begins \(command.atOnce ? "now" : "when the first client listens")")
        }
    }

    private var seed: UInt64 { command.seed ?? 1 }

    private var faults: FaultPlan { command.faults ?? .none }
}

/// Microseconds since 1970.
func wallClockUs() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}
