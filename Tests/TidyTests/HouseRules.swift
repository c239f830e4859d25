/// The tables behind the rules. A new target needs a row in `arrows`; a file with unsafe code a name in
/// `fence`.
enum HouseRules {
    static let lineCountMax = 350
    static let functionLineCountMax = 60
    static let columnMax = 110
    /// A line of a test that holds a text: messages and requests read best unbroken.
    static let quotedColumnMax = 130
    static let readmeLineCountMax = 180

    /// What each target may import, from top to bottom: an arrow between targets points upwards in this list.
    /// Foundation is for the executables only.
    static let arrows: [(target: String, imports: Set<String>)] = [
        ("MarketData", []),
        ("LobMetrics", []),
        ("BookSync", ["MarketData"]),
        ("DepthBook", ["CLobKernels", "MarketData"]),
        ("LobHandoff", ["CLobKernels", "Glibc", "LobMetrics", "Synchronization"]),
        ("FeedPlan", ["MarketData"]),
        ("BinanceVenue", ["BookSync", "CLobKernels", "FeedPlan", "MarketData"]),
        ("BinanceServing", ["BinanceVenue", "FeedPlan", "MarketData"]),
        (
            "BookEngine",
            ["BinanceVenue", "BookSync", "DepthBook", "FeedPlan", "LobHandoff", "LobMetrics", "MarketData"]
        ),
        (
            "DepthFeed",
            [
                "BinanceVenue", "BookEngine", "BookSync", "FeedPlan", "LobHandoff", "LobMetrics",
                "MarketData",
            ]
        ),
        ("LobTransport", ["CLobTransport", "LobHandoff", "LobMetrics"]),
        (
            "FeedSockets", ["BinanceVenue", "DepthFeed", "LobHandoff", "LobTransport", "MarketData"]
        ),
        (
            "BookService",
            [
                "BinanceVenue", "BookEngine", "DepthBook", "DepthFeed", "FeedPlan", "FeedSockets",
                "LobHandoff", "LobMetrics", "LobTransport", "MarketData", "Synchronization",
            ]
        ),
        (
            "LocalOrderBook",
            [
                "BinanceVenue", "BookEngine", "BookService", "BookSync", "DepthBook", "DepthFeed", "FeedPlan",
                "LobHandoff", "LobMetrics", "LobTransport", "MarketData",
            ]
        ),
        ("LobRecording", ["CLobZlib", "CLobZstd", "Dispatch", "Glibc", "LobHandoff", "MarketData"]),
        ("Captures", ["BinanceVenue", "BookSync", "LobRecording", "MarketData"]),
        (
            "BookRecording",
            [
                "BinanceVenue", "BookEngine", "BookService", "BookSync", "DepthBook", "Glibc", "LobHandoff",
                "LobRecording", "MarketData", "Synchronization",
            ]
        ),
        ("BookExports", ["CLobZlib", "DepthBook", "Glibc", "MarketData"]),
        (
            "SnapshotStore",
            [
                "BookEngine", "BookService", "DepthBook", "Foundation", "GRDB", "LobHandoff",
                "LobMetrics", "LobRecording", "MarketData", "Synchronization",
            ]
        ),
        (
            "BookServer",
            [
                "BinanceServing", "BinanceVenue", "BookEngine", "BookService", "BookSync", "CLobPages",
                "DepthBook", "FeedPlan", "LobHandoff", "LobMetrics", "LobTransport", "MarketData",
                "Synchronization",
            ]
        ),
        (
            "SimulatedExchange",
            ["BinanceServing", "BinanceVenue", "DepthBook", "FeedPlan", "LobMetrics", "MarketData"]
        ),
        (
            "ExchangeServer",
            [
                "BinanceServing", "BinanceVenue", "BookSync", "Captures", "DepthBook",
                "LobMetrics",
                "LobRecording", "LobTransport", "MarketData", "SimulatedExchange",
            ]
        ),
        (
            "PipelineSimulation",
            [
                "BinanceServing", "BinanceVenue", "BookEngine", "BookSync", "DepthBook", "DepthFeed",
                "FeedPlan", "LobHandoff",
                "MarketData", "SimulatedExchange",
            ]
        ),
        ("lob", ["ArgumentParser", "Foundation", "Glibc", "Logging", "Synchronization"]),
        ("bench", ["ArgumentParser", "Foundation", "Histogram", "Synchronization"]),
    ]

    /// The module for programs of others: the only one that exports others, and nobody in `Sources` imports
    /// it.
    static let face = "LocalOrderBook"

    /// The targets at the end of all arrows, which may import every other one as well, but not the face.
    static let executables: Set<String> = ["lob", "bench"]

    /// The only files of `Sources` in which the words of unsafe code may appear, each with a `SAFETY:` line.
    static let fence: [String: Set<String>] = [
        "MarketData": ["DecimalScan", "DecimalText", "LevelBuffer", "SymbolName"],
        "DepthBook": ["BookSide", "BookSide+Levelling", "BookSide+Reading", "OrderBook", "UpdateLevels"],
        "BinanceVenue": [
            "JSONCursor", "JSONCursor+Values", "LevelsParser", "MessageEncoder", "MessageParser",
            "MessageParser+Kernel", "MessageParser+Names", "MessageParser+Straight",
        ],
        "LobHandoff": [
            "Bell", "FrameConsumer", "FrameProducer", "LatestValue", "PinnedThread", "RingMemory", "Signal",
            "TaskWaker",
        ],
        "BookEngine": [
            "BookEngine+Feeding", "BookEngine+Frames", "BookEngine+LookAhead", "SymbolHints", "SyncedBook",
            "MessageBuffer",
        ],
        "BookServer": ["Page", "ServedShard"],
        "Captures": ["CaptureSurvey"],
        "LobTransport": ["LoopOwner", "MessagePacker", "Socket"],
        "lob": [
            "CaptureConversion", "Console", "ConvertRefusal", "ConvertTarget", "ExchangeRun", "LineReader",
            "Output",
            "PacketSink", "SegmentSink", "TextSink", "RecordedExport", "Replay", "Replay+Exporting",
            "ReplayStream", "RunLog", "StopSignals", "Terminal",
        ],
        "PipelineSimulation": ["FrameFacts"],
        "LobRecording": [
            "GzipFile", "PacketMessages",
            "ByteSource", "CaptureReader", "CaptureSession", "FrameBlock", "FrameFile", "PipeSpool",
            "RecordingWriter", "SegmentFile", "ZstdBlock", "ZstdFile",
        ],
        "BookExports": ["ExportFile", "GzipPacker", "PatientWriter"],
        "SnapshotStore": ["StoreFile"],
        "BookRecording": [
            "CaptureRecorder",
            "RecordedEngine", "RecordedEngine+Comparing", "RecorderClock", "ShardRecorder",
            "ShardRecorder+Writing", "SymbolMark",
        ],
    ]

    /// Floors that know no venue, and words that may not stand there, neither in code nor in comments. The
    /// module that the engine's parser comes from is the one exception.
    static let venueless = ["Sources/Core/", "Sources/Engine/"]
    static let venueWords: Set<String> = ["spot", "futures", "usdm", "coinm", "binance"]

    /// Files that hold functions of one purpose instead of a type.
    static let namedAfterFunctions: Set<String> = [
        "CapturedText", "DecimalScan", "DecimalText", "Exports", "FeedMistakes", "FrameEncoder", "HTTPDate",
        "LineTime",
        "PlayingTime", "ScaleConversion", "WithBooks",
    ]

    /// Names in backticks of what is neither in the code nor in a script of this repository.
    static let foreignNames: Set<String> = [
        "BTCUSDT_250627", "BTCUSD_261225", "_total", "atoll", "bisect", "insort", "lob_", "nohup",
    ]

    /// Folders of programs that the package does not build: clients in other languages.
    static let otherPrograms: Set<String> = [
        "Benchmarks/serve", "Tests/Clients", "Tests/Dashboard", "Tests/Exports",
    ]

    /// What may lie in the root folder besides entries that begin with a dot.
    static let topLevel: Set<String> = [
        "Package.swift", "Package.resolved", "README.md", "Sources", "Tests", "Benchmarks", "perf",
    ]
}

/// A line that is nothing but a comment, counted from 1.
struct CommentLine: Hashable {
    let text: Substring
    let line: Int
}

extension SourceFile {
    /// Whether the fence names this file.
    var isFenced: Bool {
        HouseRules.fence[target ?? ""]?.contains { name == $0 + ".swift" } ?? false
    }

    /// The modules a Swift file imports, with their lines counted from 1.
    func imports() -> [(module: String, line: Int)] {
        let code = String(decoding: TextClasses(bytes).codeOnly, as: UTF8.self)
        let kinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
        ]
        var found: [(String, Int)] = []
        for (index, line) in code.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var words = line.split { $0 == " " || $0 == "." || $0 == ";" }[...]
            guard let at = words.firstIndex(of: "import") else { continue }
            let isDeclaration = words[..<at].allSatisfy { word in
                word.hasPrefix("@")
                    || ["public", "package", "internal", "private", "fileprivate"].contains(word)
            }
            words = words[(at + 1)...]
            if let first = words.first, kinds.contains(first) { words = words.dropFirst() }
            if isDeclaration, let module = words.first { found.append((String(module), index + 1)) }
        }
        return found
    }

    /// Lines that are nothing but a comment, documentation or not, without the slashes and the blank behind
    /// them.
    ///
    /// - Parameter classes: those of its bytes.
    func commentLines(_ classes: [TextClasses.Class]) -> [CommentLine] {
        var found: [CommentLine] = []
        var start = 0
        for (index, line) in lines.enumerated() {
            defer { start += line.utf8.count + 1 }
            let blanks = line.utf8.prefix { $0 == 0x20 }.count
            let text = line.dropFirst(blanks)
            guard text.hasPrefix("//"), classes[start + blanks] == .comment else { continue }
            let words = text.drop { $0 == "/" }
            found.append(CommentLine(text: words.hasPrefix(" ") ? words.dropFirst() : words, line: index + 1))
        }
        return found
    }

    /// Lines that are nothing but a comment, without the slashes of it; documentation comments are left out.
    func plainComments() -> [(text: String, line: Int)] {
        let classes = TextClasses(bytes).classes
        var found: [(String, Int)] = []
        var start = 0
        for (index, line) in lines.enumerated() {
            defer { start += line.utf8.count + 1 }
            let blanks = line.utf8.prefix { $0 == 0x20 }.count
            let text = line.dropFirst(blanks)
            guard text.hasPrefix("//"), !text.hasPrefix("///"), classes[start + blanks] == .comment else {
                continue
            }
            found.append((String(text.dropFirst(2)), index + 1))
        }
        return found
    }
}

/// Whether the text of a comment line is code rather than prose, data or grammar.
///
/// Sure signs only: a brace at the end (unless the line is JSON or a set of names), a whole statement of C,
/// or a Swift declaration or import from its first word to its end. What is indented by four columns more
/// than prose is an example.
func looksLikeCode(_ comment: String) -> Bool {
    if comment.hasPrefix("     ") { return false }
    let text = String(comment.drop { $0 == " " || $0 == "\t" })
    if text.hasSuffix("{") || text == "}" || text == "})" { return true }
    if text.hasSuffix("}") && text.contains("{ ") && !text.contains("\"") && !text.contains("…") {
        return true
    }
    let statement = #/[A-Za-z_][A-Za-z0-9_.>\[\]\-]*( [+\-*|&]?= .+|\([^ ].*\)|\(\));/#
    if text.wholeMatch(of: statement) != nil { return true }
    let declaration =
        #/(private |public |static |@[a-z]+ )*(let|var) [a-z][A-Za-z0-9]*(: [A-Z][^ ]*|(: [A-Z][^ ]*)? = .+)/#
    if text.wholeMatch(of: declaration) != nil { return true }
    let other = #/(private |public |static |mutating )*func [A-Za-z]+\(.*|import [A-Z][A-Za-z]*/#
    return text.wholeMatch(of: other) != nil
}
