// `lob run` and its neighbours as a shell sees them: status, words, and an end in bounded time.

import BinanceVenue
import Foundation
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite(.enabled(if: Command.path != nil, "the lob command is not built"))
struct CommandTests {
    /// Arguments that lead to a venue of this machine.
    private static func place(_ port: Int) -> [String] {
        ["--ws-url", "ws://127.0.0.1:\(port)", "--rest-url", "http://127.0.0.1:\(port)"]
    }

    /// Wrong usage: one line that says what is wrong, status 64.
    @Test(
        arguments: [
            (["run"], "Give symbols, or --all."), (["run", ",", " "], "Give symbols, or --all."),
            (["run", "BTCUSDT", "--all"], "not both"), (["run", "BTC/USDT"], "no symbol has such a name"),
            (["run", "A,B!"], "B!: no symbol has such a name"),
            (["run", "A", "--depth", "-5"], "--depth must be 16 … 5000"),
            (["run", "A", "--audit-every", "-1"], "--audit-every must be 0"),
            (["run", "A", "--max-lag", "-1"], "--max-lag must be 0"),
            (["run", "A", "--max-lag", "nan"], "--max-lag must be 0"),
            (["run", "A", "--silence", "-1"], "--silence must be 1"),
            (["run", "A", "--seconds", "-1"], "--seconds must be above 0"),
            (["run", "A", "--serve", "0.0.0.0:9443"], "say --serve-public"),
            (["run", "A", "--ring", "-2"], "--ring must be a power of two"),
            (["run", "A", "--shards", "-2"], "--shards must be 1"),
            (
                ["run", "A", "--ws-url", "ws://127.0.0.1:99999", "--rest-url", "http://x"],
                "port 99999 is not 1 … 65535"
            ),
            (
                ["run", "A", "--ws-url", "ws://me:pw@x", "--rest-url", "http://x"],
                "user names are not supported"
            ),
            (["run", "A", "--ws-url", "http://x", "--rest-url", "http://x"], "does not begin with ws://"),
            (["exchange", "--life", "-1"], "--life must be 1"),
            (["exchange", "--latency", "-1"], "--latency must be 0"),
            (["exchange", "--symbols", "-1"], "symbol"), (["exchange", "--symbols", "A,A"], "named twice"),
            (["demo", "--speed", "-1"], "--speed must be above 0"),
            (["simulate", "--seeds", "-1"], "--seeds must be at least 1"),
        ] as [([String], String)])
    func usage(_ arguments: [String], _ wanted: String) async {
        await onOwnThread("lob \(arguments)") { report in
            let command = try Command(arguments)
            report.expect(command.wait() == 64, "status; \(command.errors)")
            report.expect(command.errors.contains(wanted), command.errors)
        }
    }

    /// The whole run is bounded, also while nothing ever comes: nobody listens, nobody answers.
    @Test(arguments: [["--all"], ["BTCUSDT"]], ["SIGINT", "SIGTERM", "SIGHUP", "seconds"])
    func endsInTime(_ what: [String], _ how: String) async {
        await onOwnThread("lob run \(what), \(how)") { report in
            let silent = Meddler(to: 1, first: .max, .silent)
            defer { silent.stop() }
            var arguments = ["run"] + what + CommandTests.place(silent.port)
            if how == "seconds" { arguments += ["--seconds", "1"] }
            let command = try Command(arguments)
            let numbers = ["SIGINT": SIGINT, "SIGTERM": SIGTERM, "SIGHUP": SIGHUP]
            if let number = numbers[how] {
                report.wait("there") { silent.acceptedCount > 0 }
                usleep(200_000)
                command.signal(number)
                // A terminal that goes away says so twice.
                if number == SIGHUP { command.signal(number) }
            }
            let status = command.wait(atMostSeconds: 15)
            report.expect(status == (what == ["--all"] ? 1 : 2), "\(String(describing: status))")
            report.expect(!command.errors.contains("no list of symbols reason=stopped"), command.errors)
            report.expect(what == ["--all"] || command.output.contains("0 of 1 book live"), command.output)
        }
    }

    @Test func unknownSymbolsEndARun() async {
        await onOwnThread("unknown symbols") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 2), speed: 1))
            defer { venue.stop() }
            let command = try Command(["run", "NOPE,NADA"] + CommandTests.place(venue.port))
            report.expect(command.wait() == 1, command.errors)
            report.expect(command.errors.contains("spot has no such symbol: NOPE NADA"), command.errors)
        }
    }

    /// A snapshot of the venue in which one level deep in the book has another quantity.
    private static func lie(_ port: Int) -> String {
        guard let loop = try? EventLoop() else { return "" }
        defer { loop.close() }
        let url = "http://127.0.0.1:\(port)/api/v3/depth?symbol=SIM0USDT&limit=100"
        guard let asked = try? Asked(url, on: loop) else { return "" }
        loop.run { asked.isOver }
        var body = asked.answer.text
        let ends = body.indices.filter { body[$0] == "]" }
        if let end = ends.dropFirst(60).first {
            // `0"]`: the last digit of a quantity.
            let digit = body.index(end, offsetBy: -2)
            body.replaceSubrange(digit...digit, with: body[digit] == "7" ? "3" : "7")
        }
        return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Connection: close\r\n\r\n\(body)"
    }

    /// Another run takes its books from the first one's; they are compared with the venue, and kept.
    @Test func aRunServesAnother() async {
        let store = FileManager.default.temporaryDirectory.appendingPathComponent("lob-\(UUID()).store").path
        await onOwnThread("a run serves another") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 2), speed: 1))
            defer { venue.stop() }
            let symbols = "SIM0USDT,SIM1USDT"
            let first = try Command(
                ["run", symbols, "--serve", "127.0.0.1:0", "--store", store] + CommandTests.place(venue.port))
            report.wait("serving", seen: { first.errors }) { first.errors.contains("rest=http://127.0.0.1:") }
            let port = first.errors.components(separatedBy: "rest=http://127.0.0.1:").last
                .flatMap { Int($0.prefix { $0.isNumber }) }
            let second = try Command(
                ["run", symbols, "--seconds", "10", "--json"] + CommandTests.place(port ?? 0))
            report.expect(second.wait() == 0, second.errors)
            report.expect(second.errors.contains("all books are live"), second.errors)
            let check = try Command([
                "verify", "--live", "SIM0USDT", "--server", "127.0.0.1:\(port ?? 0)", "--rest-url",
                "http://127.0.0.1:\(venue.port)", "--depth", "100",
            ])
            report.expect(check.wait() == 0, check.errors)
            report.expect(check.output.contains("where both are proven: equal"), check.output)
            // Somebody who answers for the venue, with one digit changed.
            let liar = Meddler(
                upstream: { _ in venue.port }, script: { _ in .answer(CommandTests.lie(venue.port)) })
            defer { liar.stop() }
            let caught = try Command([
                "verify", "--live", "SIM0USDT", "--server", "127.0.0.1:\(port ?? 0)", "--rest-url",
                "http://127.0.0.1:\(liar.port)", "--depth", "100",
            ])
            report.expect(caught.wait() == 2, caught.errors)
            report.expect(caught.output.contains("levels that differ: 1,"), caught.output)
            report.expect(caught.output.contains("where both are proven: different"), caught.output)
            first.signal(SIGINT)
            report.expect(first.wait() == 0, first.errors)
            let history = try Command(["history", store, "--json"])
            report.expect(history.wait() == 0, history.errors)
            report.expect(history.output.contains("\"cause\":\"end\""), history.output)
        }
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: store + suffix) }
    }

    /// With others beside it an unknown one is named, the others run, and the list of symbols comes.
    @Test func anUnknownSymbolAmongOthers() async {
        await onOwnThread("an unknown symbol among others") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 2), speed: 1))
            defer { venue.stop() }
            let arguments = ["run", "SIM0USDT,sim1usdt", "NOPE", "--seconds", "10", "--json"]
            let command = try Command(arguments + CommandTests.place(venue.port))
            report.expect(command.wait() == 2, command.errors)
            report.expect(command.errors.contains("no such symbol market=spot symbol=NOPE"), command.errors)
            report.expect(command.errors.contains("all books are live"), command.errors)
            report.expect(command.errors.contains("list of symbols"), command.errors)
            let lines = command.output.split(separator: "\n")
            report.expect(lines.count == 3, command.output)
            report.expect(lines.count { $0.contains("\"state\":\"live\"") } == 2, command.output)
            report.expect(lines.count { $0.contains("\"unknown\":true") } == 1, command.output)
            report.expect(lines.allSatisfy { $0.contains("\"lag\":") }, command.output)
        }
    }

    /// A server that knows no path of ours is one of another market.
    @Test func noSuchPath() async {
        await onOwnThread("no such path") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 1), speed: 1))
            defer { venue.stop() }
            let url = "http://127.0.0.1:\(venue.port)/api/v3"
            let command = try Command(
                ["run", "SIM0USDT", "--ws-url", "ws://127.0.0.1:\(venue.port)", "--rest-url", url])
            report.expect(command.wait() == 1, command.errors)
            report.expect(command.errors.contains("or the URL has a path too much"), command.errors)
        }
    }

    /// Results that cannot be written are an error, whichever command has them.
    @Test(arguments: ["run", "run --json", "exchange", "exchange --json", "demo", "simulate"])
    func outputThatCannotBeWritten(_ words: String) async {
        await onOwnThread("full disk: \(words)") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 1), speed: 1))
            defer { venue.stop() }
            var arguments = words.split(separator: " ").map(String.init)
            switch arguments[0] {
            case "run": arguments += ["SIM0USDT", "--seconds", "2"] + CommandTests.place(venue.port)
            case "exchange": arguments += ["--listen", "127.0.0.1:0"]
            case "demo": arguments += ["--seconds", "1", "--symbols", "1", "--faults", "none"]
            default: arguments += ["--seeds", "1", "--seconds", "1", "--faults", "none"]
            }
            let command = try Command(arguments, output: "/dev/full")
            if words == "exchange" {
                report.wait("listening") { command.errors.contains("streams") }
                command.signal(SIGTERM)
            }
            report.expect(command.wait() == 1, command.errors)
            let wanted = "lob: standard output cannot be written: No space left on device"
            report.expect(command.errors.contains(wanted), command.errors)
        }
    }

    /// Nobody reads standard error, and it is full: books are kept, results come, and the end does.
    @Test(arguments: [["SIM0USDT"], ["NOPE"]]) func nobodyReadsTheLog(_ symbols: [String]) async {
        await onOwnThread("stuck log: \(symbols)") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 1), speed: 1))
            defer { venue.stop() }
            let arguments = ["run"] + symbols + ["--seconds", "10", "--log-level", "debug", "--json"]
            let command = try Command(arguments + CommandTests.place(venue.port), isStuck: true)
            let status = command.wait()
            report.expect(status == (symbols == ["NOPE"] ? 1 : 0), "\(String(describing: status))")
            let isLive = command.output.contains("\"state\":\"live\"")
            report.expect(isLive == (symbols != ["NOPE"]), command.output)
        }
    }

    /// What an exchange does wrong, and from which seed, is in its first lines.
    @Test func anExchangeSaysWhatItIs() async {
        await onOwnThread("first lines of an exchange") { report in
            let arguments = [
                "exchange", "--listen", "127.0.0.1:0", "--symbols", "BTCUSDT", "ETHUSDT,XRPUSDT", "--seed",
                "7", "--faults", "venue,cut=0",
            ]
            let command = try Command(arguments)
            report.wait("listening", seen: { command.errors }) { command.errors.contains("seed 7, faults") }
            report.expect(command.errors.contains("3 symbols: BTCUSDT ETHUSDT XRPUSDT"), command.errors)
            report.expect(command.errors.contains("vanish=0.0005"), command.errors)
            command.signal(SIGHUP)
            report.expect(command.wait() == 0, command.errors)
        }
    }
}
