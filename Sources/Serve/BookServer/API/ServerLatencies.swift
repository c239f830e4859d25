// How long updates take, stage by stage.
//
//     stage               | from                     | to                             | measured
//     --------------------|--------------------------|--------------------------------|--------------------
//     venueToReceived     | the venue's time in it   | its last byte                  | here, each update
//     receivedToPublished | its last byte            | the book's readers can see it  | by the book threads
//     receivedToApplied   | its last byte            | the server's book has taken it | here, each update
//     appliedToSent       | the server's book has it | all its clients were served    | here, each update
//     receivedToSent      | its last byte            | all its clients were served    | here, each update
//
// The first span lies between two clocks, the venue's and this machine's, and includes their difference. The
// second is sampled over turns of the book threads, each of one or more frames; those threads run beside the
// server, not before it.
//
// Times are outside input. A span of more than a day, in either direction, is not a latency: an old recording
// is being played, or a time is wrong. It is ignored.

import LobMetrics

/// Durations of the stages. Thread: the server's.
struct ServerLatencies {
    private(set) var venueToReceived = LatencyHistogram()
    /// The service's durations, as last requested.
    var receivedToPublished = LatencyHistogram()
    private(set) var receivedToApplied = LatencyHistogram()
    private(set) var appliedToSent = LatencyHistogram()
    private(set) var receivedToSent = LatencyHistogram()

    private static let plausibleNsMax: UInt64 = 86_400_000_000_000

    /// An update that is passed on.
    struct Update {
        /// Of the venue, in microseconds since 1970; 0 if unknown.
        var eventTimeUs: Int64
        /// In nanoseconds since 1970.
        var receivedAtNs: Int64
        /// Likewise.
        var appliedAtNs: Int64
    }

    /// Adds an update that was sent at a time in nanoseconds since 1970.
    mutating func note(_ update: Update, nowNs: Int64) {
        let (eventNs, isHuge) = update.eventTimeUs.multipliedReportingOverflow(by: 1_000)
        if update.eventTimeUs != 0 && !isHuge {
            ServerLatencies.add(from: eventNs, to: update.receivedAtNs, &venueToReceived)
        }
        ServerLatencies.add(from: update.receivedAtNs, to: update.appliedAtNs, &receivedToApplied)
        ServerLatencies.add(from: update.appliedAtNs, to: nowNs, &appliedToSent)
        ServerLatencies.add(from: update.receivedAtNs, to: nowNs, &receivedToSent)
    }

    private static func add(from startNs: Int64, to endNs: Int64, _ times: inout LatencyHistogram) {
        let (ns, overflows) = endNs.subtractingReportingOverflow(startNs)
        if overflows || ns.magnitude > ServerLatencies.plausibleNsMax { return }
        times.add(ns: ns)
    }

    /// Name, title and durations of each stage.
    var stages: [(name: String, title: String, times: LatencyHistogram)] {
        [
            ("venueToReceived", "venue to received", venueToReceived),
            ("receivedToPublished", "received to published", receivedToPublished),
            ("receivedToApplied", "received to applied here", receivedToApplied),
            ("appliedToSent", "applied here to sent", appliedToSent),
            ("receivedToSent", "received to sent", receivedToSent),
        ]
    }

    /// All stages.
    func write(_ json: inout JSONWriter) {
        json.array("stages") { json in
            for (name, title, times) in stages {
                json.object { json in
                    json.member("name", name)
                    json.member("title", title)
                    json.member("count", times.count)
                    for (key, perMille) in [("p50Us", 500), ("p90Us", 900), ("p99Us", 990)] {
                        json.member(key, times.quantileNs(perMille: perMille).map { Int($0 / 1_000) })
                    }
                    json.member("maxUs", times.worstNs.map { Int($0 / 1_000) })
                }
            }
        }
    }
}

extension MetricsPage {
    /// Adds the durations of all stages, as one histogram.
    mutating func add(_ latencies: ServerLatencies) {
        let name = "lob_server_stage_seconds"
        append("# HELP \(name) Time that updates take from stage to stage.\n# TYPE \(name) histogram\n")
        for (stage, _, times) in latencies.stages {
            for (boundNs, count) in times.doublings {
                append("\(name)_bucket{stage=\"\(stage)\",le=\"\(MetricsPage.seconds(boundNs))\"} \(count)\n")
            }
            append("\(name)_bucket{stage=\"\(stage)\",le=\"+Inf\"} \(times.count)\n")
            append("\(name)_sum{stage=\"\(stage)\"} \(MetricsPage.seconds(times.sumNs))\n")
            append("\(name)_count{stage=\"\(stage)\"} \(times.count)\n")
        }
    }

    /// Seconds as exact decimal text.
    static func seconds(_ ns: Int64) -> String {
        let (whole, part) = ns.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(part)
        let fraction = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        let kept = fraction.reversed().drop { $0 == "0" }.reversed()
        return (ns < 0 ? "-" : "") + "\(whole)" + (kept.isEmpty ? "" : "." + String(kept))
    }
}
