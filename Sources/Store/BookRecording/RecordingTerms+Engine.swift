// The configuration of an engine as terms of a recording, and back.

import BinanceVenue
import BookEngine
import LobRecording
import MarketData

extension RecordingTerms {
    /// The numbers of a configuration by name.
    private static let fields: [(name: String, path: WritableKeyPath<EngineConfiguration, Int> & Sendable)] =
        [
            ("symbolCountMax", \.symbolCountMax), ("levelCountMax", \.levelCountMax),
            ("bufferBytesMax", \.bufferBytesMax), ("bufferSumBytesMax", \.bufferSumBytesMax),
            ("tickerCountMax", \.tickerCountMax), ("provenLevelCountMin", \.provenLevelCountMin),
        ]

    private static let times: [(name: String, path: WritableKeyPath<EngineConfiguration, Int64> & Sendable)] =
        [
            ("auditEveryNs", \.auditEveryNs), ("aheadNsMin", \.aheadNsMin), ("aheadNsMax", \.aheadNsMax),
            ("snapshotAheadNsMax", \.snapshotAheadNsMax), ("doubtNsMin", \.doubtNsMin),
            ("idsPerSecondMax", \.idsPerSecondMax), ("firstEventNsMax", \.firstEventNsMax),
            ("silenceNsMin", \.silenceNsMin), ("silenceNsMax", \.silenceNsMax), ("lagNsMax", \.lagNsMax),
        ]

    /// The terms of an engine.
    ///
    /// - Parameters:
    ///   - market: market of all symbols.
    ///   - symbols: in order of their numbers.
    ///   - configuration: the engine's.
    package init(market: Market, symbols: [SymbolName], _ configuration: EngineConfiguration) {
        var numbers: [String: Int64] = [:]
        for (name, path) in RecordingTerms.fields { numbers[name] = Int64(configuration[keyPath: path]) }
        for (name, path) in RecordingTerms.times { numbers[name] = configuration[keyPath: path] }
        numbers["requestsAreAnnounced"] = configuration.requestsAreAnnounced ? 1 : 0
        numbers["mismatchPolicyIsResync"] = configuration.mismatchPolicy == .resync ? 1 : 0
        self.init(market: market.name, symbols: symbols.map(\.bytes), numbers: numbers)
    }

    /// Whether updates overlap as those of several connections do, which were recorded together.
    package var hasSeveralConnections: Bool {
        get { numbers["severalConnections"] == 1 }
        set { numbers["severalConnections"] = newValue ? 1 : nil }
    }

    /// The market; nil if this build does not know it.
    package var knownMarket: Market? { Market(name: market) }

    /// The names of the symbols; nil if one is invalid.
    package var symbolNames: [SymbolName]? {
        var names: [SymbolName] = []
        for symbol in symbols {
            guard let name = SymbolName(symbol.span), !name.isEmpty else { return nil }
            names.append(name)
        }
        return names
    }

    /// The configuration of an engine that repeats the recording; nil if its market is unknown.
    package var engine: EngineConfiguration? {
        guard let market = knownMarket else { return nil }
        var configuration = EngineConfiguration(rules: market.rules)
        if hasSeveralConnections { configuration.rules.sequence = .severalConnections }
        for (name, path) in RecordingTerms.fields {
            // Memory bounds come from the file: none may exceed what an engine is ever given.
            guard let value = numbers[name] else { continue }
            configuration[keyPath: path] = Int(min(max(value, 0), 1 << 30))
        }
        for (name, path) in RecordingTerms.times {
            if let value = numbers[name] { configuration[keyPath: path] = max(value, 0) }
        }
        if let value = numbers["requestsAreAnnounced"] { configuration.requestsAreAnnounced = value != 0 }
        if let value = numbers["mismatchPolicyIsResync"] {
            configuration.mismatchPolicy = value != 0 ? .resync : .count
        }
        // Only the requests of the engine whose frames were recorded were carried out.
        configuration.resubscribes = false
        configuration.publication = .conflated
        return configuration
    }
}
