// `bench --wire`: from the sender's write to the published view, over loopback, a process to a process; and
// what a message costs the two threads between.

import ArgumentParser
import CLobKernels
import Foundation
import LobHandoff
import LobTransport

/// One row.
struct WireRow {
    var isSecure: Bool
    var idle: IdleStrategy
    var symbolCount: Int
    var outcome: WireOutcome

    static let head =
        pad("", to: 7) + pad("idle", to: 9) + padLeft("symbols", to: 8) + padLeft("messages", to: 10)
        + padLeft("a turn", to: 8) + padLeft("p50", to: 10) + padLeft("p99", to: 10)
        + padLeft("p99.9", to: 10)
        + padLeft("feed user", to: 11) + padLeft("system", to: 10) + padLeft("book user", to: 11)
        + padLeft("system", to: 10) + padLeft("CPU/msg", to: 10)

    private func each(_ ns: UInt64) -> Double { Double(ns) / Double(max(outcome.messageCount, 1)) }

    private var cpuNs: Double {
        each(outcome.feed.userNs + outcome.feed.systemNs + outcome.book.userNs + outcome.book.systemNs)
    }

    private func percentile(_ share: Double) -> Double { Double(outcome.latency.valueAtPercentile(share)) }

    var text: String {
        let perTurn = Double(outcome.messageCount) / Double(max(outcome.turnCount, 1))
        let numbers = [
            percentile(50), percentile(99), percentile(99.9), each(outcome.feed.userNs),
            each(outcome.feed.systemNs),
            each(outcome.book.userNs), each(outcome.book.systemNs), cpuNs,
        ].map { duration($0) }
        let widths = [10, 10, 10, 11, 10, 11, 10, 10]
        let note = outcome.liveCount == symbolCount ? "" : "  only \(outcome.liveCount) live"
        return pad(isSecure ? "TLS" : "plain", to: 7) + pad(idle.rawValue, to: 9)
            + padLeft(grouped(symbolCount), to: 8) + padLeft(grouped(outcome.messageCount), to: 10)
            + padLeft(decimal(perTurn), to: 8)
            + zip(numbers, widths).map { padLeft($0, to: $1) }.joined() + note
    }

    var json: String {
        func number(_ value: Double) -> String { fixed(value, 1) }
        return #"{"stage":"wire","tls":\#(isSecure),"idle":"\#(idle.rawValue)","symbols":\#(symbolCount),"#
            + #""messages":\#(outcome.messageCount),"p50":\#(number(percentile(50))),"#
            + #""p99":\#(number(percentile(99))),"p999":\#(number(percentile(99.9))),"#
            + #""feedUserNs":\#(number(each(outcome.feed.userNs))),"#
            + #""feedSystemNs":\#(number(each(outcome.feed.systemNs))),"#
            + #""bookUserNs":\#(number(each(outcome.book.userNs))),"#
            + #""bookSystemNs":\#(number(each(outcome.book.systemNs))),"cpuNs":\#(number(cpuNs)),"#
            + #""live":\#(outcome.liveCount)}"#
    }
}

/// All rows.
struct WireBenchmark {
    static let perSecond = 20_000
    let options: Bench

    func run() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/wire-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let identity = try ReceivePathBenchmark.makeIdentity(in: folder)
        if !options.json { print(header) }
        let counts = options.symbols.map { [$0] } ?? [1, 500]
        for isSecure in [false, true] {
            for idle in [IdleStrategy.spin, .backoff, .park] {
                for count in counts where isWanted(isSecure, idle) {
                    let row = try measure(
                        WireOrder(
                            symbolCount: count, perSecond: WireBenchmark.perSecond,
                            identityFolder: isSecure ? folder : ""),
                        idle, identity)
                    print(options.json ? row.json : row.text)
                    fflush(nil)
                    if Watch.interruptIsPending() { throw ExitCode(130) }
                }
            }
        }
    }

    private func isWanted(_ isSecure: Bool, _ idle: IdleStrategy) -> Bool {
        let key = "\(isSecure ? "TLS" : "plain")/\(idle.rawValue)"
        return options.filter.allSatisfy { key.contains($0) }
    }

    private func measure(_ order: WireOrder, _ idle: IdleStrategy, _ identity: TLSIdentity) throws -> WireRow
    {
        let (process, port) = try startSender(order)
        defer {
            process.standardInput.map { ($0 as? Pipe)?.fileHandleForWriting.closeFile() }
            process.waitUntilExit()
        }
        let isSecure = !order.identityFolder.isEmpty
        let receiver = try WireReceiver(
            order, port: port, idle: idle, authorityPath: isSecure ? identity.certificatePath : nil)
        let seconds = options.smoke ? 0.5 : min(options.seconds / 12, 10)
        let outcome = try receiver.run(
            warmUpNs: 1_000_000_000, forNs: UInt64(seconds * 1e9))
        return WireRow(isSecure: isSecure, idle: idle, symbolCount: order.symbolCount, outcome: outcome)
    }

    private func startSender(_ order: WireOrder) throws -> (Process, Int) {
        let (process, input, output) = (Process(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--wire-sender", order.text]
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        var text = ""
        while !text.hasSuffix("\n") {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { throw ReceivePathError.endedEarly }
            text += String(decoding: data, as: UTF8.self)
        }
        return (process, Int(text.dropLast()) ?? 0)
    }

    private var header: String {
        let machine = Machine()
        return """
            Local Order Book, bench --wire

            machine  \(machine.summary)
            limits   \(PhysicalLimits.measure().text)
            method   a sender process, a feed thread and a book thread; \(grouped(WireBenchmark.perSecond)) \
            messages a second of some 500 bytes, evenly;
                     p50 to p99.9: from the sender's write to the published view, of the last message of \
            each turn; CPU by thread, of a message

            \(WireRow.head)
            """
    }
}
