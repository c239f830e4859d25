// One measured implementation of one stage of one scenario, as printed.

/// A line of the table and an object of `--json`. Times are in nanoseconds; `Header` tells what of.
struct Row {
    var stage: Stage
    var scenario: String
    var implementation: String
    /// Messages and levels of one pass.
    var messages: Int
    var levels: Int
    var repetitions: Int
    var nsPerLevel: Double
    var nsPerMessage: Double
    var p50Ns: Double
    var p90Ns: Double
    var p99Ns: Double
    var p999Ns: Double
    /// The slowest message of a pass, as the median over passes.
    var maxNs: Double
    /// The slowest message of all passes: mostly what the operating system did.
    var worstNs: Double
    /// Bytes on the wire; nil for stages that read none.
    var bytesPerSecond: Double?
    var allocationsPerMessage: Double?
    var allocatedBytesPerMessage: Double?
    var digest: String
    /// How many times as long as the engine this implementation took: the median over repetitions of both.
    var timesEngine: Double?
    /// Whether this is what the others of its stage are compared with.
    var isReference: Bool
    var fortyLevel: FortyLevelRow?
    /// The rounds of stages with two threads.
    var latency: LatencyRounds?
    /// Standard error of `nsPerMessage` as a share of it, where it is sampled.
    var nsPerMessageErrorShare: Double?
    /// Whether other work is in `nsPerMessage`.
    var isTimeDisturbed = false
    /// Whether other work is in `timesEngine`.
    var isRatioDisturbed = false

    /// Whether other work is in the median latency or in `nsPerMessage`.
    var isDisturbed: Bool { isTimeDisturbed || latency?.p50Ns.isDisturbed == true }
}

/// Messages of 38 to 42 levels.
struct FortyLevelRow {
    var messages: Int
    var p50Ns: Double
    var p99Ns: Double
    var maxNs: Double
}

extension Row {
    /// The row as one line of JSON.
    var json: String {
        var fields: [String] = [
            field("stage", stage.rawValue), field("scenario", scenario),
            field("implementation", implementation),
            field("messages", messages), field("levels", levels), field("nsPerLevel", nsPerLevel),
            field("nsPerMessage", nsPerMessage), field("p50Ns", p50Ns), field("p90Ns", p90Ns),
            field("p99Ns", p99Ns), field("p999Ns", p999Ns), field("maxNs", maxNs),
            field("bytesPerSecond", bytesPerSecond), field("allocationsPerMessage", allocationsPerMessage),
            field("digest", digest), field("allocatedBytesPerMessage", allocatedBytesPerMessage),
            field("worstNs", worstNs), field("repetitions", repetitions), field("timesEngine", timesEngine),
        ]
        if let fortyLevel {
            fields += [
                field("fortyLevelMessages", fortyLevel.messages),
                field("fortyLevelP50Ns", fortyLevel.p50Ns),
                field("fortyLevelP99Ns", fortyLevel.p99Ns), field("fortyLevelMaxNs", fortyLevel.maxNs),
            ]
        }
        if let latency {
            fields += [
                "\"disturbed\":\(isDisturbed)", "\"p99Disturbed\":\(latency.p99Ns.isDisturbed)",
                field("p50Rounds", latency.p50Ns.values.count),
                field("p50DisturbedRounds", latency.p50Ns.disturbedCount),
                field("waitedShare", latency.p50Ns.waitedShare),
                field("p50NsLow", latency.p50Ns.low), field("p50NsHigh", latency.p50Ns.high),
            ]
        }
        if let nsPerMessageErrorShare {
            fields.append(field("nsPerMessageErrorShare", nsPerMessageErrorShare))
        }
        return "{" + fields.joined(separator: ",") + "}"
    }
}

private func field(_ name: String, _ value: String) -> String {
    let escaped = value.unicodeScalars.map { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case _ where scalar.value < 0x20: " "
        default: String(scalar)
        }
    }
    return "\"\(name)\":\"\(escaped.joined())\""
}

private func field(_ name: String, _ value: Int) -> String { "\"\(name)\":\(value)" }

private func field(_ name: String, _ value: Double?) -> String {
    guard let value, value.isFinite else { return "\"\(name)\":null" }
    let rounded = (value * 1000).rounded() / 1000
    return "\"\(name)\":"
        + (rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int(rounded)) : String(rounded))
}

extension Trial {
    /// The finished rows, in the order of the entrants; those that took part in no repetition are left out.
    func rows(nsPerTick: Double) -> [Row] {
        entrants.indices.compactMap { index in
            tracks[index].profiles.isEmpty ? nil : row(index, nsPerTick: nsPerTick)
        }
    }

    /// What was measured, for the picture.
    var series: [PlotSeries] {
        entrants.indices.filter { !tracks[$0].profiles.isEmpty }.map {
            PlotSeries(
                scenario: workload.name, stage: stage, implementation: entrants[$0].implementation,
                histogram: tracks[$0].merged)
        }
    }

    private func row(_ index: Int, nsPerTick: Double) -> Row {
        let track = tracks[index]
        let passNs = median(track.passNs.compactMap { $0 })
        let profile = LatencyProfile(medianOf: track.profiles).scaled(by: nsPerTick)
        let perMessage = 1 / Double(max(count, 1))
        return Row(
            stage: stage.stage, scenario: workload.name,
            implementation: entrants[index].implementation.rawValue,
            messages: count, levels: levelCount, repetitions: track.profiles.count,
            nsPerLevel: passNs / Double(max(levelCount, 1)), nsPerMessage: passNs * perMessage,
            p50Ns: profile.p50, p90Ns: profile.p90, p99Ns: profile.p99, p999Ns: profile.p999,
            maxNs: profile.max, worstNs: Double(track.worstTicks) * nsPerTick,
            bytesPerSecond: byteCount.map { Double($0) / max(passNs, 1) * 1e9 },
            allocationsPerMessage: track.allocations.map { Double($0.requests) * perMessage },
            allocatedBytesPerMessage: track.allocations.map { Double($0.bytes) * perMessage },
            digest: hex(digest), timesEngine: timesEngine(index),
            isReference: entrants[index].implementation == .engine,
            fortyLevel: fortyLevelRow(index, nsPerTick: nsPerTick))
    }

    /// The median over the repetitions in which both took part.
    private func timesEngine(_ index: Int) -> Double? {
        guard let engine = entrants.firstIndex(where: { $0.implementation == .engine }) else { return nil }
        let ratios = zip(tracks[index].passNs, tracks[engine].passNs).compactMap { own, reference in
            own.flatMap { own in reference.map { own / max($0, 1) } }
        }
        return ratios.isEmpty ? nil : median(ratios)
    }

    private func fortyLevelRow(_ index: Int, nsPerTick: Double) -> FortyLevelRow? {
        if tracks[index].fortyLevelProfiles.isEmpty { return nil }
        let profile = LatencyProfile(medianOf: tracks[index].fortyLevelProfiles).scaled(by: nsPerTick)
        return FortyLevelRow(
            messages: fortyLevelIndices.count, p50Ns: profile.p50, p99Ns: profile.p99, maxNs: profile.max)
    }
}
