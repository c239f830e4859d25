// `lob exchange`: the simulated venue behind real sockets; arguments and exit status.

import ArgumentParser
import BinanceVenue
import ExchangeServer
import LobRecording
import LobTransport
import MarketData
import SimulatedExchange

/// Address and port as an argument: `127.0.0.1:9001`, `[::1]:9001`, `:9001` for every address, or a port
/// alone.
struct ListenArgument: ExpressibleByArgument {
    var address: String?
    var port: Int

    init?(argument: String) {
        let parts: (address: Substring?, port: Substring)
        if let colon = argument.lastIndex(of: ":") {
            parts = (argument[..<colon], argument[argument.index(after: colon)...])
        } else {
            parts = (nil, argument[...])
        }
        guard let port = Int(parts.port), (0...65_535).contains(port) else { return nil }
        self.port = port
        guard let text = parts.address else {
            address = "127.0.0.1"
            return
        }
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let bare = isBracketed ? String(text.dropFirst().dropLast()) : String(text)
        address = bare.isEmpty || bare == "*" ? nil : bare == "localhost" ? "127.0.0.1" : bare
    }
}

extension ListenArgument {
    var defaultValueDescription: String { "\(address ?? ""):\(port)" }
}

extension Market: ExpressibleByArgument {
    /// The market with this name; nil if there is none.
    public init?(argument: String) { self.init(name: argument) }

    /// The names of all markets.
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

/// Symbols as an argument: names or a count.
enum SymbolsArgument {
    case count(Int)
    case names([SymbolName])

    /// Maximum number of symbols of one venue.
    private static let countMax = 1_500

    /// Help text of `--symbols`.
    static func help(without count: Int) -> ArgumentHelp {
        ArgumentHelp(
            "Names with blanks or commas between, or how many of the usual ones, at most \(countMax). "
                + "(default: \(count))",
            valueName: "A,B,…|N")
    }

    /// Nil if there is no argument.
    ///
    /// - Throws: `ValidationError`.
    init?(_ arguments: [String]) throws {
        if arguments.isEmpty { return nil }
        if arguments.count == 1, let count = Int(arguments[0]) {
            guard (1...SymbolsArgument.countMax).contains(count) else {
                throw ValidationError("--symbols: 1 … \(SymbolsArgument.countMax) symbols.")
            }
            self = .count(count)
            return
        }
        var names: [SymbolName] = []
        for part in listed(arguments) {
            guard let name = SymbolName(argument: part) else {
                throw ValidationError("--symbols: no symbol is named \"\(part)\".")
            }
            if names.contains(name) { throw ValidationError("--symbols: \(name) is named twice.") }
            names.append(name)
        }
        if names.isEmpty || names.count > SymbolsArgument.countMax {
            throw ValidationError("--symbols: 1 … \(SymbolsArgument.countMax) symbols.")
        }
        self = .names(names)
    }
}

struct ExchangeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exchange",
        abstract: "Serve a simulated venue to unmodified clients.",
        discussion: """
            A local look-alike of the venue: WebSocket streams, control messages, REST depth, weights, \
            limits, pings and errors like the real one's, from a seeded order flow or a capture. Several \
            --market options open consecutive ports.

            Examples:
              lob exchange
                  spot, four symbols, on port 9101
              lob exchange --market usdm --symbols 100 --seed 7
              lob exchange --faults all --speed 10
                  everything goes wrong, ten times as fast
              lob exchange --faults venue
                  what a real venue and the network do
              lob exchange --capture session/capture.txt.gz
                  a captured session, as it was
              lob exchange --capture session --faults cut,fail=0.2
                  the same over bad connections

            At its end a capture closes its connections, and books that follow it become stale; --stay \
            keeps them open. Only connection and request faults apply to a capture.

            \(faultLegend)

            Exit status: 0 ended by a signal, or the capture is over; 1 it could not listen, read or write \
            its results; 64 wrong usage.
            """)

    @Option(
        help: ArgumentHelp("Where to listen; the next market takes the next port.", valueName: "addr:port"))
    var listen = ListenArgument(argument: "127.0.0.1:9101")!

    @Option(help: "Market; may be repeated. A capture determines its own.")
    var market: [Market] = []

    @Option(parsing: .upToNextOption, help: SymbolsArgument.help(without: 4))
    var symbols: [String] = []

    @Option(
        help: """
            Traffic of all symbols, one of \(TrafficProfile.all.map(\.name).joined(separator: ", ")); \
            without it each has what suits its name.
            """)
    var profile: String?

    @Option(parsing: .unconditional, help: "Seed of the order flow and of the faults. (default: 1)")
    var seed: UInt64?

    @Option(help: faultHelp(without: .none), transform: faultPlan)
    var faults: FaultPlan?

    @Option(
        help: ArgumentHelp(
            """
            Venue seconds per second; with a capture also max: as fast as clients read. A snapshot then \
            shows the capture's position when it is requested; no update may be left to continue it.
            """,
            valueName: "real|N|max"))
    var speed = ReplaySpeed.times(1)

    @Option(
        help: ArgumentHelp(
            "Play a captured session instead: a file of lines, a pipe or -, or a folder with events.jsonl.",
            valueName: "path"))
    var capture: String?

    @Flag(help: "Start the capture at once, not when the first client listens.")
    var atOnce = false

    @Flag(help: "Keep serving connections and REST after the capture, until a signal.")
    var stay = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Longest delay before a sent frame leaves, in µs. (default: 2000, with a capture 0)",
            valueName: "us"))
    var latency: Int64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Age in venue seconds at which connections are closed.", valueName: "s"))
    var life = 86_400

    @Option(name: .customLong("tls-cert"), help: ArgumentHelp("Certificate, PEM.", valueName: "file"))
    var tlsCertificate: String?

    @Option(name: .customLong("tls-key"), help: ArgumentHelp("Its key, PEM.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "Print JSON: one object with the addresses at the start, one at the end.")
    var json = false

    func validate() throws {
        if case .times(let factor) = speed, factor > 10_000 {
            throw ValidationError("--speed must be at most 10000.")
        }
        if let latency, !(0...60_000_000).contains(latency) {
            throw ValidationError("--latency must be 0 … 60000000 µs.")
        }
        if !(1...1_000_000_000).contains(life) {
            throw ValidationError("--life must be 1 … 1000000000 s.")
        }
        if (tlsCertificate == nil) != (tlsKey == nil) {
            throw ValidationError("--tls-cert and --tls-key belong together.")
        }
        if Set(market).count != market.count { throw ValidationError("--market names a market twice.") }
        if capture != nil { return try validateCapture(faults ?? .none) }
        if speed == .max { throw ValidationError("--speed max needs --capture.") }
        if atOnce { throw ValidationError("--at-once needs --capture.") }
        if stay { throw ValidationError("--stay needs --capture.") }
        for market in markets { _ = try venueSymbols(market) }
    }

    /// Options that describe generated orders do not apply to a capture.
    private func validateCapture(_ plan: FaultPlan) throws {
        if market.count > 1 { throw ValidationError("A capture is of one market.") }
        if !symbols.isEmpty { throw ValidationError("--symbols: a capture tells its own symbols.") }
        if profile != nil { throw ValidationError("--profile: a capture is its own traffic.") }
        if seed != nil && faults == nil {
            throw ValidationError("--seed: nothing is random in a capture without --faults.")
        }
        let others = plan.faultsOfBooks
        if !others.isEmpty {
            let names = others.map(\.name).joined(separator: ", ")
            throw ValidationError("--faults: \(names): the books of a capture are what they were.")
        }
    }

    /// The markets in the order of their ports.
    var markets: [Market] { market.isEmpty ? [.spot] : market }

    func venueSymbols(_ market: Market) throws -> [VenueSymbol] {
        let usual: [VenueSymbol] =
            switch try SymbolsArgument(symbols) ?? .count(4) {
            case .count(let count): VenueCatalog.symbols(market, count: count)
            case .names(let names): names.map { VenueCatalog.symbol($0, market) }
            }
        guard let profile else { return usual }
        guard let traffic = TrafficProfile.named(profile) else {
            let known = TrafficProfile.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--profile \(profile): known are \(known).")
        }
        if traffic.market != market {
            throw ValidationError("--profile \(profile) is of \(traffic.market.name), not of \(market.name).")
        }
        return usual.map { VenueSymbol($0.name, traffic) }
    }

    func run() throws {
        do {
            try ExchangeRun(self).run()
        } catch let error as TransportError {
            printError("lob: \(error)")
            throw ExitCode(1)
        } catch let error as CaptureRefusal {
            printError("lob: \(error)")
            throw ExitCode(1)
        } catch let error as CaptureError {
            printError("lob: \(error)")
            throw ExitCode(1)
        } catch let error as ReadingError {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
    }
}
