// `lob history`: shows what a store holds.

import ArgumentParser
import LobRecording
import MarketData
import SnapshotStore

/// A day as an argument, in UTC.
struct DayArgument: ExpressibleByArgument {
    var text: String
    var fromNs: Int64

    init?(argument: String) {
        // A day that does not exist, such as 2026-02-30, would become another one.
        guard argument.utf8.count == 10, let ns = timeNs(ofText: Array("\(argument)T00:00:00Z".utf8).span),
            UTCStamp(ns: ns).day == argument
        else { return nil }
        (text, fromNs) = (argument, ns)
    }

    var toNs: Int64 { fromNs + 86_400_000_000_000 }
}

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what lob run --store has stored.",
        discussion: """
            What is one of: snapshots (the default), audits, mismatches, gaps, connections, losses, runs; \
            report, a summary of each day for each book; show N, a snapshot with its levels; diff A B, the \
            differences between two snapshots of one symbol. Times are UTC. A store may be read while it is \
            being written.

            A snapshot shown is checked against its own digest and checksum. The first of a symbol's gaps in \
            a run is the time until its book was live; notRunning is the time between two runs.

            Examples:
              lob history books.store
              lob history books.store gaps --day 2026-11-29 --symbol BTCUSDT
              lob history books.store diff 17 23
              lob history books.store report --day 2026-11-29
              lob history books.store audits --json

            Exit status: 0; 1 it cannot be read, or there is no such snapshot; 2 a snapshot is damaged, or \
            two with one update id differ where both are proven; 64 wrong usage.
            """)

    @Argument(help: ArgumentHelp("A file written by lob run --store.", valueName: "store"))
    var store: String

    @Argument(help: ArgumentHelp("What to show.", valueName: "what"))
    var what: [String] = []

    @Option(help: ArgumentHelp("Only this symbol.", valueName: "symbol"))
    var symbol: String?

    @Option(help: ArgumentHelp("Not before this time.", valueName: "time"))
    var from: TimeArgument?

    @Option(help: ArgumentHelp("Before this time.", valueName: "time"))
    var to: TimeArgument?

    @Option(help: ArgumentHelp("Only this day, such as 2026-11-29.", valueName: "day"))
    var day: DayArgument?

    @Option(parsing: .unconditional, help: ArgumentHelp("Most rows, the newest.", valueName: "n"))
    var limit = 1_000

    @Option(parsing: .unconditional, help: ArgumentHelp("At most this many levels per side.", valueName: "n"))
    var depth = 20

    @Flag(help: "One JSON object per line.")
    var json = false

    /// What to show.
    private enum Wanted {
        case list(StoreList)
        case reports
        case book(Int64)
        case difference(Int64, Int64)
    }

    private func wanted() throws -> Wanted {
        let name = what.first ?? StoreList.snapshots.rawValue
        let numbers = what.dropFirst().map { Int64($0) }
        switch (name, numbers.count) {
        case ("show", 1):
            if let number = numbers[0] { return .book(number) }
            throw ValidationError("show needs the number of a snapshot.")
        case ("diff", 2):
            if let first = numbers[0], let second = numbers[1] { return .difference(first, second) }
            throw ValidationError("diff needs the numbers of two snapshots.")
        case ("show", _): throw ValidationError("show needs the number of one snapshot.")
        case ("diff", _): throw ValidationError("diff needs the numbers of two snapshots.")
        case ("report", 0):
            if from != nil || to != nil { throw ValidationError("report is of whole days: give --day.") }
            return .reports
        case (_, 0):
            if let list = StoreList(rawValue: name) { return .list(list) }
            let names = StoreList.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("\(name): is none of \(names), report, show, diff.")
        default: throw ValidationError("\(name) takes no further words.")
        }
    }

    func validate() throws {
        if symbol != nil, case .list(let list) = try wanted(), !list.hasSymbol {
            throw ValidationError("--symbol: \(list.rawValue) are not of single symbols.")
        }
        _ = try wanted()
        if let symbol, SymbolName(argument: symbol) == nil {
            throw ValidationError("\(symbol): no symbol has such a name.")
        }
        if limit < 1 { throw ValidationError("--limit must be at least 1.") }
        if depth < 1 { throw ValidationError("--depth must be at least 1.") }
        if day != nil && (from != nil || to != nil) {
            throw ValidationError("Give --day, or --from and --to, not both.")
        }
        if let from, let to, from.ns >= to.ns { throw ValidationError("--from must be before --to.") }
    }

    /// The symbol as the venue spells it.
    private var name: String? { symbol.flatMap { SymbolName(argument: $0) }.map { "\($0)" } }

    private var filter: StoreFilter {
        var filter = StoreFilter()
        filter.symbol = name
        filter.fromNs = day?.fromNs ?? from?.ns ?? .min
        filter.toNs = day?.toNs ?? to?.ns ?? .max
        filter.countMax = limit
        return filter
    }

    func run() throws {
        do {
            let reader = try StoreReader(store)
            switch try wanted() {
            case .list(let list): show(try reader.rows(list, filter), list)
            case .reports: showReports(try reader.reports(day: day?.text, symbol: name))
            case .book(let number): try showBook(number, reader)
            case .difference(let first, let second): try showDifference(first, second, reader)
            }
        } catch let error as StoredBookError {
            printError("lob: \(store): \(error)")
            if case .missing = error { throw ExitCode(1) }
            throw ExitCode(2)
        } catch let error as StoreError {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
    }

    private func show(_ rows: [StoredRow], _ list: StoreList) {
        if json {
            for row in rows { Output.write(row.json) }
            return
        }
        if rows.isEmpty { return printError("no \(list.rawValue)") }
        Output.write(HistoryTable(rows, list).text)
        if rows.count == limit { printError("the newest \(limit); --limit shows more") }
    }

    private func showReports(_ reports: [DailyReport]) {
        let picture = HistoryReport(reports: reports)
        if json {
            for line in picture.jsonLines { Output.write(line) }
        } else if reports.isEmpty {
            printError("no reports")
        } else {
            Output.write(picture.text)
        }
    }

    private func showBook(_ number: Int64, _ reader: StoreReader) throws {
        let (market, book) = try reader.book(number)
        let picture = HistoryBook(label: "\(number)", market: market, stored: book)
        Output.write(json ? picture.json : picture.text(depth: depth))
    }

    private func showDifference(_ first: Int64, _ second: Int64, _ reader: StoreReader) throws {
        let (a, b) = (try reader.book(first), try reader.book(second))
        if a.book.symbol != b.book.symbol || a.market != b.market {
            throw ValidationError(
                "\(first) is of \(a.book.symbol) on \(a.market), \(second) of \(b.book.symbol) on "
                    + "\(b.market): only snapshots of one symbol can be compared.")
        }
        guard let difference = BookDifference(a.book.book, b.book.book) else {
            printError("lob: \(store): the decimals of \(first) and \(second) cannot be brought together")
            throw ExitCode(1)
        }
        let picture = HistoryDifference(
            first: HistoryBook(label: "\(first)", market: a.market, stored: a.book),
            second: HistoryBook(label: "\(second)", market: b.market, stored: b.book), difference: difference)
        Output.write(json ? picture.json : picture.text(depth: depth))
        if picture.isContradiction { throw ExitCode(2) }
    }
}
