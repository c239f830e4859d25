// The stage `receive` in the form of all other rows: from a socket of loopback to the handler of a message.

import Foundation
import LobTransport

/// Runs the comparison of the two backends a WebSocket message can take.
enum ReceiveRows {
    private static let plain = "socket"
    private static let secure = "socket-tls"

    /// What stands where other stages name their traffic.
    static let notes = [plain, secure].map { name in
        ScenarioNote(
            name: name, origin: "over loopback" + (name == secure ? ", with TLS" : ""),
            content: "messages of 2 kB")
    }

    /// Whether a run has this row: without captures, if `--filter` does not exclude it.
    private static func isWanted(_ options: Bench, _ backend: WebSocketBackend, isSecure: Bool) -> Bool {
        options.capture.isEmpty && options.isWanted(isSecure ? secure : plain, .receive, name(of: backend))
    }

    /// Whether a run has a row with TLS, or without.
    static func isWanted(_ options: Bench, isSecure: Bool) -> Bool {
        [WebSocketBackend.native, .libwebsockets].contains { isWanted(options, $0, isSecure: isSecure) }
    }

    private static func name(of backend: WebSocketBackend) -> String { "\(backend)-backend" }

    /// Measures; no rows, and a line on standard error, where it cannot be done.
    static func measured(_ options: Bench, budgetNs: UInt64, watch: inout Watch) -> [Row] {
        var benchmark = ReceivePathBenchmark(
            budgetNs: budgetNs, kinds: [false, true].filter { isWanted(options, isSecure: $0) })
        if options.smoke {
            (benchmark.probeMessageCount, benchmark.pacedMessageCounts) = (500, 20...20)
        }
        do {
            let tracks = try benchmark.run(watch: &watch)
            return tracks.filter { track in
                // The native backend is what the other is compared with.
                let isNeeded =
                    track.backend == .native || isWanted(options, track.backend, isSecure: track.isSecure)
                return isNeeded && track.messageCount > 0
            }.map { track in
                let fast = tracks.first { $0.backend == .native && $0.isSecure == track.isSecure }
                return row(track, times: fast.map { track.userNsPerMessage / $0.userNsPerMessage })
            }
        } catch {
            FileHandle.standardError.write(Data("receive is left out: \(error)\n".utf8))
            return []
        }
    }

    private static func row(_ track: ReceiveTrack, times: Double?) -> Row {
        let unknown = Double.nan
        let hasLatency = !track.latency.p50Ns.values.isEmpty
        return Row(
            stage: .receive, scenario: track.isSecure ? secure : plain,
            implementation: name(of: track.backend), messages: track.messageCount / track.floodCount,
            levels: 0,
            repetitions: track.floodCount, nsPerLevel: unknown, nsPerMessage: track.userNsPerMessage,
            p50Ns: hasLatency ? track.latency.p50Ns.value : unknown, p90Ns: unknown,
            p99Ns: hasLatency ? track.latency.p99Ns.value : unknown, p999Ns: unknown, maxNs: unknown,
            worstNs: unknown, bytesPerSecond: nil, allocationsPerMessage: nil,
            allocatedBytesPerMessage: track.allocatedBytesPerMessage, digest: "", timesEngine: times,
            isReference: track.backend == .native, fortyLevel: nil, latency: hasLatency ? track.latency : nil,
            nsPerMessageErrorShare: track.userErrorShare)
    }
}
