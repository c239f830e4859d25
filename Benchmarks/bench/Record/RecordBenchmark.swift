// `bench --record`: a recorder at a given rate, beside the same without one, the disk's own limit, and replay
// beside memory.

import ArgumentParser
import BookRecording
import Foundation

/// All trials.
struct RecordBenchmark {
    private static let symbolCount = 300
    private let options: Bench
    private let folder: String

    init(_ options: Bench, folder: String) { (self.options, self.folder) = (options, folder) }

    func run() throws {
        let rounds = options.smoke ? 1 : 3
        let seconds = options.smoke ? 0.5 : max(options.seconds / Double(2 * rounds), 1)
        let symbolCount = options.symbols ?? RecordBenchmark.symbolCount
        let traffic = try RecordTraffic(
            symbolCount: symbolCount, messageCount: Int(seconds * Double(options.rate)), seed: options.seed)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        print(try header(traffic))
        var last: String?
        for round in 0..<rounds {
            for records in round % 2 == 0 ? [false, true] : [true, false] {
                let place = records ? "\(folder)/\(round)" : nil
                let outcome = try RecordTrial(traffic, perSecond: options.rate, folder: place).run()
                print(RecordBenchmark.line(outcome, symbolCount))
                fflush(nil)
                if Watch.interruptIsPending() { throw ExitCode(130) }
                if let place {
                    if let last { try FileManager.default.removeItem(atPath: last) }
                    last = place
                }
            }
        }
        guard let last else { return }
        defer { try? FileManager.default.removeItem(atPath: last) }
        print(try RecordingReplay(path: last).report(pairs: options.smoke ? 1 : 7))
    }

    private static let head =
        pad("recorder", to: 10) + padLeft("messages", to: 10) + padLeft("a second", to: 10)
        + padLeft("p50", to: 10) + padLeft("p99", to: 10) + padLeft("p99.9", to: 10)
        + padLeft("CPU/msg", to: 10) + padLeft("live", to: 6) + padLeft("dropped", to: 9)
        + padLeft("written", to: 10) + padLeft("lost", to: 7) + padLeft("on disk", to: 10)
        + padLeft("packed", to: 8)

    private static func line(_ outcome: RecordOutcome, _ symbolCount: Int) -> String {
        func percentile(_ share: Double) -> String {
            padLeft(duration(Double(outcome.latency.valueAtPercentile(share))), to: 10)
        }
        var line =
            pad(outcome.summary == nil ? "no" : "yes", to: 10)
            + padLeft(grouped(outcome.messageCount), to: 10)
            + padLeft(decimal(outcome.rate), to: 10) + percentile(50) + percentile(99) + percentile(99.9)
            + padLeft(duration(Double(outcome.bookNs) / Double(max(outcome.messageCount, 1))), to: 10)
            + padLeft("\(outcome.liveCount)", to: 6)
            + padLeft("\(outcome.bookDropped)+\(outcome.tapDropped)", to: 9)
        if let summary = outcome.summary {
            line +=
                padLeft(grouped(summary.writtenFrames), to: 10) + padLeft("\(summary.lostFrames)", to: 7)
                + padLeft(byteCount(Double(summary.bytes)), to: 10)
                + padLeft(
                    fixed(Double(summary.unpackedBytes) / Double(max(summary.bytes, 1)), 1) + " ×", to: 8)
        }
        return line
    }

    private func header(_ traffic: RecordTraffic) throws -> String {
        let each = Double(traffic.byteCount) / Double(max(traffic.count, 1))
        return """
            Local Order Book, bench --record

            machine  \(Machine().summary)
            disk     \(try diskLimit())
            traffic  \(traffic.symbols.count) generated spot symbols, \(grouped(options.rate)) messages a \
            second of \(decimal(each)) bytes; each trial sends the same
            method   one thread sends, one has the books, two record; p50 to p99.9: from the ring to the \
            published view, of the last message of each turn
                     dropped: in the book's ring + in the tap's

            \(RecordBenchmark.head)
            """
    }

    /// Blocks as a recorder writes them, with a sync after each and once a second.
    private func diskLimit() throws -> String {
        let path = folder + "/limit"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let block = (0..<(1 << 18)).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        let bytesMax = 1 << 30
        func rate(syncsEach: Bool) -> Double {
            let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
            if file < 0 { return .nan }
            defer { close(file) }
            let startNs = CycleTimer.monotonicNs()
            var (written, syncedNs) = (0, startNs)
            while written < bytesMax && CycleTimer.monotonicNs() - startNs < 2_000_000_000 {
                let got = write(file, block, block.count)
                if got < 0 { return .nan }
                written += got
                if syncsEach || CycleTimer.monotonicNs() - syncedNs > 1_000_000_000 {
                    fsync(file)
                    syncedNs = CycleTimer.monotonicNs()
                }
            }
            fsync(file)
            return Double(written) / (Double(CycleTimer.monotonicNs() - startNs) / 1e9)
        }
        return "\(byteCount(rate(syncsEach: true))) a second in blocks of 256 KiB with a sync after each, "
            + "\(byteCount(rate(syncsEach: false))) with one a second"
    }
}
