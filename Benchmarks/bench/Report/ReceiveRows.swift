// The stage `receive` in the form of all other rows: from a socket of loopback to the handler of a message.

import Foundation
import Transport

/// Runs the comparison of the two roads a WebSocket message can take.
enum ReceiveRows {
    private static let plain = "socket"
    private static let secure = "socket-tls"

    /// What stands where other stages name their traffic.
    static let notes = [plain, secure].map { name in
        ScenarioNote(
            name: name, origin: "messages of 2 kB over loopback" + (name == secure ? ", with TLS" : ""),
            content:
                "per msg: user CPU of the receiving thread while messages come as fast as they are taken; "
                + "p50, p99: one way at 1,000 a second, spinning; alloc'd: bytes of the receiving thread")
    }

    /// Whether a run has this stage: without captures, if `--filter` does not exclude it.
    static func isWanted(_ options: Bench) -> Bool {
        options.capture.isEmpty
            && [plain, secure].contains { name in
                options.filter.allSatisfy { "\(name)/\(Stage.receive.rawValue)/".contains($0) }
            }
    }

    /// Measures; no rows, and a line on standard error, where it cannot be done.
    static func measured(_ options: Bench) -> [Row] {
        var benchmark = ReceivePathBenchmark()
        if options.smoke {
            (benchmark.roundCount, benchmark.floodMessageCount, benchmark.pacedMessageCount) = (1, 500, 20)
        } else if options.seconds > 60 {
            benchmark.floodMessageCount = 200_000
        }
        do {
            let rows = try benchmark.run()
            return rows.map { row in
                let fast = rows.first { $0.road == .fast && $0.isSecure == row.isSecure }
                return self.row(
                    row, benchmark, times: fast.map { row.userNsPerMessage / $0.userNsPerMessage })
            }
        } catch {
            FileHandle.standardError.write(Data("receive is left out: \(error)\n".utf8))
            return []
        }
    }

    private static func row(
        _ measured: ReceivePathRow, _ benchmark: ReceivePathBenchmark, times: Double?
    ) -> Row {
        let unknown = Double.nan
        return Row(
            stage: .receive, scenario: measured.isSecure ? secure : plain,
            implementation: "\(measured.road)-road", messages: benchmark.floodMessageCount, levels: 0,
            repetitions: benchmark.roundCount, nsPerLevel: unknown, nsPerMessage: measured.userNsPerMessage,
            p50Ns: Double(measured.latencyNsP50), p90Ns: unknown, p99Ns: Double(measured.latencyNsP99),
            p999Ns: unknown, maxNs: unknown, worstNs: unknown, bytesPerSecond: nil,
            allocationsPerMessage: nil, allocatedBytesPerMessage: measured.allocatedBytesPerMessage,
            digest: "", timesEngine: times, isReference: measured.road == .fast, fortyLevel: nil)
    }
}
