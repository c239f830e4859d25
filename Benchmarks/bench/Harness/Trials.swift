// Which implementations take part in which stage.

import DepthBook

/// Makes the trials of a workload.
enum Trials {
    /// Snapshots loaded in one pass of the stage `load`.
    private static let loadCount = 20
    /// Levels of a full view.
    private static let viewLevelCount = 2 * BookView.levelCountMax

    /// The stages of a workload in table order, with all their implementations, cut down to what `isWanted`
    /// keeps.
    static func all(
        of workload: Workload, isWanted: (EngineStage, Implementation) -> Bool
    ) -> [Trial] {
        EngineStage.allCases.compactMap { stage in
            if stage == .step || (stage == .load && workload.snapshotLevelCount == 0) { return nil }
            let all = entrants(of: stage, workload)
            let wanted = all.map(\.implementation).filter { isWanted(stage, $0) }
            if wanted.isEmpty { return nil }
            // The engine always runs: the others are checked against it and compared with it.
            let entrants = all.filter { wanted.contains($0.implementation) || $0.implementation == .engine }
            return Trial(stage, workload, entrants, size: size(of: stage, workload))
        }
    }

    /// The engine's entrant of a stage alone.
    static func engine(_ stage: EngineStage, _ workload: Workload) -> Entrant {
        entrants(of: stage, workload)[0]
    }

    /// All implementations of a stage, the engine first.
    private static func entrants(of stage: EngineStage, _ workload: Workload) -> [Entrant] {
        switch stage {
        case .parse:
            [
                Entrant(.engine, EngineParse(workload)),
                Entrant(.jsonDecoder, PeerParse<DecoderParser>(workload)),
                Entrant(.jsonSerialization, PeerParse<SerializationParser>(workload)),
            ]
        case .apply:
            [
                Entrant(.engine, EngineApply(workload)),
                Entrant(.dictionary, PeerApply<DictionaryBook>(workload)),
                Entrant(.sortedArray, PeerApply<SortedArrayBook>(workload)),
            ]
        case .update:
            [
                Entrant(.engine, EngineUpdate(workload)),
                Entrant(.dictionary, PeerUpdate<DecoderParser, DictionaryBook>(workload)),
                Entrant(.sortedArray, PeerUpdate<DecoderParser, SortedArrayBook>(workload)),
            ]
        case .step: [Entrant(.engine, EngineStep(workload))]
        case .load:
            [
                Entrant(.engine, EngineLoad(workload, count: loadCount)),
                Entrant(.dictionary, PeerLoad<DictionaryBook>(workload, count: loadCount)),
                Entrant(.sortedArray, PeerLoad<SortedArrayBook>(workload, count: loadCount)),
            ]
        case .publish:
            [
                Entrant(.engine, EnginePublish(workload)),
                Entrant(.dictionary, PeerPublish<DictionaryBook>(workload)),
                Entrant(.sortedArray, PeerPublish<SortedArrayBook>(workload)),
            ]
        }
    }

    /// Levels of `publish` are the most a view holds: it copies fewer only where a side is shorter.
    static func size(of stage: EngineStage, _ workload: Workload) -> TrialSize {
        switch stage {
        case .parse, .update, .step:
            TrialSize(
                count: workload.count, levelCount: workload.levelCount, byteCount: workload.byteCount)
        case .apply:
            TrialSize(count: workload.count, levelCount: workload.levelCount)
        case .load:
            TrialSize(count: loadCount, levelCount: loadCount * workload.snapshotLevelCount)
        case .publish:
            TrialSize(count: workload.count, levelCount: workload.count * viewLevelCount)
        }
    }
}
