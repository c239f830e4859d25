// The scenarios of a run.

/// Chooses between captures and generated traffic.
enum Scenarios {
    /// Messages of a scenario in a smoke run.
    private static let smokeMessageCount = 150

    /// The traffic of a run; what `--filter` keeps nothing of is neither read nor generated.
    static func traffic(options: Bench) throws -> [Traffic] {
        let messageCountMax = options.messages ?? (options.smoke ? smokeMessageCount : Int.max)
        if options.capture.isEmpty {
            return try GeneratedScenario.profiles.filter { options.isWanted($0.name) }.map {
                try GeneratedScenario.traffic($0, seed: options.seed, messageCountMax: messageCountMax)
            }
        }
        return try options.capture.filter { options.isWanted(try CaptureScenario.name(path: $0)) }.map {
            try CaptureScenario.traffic(path: $0, messageCountMax: messageCountMax)
        }
    }
}
