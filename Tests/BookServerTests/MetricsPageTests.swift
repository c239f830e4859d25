// The page for Prometheus, read more strictly than by `promtool`, which passes most of what is found here.

import Testing

@testable import BookServer

/// What is wrong with a page of metrics; empty if nothing is.
func faults(ofMetrics page: String) -> [String] {
    var found: [String] = []
    var (family, kind): (Substring, Substring) = ("", "")
    var families: Set<Substring> = []
    var series: Set<Substring> = []
    var histogram: (labels: Substring, bound: Double, count: Double)?
    if page.last != "\n" { found.append("no end of line at the end") }
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
        let words = line.split(separator: " ")
        if line.hasPrefix("# HELP ") { continue }
        if line.hasPrefix("# TYPE ") {
            (family, kind) = (words[2], words[3])
            if !families.insert(family).inserted { found.append("\(family) comes in two pieces") }
            continue
        }
        guard let value = words.last.flatMap({ Double($0) }), words.count == 2 else {
            found.append("not a sample: \(line)")
            continue
        }
        if !series.insert(words[0]).inserted { found.append("twice: \(words[0])") }
        let name = words[0].prefix { $0 != "{" }
        let suffixes = kind == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        if !suffixes.contains(where: { name == family + $0 }) { found.append("\(name) in \(family)") }
        if kind != "histogram" { continue }
        let labels = words[0].drop { $0 != "{" }
        if name.hasSuffix("_bucket"), let split = labels.range(of: ",le=\"") {
            let bound = Double(labels[split.upperBound...].dropLast(2)) ?? .nan
            let own = labels[..<split.lowerBound]
            if let before = histogram, before.labels == own {
                if !(bound > before.bound) { found.append("bounds do not rise: \(line)") }
                if value < before.count { found.append("a bucket falls: \(line)") }
            }
            histogram = (own, bound, value)
        } else if name.hasSuffix("_count") {
            if histogram?.bound != .infinity || histogram?.count != value {
                found.append("+Inf is not the count: \(line)")
            }
        }
    }
    return found
}

@Suite struct MetricsPageTests {
    private func page(_ times: [Int64]) -> String {
        var latencies = ServerLatencies()
        for (index, time) in times.enumerated() {
            latencies.note(
                .init(
                    eventTimeUs: Int64(index), receivedAtNs: 5_000_000, appliedAtNs: 5_000_000),
                nowNs: 5_000_000 + time)
        }
        var page = MetricsPage()
        page.add([(label: "", status: ServerCounters())])
        page.add(latencies)
        return page.text
    }

    @Test func histogramsAreWhole() {
        let text = page([1, 999, 1_000, 70_000, 5_000_000_000, 100_000_000_000])
        #expect(faults(ofMetrics: text) == [])
        #expect(text.contains(#"lob_server_stage_seconds_bucket{stage="receivedToSent",le="0.000001"} 2"#))
        #expect(text.contains(#"lob_server_stage_seconds_bucket{stage="receivedToSent",le="+Inf"} 6"#))
        #expect(text.contains(#"lob_server_stage_seconds_sum{stage="receivedToSent"} 105.000072"#))
        #expect(faults(ofMetrics: page([])) == [])
    }

    /// Whatever times come from outside, the page is written; spans of years are left out.
    @Test func anyTimesAreSurvived() {
        var latencies = ServerLatencies()
        let nowNs: Int64 = 1_790_000_000_000_000_000
        for eventTimeUs in [1, 9_999_999_999_999_999, .max, .min, -1, 1_600_000_000_000_000] as [Int64] {
            for _ in 0..<100 {
                latencies.note(
                    .init(
                        eventTimeUs: eventTimeUs, receivedAtNs: nowNs, appliedAtNs: nowNs + 400),
                    nowNs: nowNs + 1_000)
            }
        }
        latencies.note(
            .init(
                eventTimeUs: 1, receivedAtNs: .max, appliedAtNs: 0),
            nowNs: .min)
        latencies.note(
            .init(
                eventTimeUs: nowNs / 1_000 - 5, receivedAtNs: nowNs, appliedAtNs: nowNs + 400),
            nowNs: nowNs + 1_000)
        #expect(latencies.venueToReceived.count == 1 && latencies.venueToReceived.sumNs == 5_000)
        #expect(latencies.receivedToSent.count == 601)
        #expect(latencies.receivedToApplied.sumNs == 601 * 400 && latencies.appliedToSent.sumNs == 601 * 600)
        var page = MetricsPage()
        page.add(latencies)
        #expect(faults(ofMetrics: page.text) == [])
    }

    @Test(
        arguments: [
            (0, "0"), (1, "0.000000001"), (1_500_000_000, "1.5"), (-123_456_789, "-0.123456789"),
            (-3_000_000_000, "-3"), (.max, "9223372036.854775807"), (.min, "-9223372036.854775808"),
        ] as [(Int64, String)])
    func secondsAreExact(_ ns: Int64, _ text: String) { #expect(MetricsPage.seconds(ns) == text) }

    /// Each fault that the check is there for, made on purpose.
    @Test(arguments: [
        (#"le="+Inf"} 2"#, #"le="+Inf"} 3"#), (#"le="0.000002"} 2"#, #"le="0.000002"} 0"#),
        (#"le="0.000002"}"#, #"le="0.000001"}"#), (#"le="0.000004"}"#, #"le="0.0000015"}"#),
        ("# TYPE lob_server_streams gauge", "# TYPE lob_server_requests_total gauge"),
        ("lob_server_streams 0", "lob_server_strems 0"), ("lob_server_streams 0", "lob_server_streams zero"),
    ])
    func faultsAreFound(_ right: String, _ wrong: String) {
        let text = page([1, 2])
        let broken = text.replacing(right, with: wrong)
        #expect(text != broken || text.contains(right) == false)
        #expect(!faults(ofMetrics: broken).isEmpty, "\(right)")
    }
}
