// `lob market`: a whole market on one request budget.

import ArgumentParser
import BinanceVenue
import BookService
import Foundation
import MarketData
import PipelineSimulation

struct MarketCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "market",
        abstract: "Keep a whole market on one request budget, in virtual time.",
        discussion: """
            Every book is kept by the real engines and one real planner, as in `lob run --all`; the venue \
            is exact and counts the venue's weights. Prints a line per virtual minute: which books are deep \
            enough, which have been compared with a later snapshot, and what is waiting in memory.

            Exit status: 0 every snapshot agreed with its book; 1 it could not run; 2 one did not.
            """)

    @Option(help: "Symbols.")
    var symbols = 1500

    @Option(help: "Market: \(Market.allCases.map(\.name).joined(separator: ", ")).")
    var market = "spot"

    @Option(help: "One in this many symbols is busy.")
    var busyEvery = 10

    @Option(help: "Depth updates of a busy symbol every 100 ms.")
    var updates = 1

    @Option(help: "Levels in a depth update of a busy symbol.")
    var levels = MarketTraffic.busy.levelCount

    @Option(help: "Virtual minutes.")
    var minutes = 60

    @Option(help: "Seconds between two audits of a book.")
    var auditEvery = 600

    @Option(help: "Milliseconds from a request to its answer, in steps of 100.")
    var answer = 100

    mutating func validate() throws {
        if Market(name: market) == nil { throw ValidationError("--market: no such market.") }
        if !(1...4096).contains(symbols) { throw ValidationError("--symbols must be 1 … 4096.") }
        if busyEvery < 1 || !(1...1000).contains(updates) || !(2...1000).contains(levels) {
            throw ValidationError("Busy symbols say something, and not more than a thousand of it.")
        }
        if !(1...10_000).contains(minutes) { throw ValidationError("--minutes must be 1 … 10000.") }
        if !(100...10_000).contains(answer) { throw ValidationError("--answer must be 100 … 10000.") }
        if !(0...1_000_000).contains(auditEvery) {
            throw ValidationError("--audit-every must be 0 … 1000000.")
        }
    }

    func run() throws {
        let clock = Stopwatch()
        let outcome = try MarketRun(plan()).run { minute in
            if minute.minute == 1 { print(MarketCommand.header) }
            print(MarketCommand.line(minute))
            fflush(nil)
        }
        let seconds = { (ms: Int64?) in ms.map { "\(fixed(Double($0) / 1000, 1)) s" } ?? "never" }
        let rows = [
            ["first snapshot after", seconds(outcome.firstSnapshotMs)],
            ["every busy book deep after", seconds(outcome.busyDeepenedMs)],
            ["every book deep after", seconds(outcome.deepenedMs)],
            ["every book audited after", seconds(outcome.auditedMs)],
            ["most bytes buffered", rounded(Double(outcome.end.bufferedBytesMax))],
            ["messages", rounded(Double(outcome.end.messages))],
            ["real seconds", fixed(Double(clock.elapsedNs) / 1e9, 1)],
        ]
        print(renderTable(rows, leftAligned: [0]))
        if outcome.end.errors > 0 { throw ExitCode(2) }
    }

    private func plan() throws -> MarketPlan {
        let market = Market(name: market)!
        let names = (0..<symbols).map { SymbolName("S\($0)USDT")! }
        var service = ServiceConfiguration(endpoints: Endpoints(market: market)!, symbols: names)
        service.auditEveryMs = Int64(auditEvery) * 1000
        var plan = MarketPlan(
            market: market, engine: service.shardEngine, planner: service.fetcherPlanner,
            levelCount: { [service] in service.levelCount($0) })
        plan.symbolCount = symbols
        plan.busyEvery = busyEvery
        plan.busy.updatesAtOnce = updates
        plan.busy.levelCount = levels
        plan.busy.idsPerTick *= Int64(updates)
        plan.minutes = minutes
        plan.answerMs = Int64(answer)
        plan.shardSymbolCountMax = service.shardSymbolCountMax
        return plan
    }

    private static let header =
        "minute  deep: busy, quiet  live  overflows  audits: busy, quiet  buffered  weight  errors  resident"

    private static func line(_ minute: MarketMinute) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(width - text.count, 0)) + text
        }
        func mega(_ bytes: Int) -> String { "\(fixed(Double(bytes) / 1e6, 1)) MB" }
        let busy = minute.busy
        let quiet = minute.quiet
        return [
            padded("\(minute.minute)", 6), padded("\(busy.deepened)/\(busy.books)", 11),
            padded("\(quiet.deepened)", 7), padded("\(busy.live + quiet.live)", 5),
            padded("\(minute.overflows)", 10), padded("\(busy.audits)", 13), padded("\(quiet.audits)", 7),
            padded(mega(minute.bufferedBytes), 9), padded("\(minute.weight)", 7),
            padded("\(minute.errors)", 7), padded(mega(residentBytes()), 9),
        ].joined(separator: " ")
    }

    /// Memory of this process; 0 if the system does not report it.
    private static func residentBytes() -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
    }
}
