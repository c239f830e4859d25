// A run of `bench --scale`: which traffic, which sizes, and the table.

import ArgumentParser
import BinanceVenue
import CLobKernels
import Foundation
import LobHandoff

/// All sizes of all mixes.
struct ScaleRun {
    private let options: Bench
    private let timer = CycleTimer()
    private var watch = Watch()

    init(_ options: Bench) { self.options = options }

    mutating func run() throws {
        let messageCount = ScaleBenchmark.messageCount(isSmoke: options.smoke)
        let traffic = try traffic(messageCount)
        if traffic.isEmpty { throw ScaleError.noTraffic }
        var rows: [ScaleRow] = []
        if !options.json { print(header(traffic)) }
        for mix in mixes(traffic) {
            for size in sizes(mix.name) where !watch.isInterrupted {
                let sources = try mix.traffic.compactMap { try ScaleSource($0, depth: size.depth) }
                if sources.isEmpty { continue }
                var benchmark = ScaleBenchmark(sources: sources, timer: timer)
                benchmark.roundCount = messageCount / ScaleBenchmark.roundMessageCount
                let new = try benchmark.run(size, withPeers: options.filter.isEmpty, &watch)
                for row in new { print(options.json ? row.json : row.text) }
                fflush(nil)
                rows += new
            }
        }
        if let file = options.plot { try PlotFile.write(ScalePlot(rows).svg, to: file) }
        if watch.isInterrupted { throw ExitCode(130) }
    }

    /// Of each market its own books: an engine has the rules of one.
    private func mixes(_ traffic: [Traffic]) -> [(name: String, traffic: [Traffic])] {
        [Market.spot, .usdm].compactMap { market in
            let own = traffic.filter { $0.market == market }
            return own.isEmpty ? nil : (market.name, own)
        }
    }

    private func sizes(_ mix: String) -> [ScaleCase] {
        if options.smoke {
            return [ScaleCase(mix: mix, symbolCount: 1), ScaleCase(mix: mix, symbolCount: 40)]
        }
        if let count = options.symbols {
            return [ScaleCase(mix: mix, symbolCount: count, depth: options.depth)]
        }
        return [1, 30, 300, 1000, 2000, 3000].map { ScaleCase(mix: mix, symbolCount: $0) }
            + [100, 1000, 10_000].map { ScaleCase(mix: mix, symbolCount: 2000, depth: $0) }
    }

    private func traffic(_ messageCount: Int) throws -> [Traffic] {
        let paths = options.capture.isEmpty ? ScaleRun.captured() : options.capture
        let found = try paths.flatMap { try CaptureScenario.allTraffic(path: $0, messageCount: messageCount) }
        if !found.isEmpty || !options.capture.isEmpty { return found }
        return try [.spotBTC, .spotAlt, .usdmBTC].map {
            try GeneratedScenario.traffic($0, seed: options.seed, messageCountMax: messageCount)
        }
    }

    /// Captured sets beside the checkout, or where LOB_CAPTURES says; most are of quiet symbols.
    private static func captured() -> [String] {
        let folder = ProcessInfo.processInfo.environment["LOB_CAPTURES"] ?? "../shared/data"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().filter { name in ["cf-", "hbt-", "jl-"].contains { name.hasPrefix($0) } }
            .map { folder + "/" + $0 }
    }

    private func header(_ traffic: [Traffic]) -> String {
        let machine = Machine()
        let origins = Set(traffic.map { $0.origin }).sorted().joined(separator: ", ")
        return """
            Local Order Book, bench --scale

            machine  \(machine.summary)
            limits   \(PhysicalLimits.measure().text)
            traffic  \(traffic.count) symbols, \(origins); all others have their messages under other names
            method   every symbol once in each pass, in a new order; bursts of \
            \(ScaleBenchmark.burstCount) in the ring; published and read after each message;
                     single: the same messages in engines of one symbol, in turn with those of all; burst: \
            no timer between messages
            cache    misses are not counted: the kernel of a virtual machine offers no such counters here

            \(ScaleRow.head)
            """
    }
}

extension ScaleRow {
    static let head =
        pad("mix", to: 6) + padLeft("symbols", to: 8) + padLeft("levels", to: 9) + "  "
        + pad("implementation", to: 15) + padLeft("burst", to: 10) + padLeft("p50", to: 10)
        + padLeft("p99", to: 10) + padLeft("single p50", to: 12) + padLeft("×", to: 7)
        + padLeft("burst ×", to: 9) + padLeft("a book", to: 10)

    var text: String {
        func ratio(_ a: Double, _ b: Double?) -> String { b.map { fixed(a / max($0, 0.1), 2) } ?? "" }
        return pad(size.mix, to: 6) + padLeft(grouped(size.symbolCount), to: 8)
            + padLeft(size.depth.map { grouped($0) } ?? "captured", to: 9) + "  "
            + pad(implementation, to: 15)
            + padLeft(duration(nsPerMessage), to: 10) + padLeft(duration(p50Ns), to: 10)
            + padLeft(duration(p99Ns), to: 10) + padLeft(singleP50Ns.map { duration($0) } ?? "", to: 12)
            + padLeft(ratio(p50Ns, singleP50Ns), to: 7)
            + padLeft(ratio(nsPerMessage, singleNsPerMessage), to: 9)
            + padLeft(bytesPerBook.map { byteCount($0) } ?? "-", to: 10)
    }

    var json: String {
        func number(_ value: Double?) -> String { value.map { fixed($0, 1) } ?? "null" }
        return #"{"stage":"scale","mix":"\#(size.mix)","symbols":\#(size.symbolCount),"#
            + #""levelsPerSide":\#(size.depth.map(String.init) ?? "null"),"#
            + #""implementation":"\#(implementation)","levelsPerMessage":\#(number(levelsPerMessage)),"#
            + #""messages":\#(messageCount),"nsPerMessage":\#(number(nsPerMessage)),"#
            + #""p50":\#(number(p50Ns)),"p99":\#(number(p99Ns)),"singleP50":\#(number(singleP50Ns)),"#
            + #""singleNsPerMessage":\#(number(singleNsPerMessage)),"bytesPerBook":\#(number(bytesPerBook))}"#
    }
}
