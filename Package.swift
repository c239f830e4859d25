// swift-tools-version: 6.2
import PackageDescription

// The CPU the whole package is compiled for, C and Swift alike. `LOB_MARCH=x86-64` gives a portable build
// (slower: no AVX2, no POPCNT); wider kernels are chosen at run time inside CLobKernels and need no flag.
#if arch(x86_64)
    let march = Context.environment["LOB_MARCH"] ?? "x86-64-v3"
    let cpuFlags = ["-march=\(march)"]
#else
    let cpuFlags: [String] = []
#endif

/// `LOB_WERROR=1` turns every warning into an error; CI sets it.
let strict = Context.environment["LOB_WERROR"] != nil

/// `LOB_FUZZ=1` instruments everything for libFuzzer and adds the programs under Tests/Fuzzing.
let isFuzzing = Context.environment["LOB_FUZZ"] != nil

/// Settings of tests and benchmarks.
let plain: [SwiftSetting] =
    [
        .unsafeFlags(cpuFlags.flatMap { ["-Xcc", $0] }),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])
    + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])] : [])

/// Settings of every target of `Sources`: the compiler refuses unsafe code that is not marked as such. The list
/// of files that may have any is in Tests/TidyTests.
let settings: [SwiftSetting] = plain + [.strictMemorySafety()]

/// Settings of what the tests spend their time in: optimised in debug builds as well, every assertion kept.
/// `LOB_STEPPED=1` leaves it to the debugger instead, as the thread sanitizer's build does: the compiler (6.3.1)
/// cannot build optimised code for it.
let isStepped = ["LOB_STEPPED", "LOB_HANDOFF"].contains { Context.environment[$0] != nil }
let fast: [SwiftSetting] =
    isStepped ? [] : [.unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))]
let optimised = settings + fast

let cFlags: [CSetting] =
    [
        .unsafeFlags(cpuFlags),
        .unsafeFlags(isStepped ? [] : ["-O2"], .when(configuration: .debug)),
        .unsafeFlags(["-O3"], .when(configuration: .release)),
        .define("NDEBUG", .when(configuration: .release)),
    ] + (isFuzzing ? [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])] : [])

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let sqlite: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "LocalOrderBook",
    products: [
        .library(
            name: "LocalOrderBook",
            targets: [
                "LocalOrderBook", "MarketData", "BookSync", "DepthBook", "LobHandoff", "FeedPlan",
                "BinanceVenue", "BookEngine", "LobTransport", "DepthFeed", "FeedSockets", "BookService",
            ]),
        .library(name: "LocalOrderBookRecording", targets: ["LobRecording", "BookRecording"]),
        .executable(name: "lob", targets: ["lob"]),
        .executable(name: "bench", targets: ["bench"]),
    ],
    traits: [
        .trait(name: "Jemalloc", description: "Link jemalloc and use its per-thread counters."),
        .default(enabledTraits: ["Jemalloc"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // C: the kernels, and the one place where each C library is met.
        .systemLibrary(
            name: "CLobJemalloc", path: "Sources/C/CLobJemalloc", pkgConfig: "jemalloc",
            providers: [.apt(["libjemalloc-dev"])]),
        .target(
            name: "CLobAllocator",
            dependencies: [.target(name: "CLobJemalloc", condition: .when(traits: ["Jemalloc"]))],
            path: "Sources/C/CLobAllocator",
            cSettings: cFlags + [.define("LOB_JEMALLOC", .when(traits: ["Jemalloc"]))]),
        .systemLibrary(
            name: "CLobZlib", path: "Sources/C/CLobZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]
        ),
        .systemLibrary(
            name: "CLobZstd", path: "Sources/C/CLobZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLobLibwebsockets", path: "Sources/C/CLobLibwebsockets", pkgConfig: "libwebsockets",
            providers: [.apt(["libwebsockets-dev"])]),
        .target(
            name: "CLobTransport", dependencies: ["CLobLibwebsockets"], path: "Sources/C/CLobTransport",
            cSettings: cFlags + [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto"), .linkedLibrary("z")]),
        .target(name: "CLobKernels", path: "Sources/C/CLobKernels", cSettings: cFlags),
        .target(name: "CLobPages", path: "Sources/C/CLobPages", exclude: ["files"], cSettings: cFlags),

        // Core: one message. No I/O, no clock, no venue.
        .target(name: "MarketData", path: "Sources/Core/MarketData", swiftSettings: optimised),
        .target(name: "LobMetrics", path: "Sources/Core/Metrics", swiftSettings: settings),
        .target(
            name: "BookSync", dependencies: ["MarketData"], path: "Sources/Core/BookSync",
            swiftSettings: optimised),
        .target(
            name: "DepthBook", dependencies: ["MarketData", "CLobKernels"], path: "Sources/Core/DepthBook",
            swiftSettings: optimised),
        .target(
            name: "LobHandoff", dependencies: ["LobMetrics", "CLobKernels"], path: "Sources/Core/Handoff",
            swiftSettings: optimised),
        .target(
            name: "FeedPlan", dependencies: ["MarketData"], path: "Sources/Core/FeedPlan",
            swiftSettings: settings
        ),

        // Venues: everything that changes if the venue changes.
        .target(
            name: "BinanceVenue", dependencies: ["MarketData", "BookSync", "FeedPlan", "CLobKernels"],
            path: "Sources/Venues/Binance", exclude: ["Serving"], swiftSettings: optimised),
        .target(
            name: "BinanceServing", dependencies: ["MarketData", "BookSync", "FeedPlan", "BinanceVenue"],
            path: "Sources/Venues/Binance/Serving", swiftSettings: optimised),

        // Engine: frames in, books out.
        .target(
            name: "BookEngine",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "LobHandoff", "FeedPlan", "BinanceVenue",
            ],
            path: "Sources/Engine/BookEngine", swiftSettings: optimised),

        // Live: from the network to books.
        .target(
            name: "DepthFeed",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "FeedPlan", "BinanceVenue", "LobHandoff",
                "BookEngine",
            ],
            path: "Sources/Live/DepthFeed", swiftSettings: settings),
        .target(
            name: "LobTransport", dependencies: ["LobMetrics", "CLobTransport", "LobHandoff"],
            path: "Sources/Live/Transport",
            swiftSettings: settings),
        .target(
            name: "FeedSockets",
            dependencies: ["MarketData", "BinanceVenue", "LobHandoff", "LobTransport", "DepthFeed"],
            path: "Sources/Live/FeedSockets", swiftSettings: settings),
        .target(
            name: "BookService",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "FeedPlan", "BinanceVenue", "LobHandoff",
                "BookEngine", "LobTransport", "DepthFeed", "FeedSockets", "CLobKernels",
            ],
            path: "Sources/Live/BookService", swiftSettings: settings),

        // The face: all that a program imports. Nobody in here does.
        .target(
            name: "LocalOrderBook",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "LobHandoff", "FeedPlan", "BinanceVenue",
                "BookEngine", "LobTransport", "DepthFeed", "BookService",
            ],
            swiftSettings: settings),

        // Store: what is kept.
        .target(
            name: "LobRecording", dependencies: ["MarketData", "LobHandoff", "CLobZlib", "CLobZstd"],
            path: "Sources/Store/Recording", swiftSettings: settings),
        .target(
            name: "Captures", dependencies: ["MarketData", "BookSync", "BinanceVenue", "LobRecording"],
            path: "Sources/Store/Captures", swiftSettings: settings),
        .target(
            name: "BookRecording",
            dependencies: [
                "MarketData", "BookSync", "DepthBook", "BinanceVenue", "LobHandoff", "BookEngine",
                "BookService", "LobRecording",
            ],
            path: "Sources/Store/BookRecording", swiftSettings: settings),

        // Not part of a library product: whoever embeds books builds no database.
        .target(
            name: "SnapshotStore",
            dependencies: [
                "MarketData", "LobMetrics", "DepthBook", "LobHandoff", "BookEngine", "BookService",
                "LobRecording", sqlite,
            ],
            path: "Sources/Store/SnapshotStore", swiftSettings: settings),
        .target(
            name: "BookExports", dependencies: ["MarketData", "DepthBook", "CLobZlib"],
            path: "Sources/Store/Exports", swiftSettings: settings),

        // Serve: the books for others.
        .target(
            name: "BookServer",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "LobHandoff", "FeedPlan", "BinanceVenue",
                "BinanceServing", "BookEngine", "LobTransport", "BookService", "CLobPages",
            ],
            path: "Sources/Serve/BookServer", swiftSettings: settings),

        // Lab: a venue of our own, over sockets and in virtual time.
        .target(
            name: "SimulatedExchange",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "FeedPlan", "BinanceVenue",
                "BinanceServing",
            ],
            path: "Sources/Lab/SimulatedExchange", swiftSettings: optimised),
        .target(
            name: "ExchangeServer",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "BinanceVenue",
                "BinanceServing",
                "LobRecording", "Captures", "SimulatedExchange", "LobTransport",
            ],
            path: "Sources/Lab/ExchangeServer", swiftSettings: settings),
        .target(
            name: "PipelineSimulation",
            dependencies: [
                "MarketData", "BookSync", "DepthBook", "FeedPlan", "BinanceServing", "BinanceVenue",
                "LobHandoff", "BookEngine",
                "DepthFeed", "SimulatedExchange",
            ],
            path: "Sources/Lab/PipelineSimulation", swiftSettings: optimised),

        .executableTarget(
            name: "lob",
            dependencies: [
                "MarketData", "LobMetrics", "BookSync", "DepthBook", "FeedPlan", "BinanceVenue", "LobHandoff",
                "BookEngine", "LobRecording", "Captures", "SimulatedExchange", "PipelineSimulation",
                "ExchangeServer", "LobTransport", "DepthFeed", "BookService", "BookServer", "BookRecording",
                "SnapshotStore", "BookExports", "CLobAllocator", argumentParser, logging,
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "bench",
            dependencies: [
                "MarketData", "BookSync", "DepthBook", "FeedPlan", "BinanceVenue", "LobHandoff", "BookEngine",
                "LobRecording", "BookRecording", "SimulatedExchange", "LobTransport", "DepthFeed",
                "FeedSockets",
                "CLobAllocator", "CLobKernels", argumentParser, histogram,
            ],
            path: "Benchmarks/bench", swiftSettings: plain),
        .target(
            name: "TestSupport", dependencies: ["MarketData", "DepthBook", "BinanceVenue", "CLobAllocator"],
            path: "Tests/TestSupport", exclude: ["Venue"], swiftSettings: plain),
        .target(
            name: "VenueSupport",
            dependencies: [
                "MarketData", "LobHandoff", "BinanceVenue", "BinanceServing", "LobTransport",
                "SimulatedExchange", "ExchangeServer",
            ],
            path: "Tests/TestSupport/Venue", swiftSettings: plain),
        .testTarget(name: "MarketDataTests", dependencies: ["MarketData", "BinanceVenue", "TestSupport"]),
        .testTarget(
            name: "DepthBookTests", dependencies: ["DepthBook", "BinanceVenue", "TestSupport", "CLobKernels"]),
        .testTarget(
            name: "BinanceDepthTests",
            dependencies: ["BinanceVenue", "BookSync", "FeedPlan", "DepthBook", "TestSupport"]),
        .testTarget(
            name: "BinanceServingTests", dependencies: ["BinanceServing", "BinanceVenue", "FeedPlan"]),
        .testTarget(name: "HandoffTests", dependencies: ["LobHandoff", "TestSupport"]),
        .testTarget(
            name: "RecordingTests",
            dependencies: ["MarketData", "LobRecording", "LobHandoff", "TestSupport"]),
        .testTarget(
            name: "BookRecordingTests",
            dependencies: [
                "BookRecording", "LobRecording", "BookEngine", "BookSync", "BinanceVenue", "DepthBook",
                "LobHandoff", "TestSupport",
            ]),
        .testTarget(
            name: "SnapshotStoreTests",
            dependencies: [
                "SnapshotStore", "MarketData", "LobMetrics", "BookEngine", "DepthBook", "TestSupport", sqlite,
            ]),
        .testTarget(
            name: "BookExportsTests",
            dependencies: ["BookExports", "BinanceVenue", "DepthBook", "MarketData", "TestSupport"]),
        .testTarget(
            name: "BookEngineTests", dependencies: ["BookEngine", "SimulatedExchange", "TestSupport"]),
        .testTarget(name: "SimulatedExchangeTests", dependencies: ["SimulatedExchange", "TestSupport"]),
        .testTarget(
            name: "ExchangeServerTests",
            dependencies: [
                "ExchangeServer", "BinanceServing", "LobHandoff", "LobRecording", "SimulatedExchange",
                "LobTransport", "TestSupport", "VenueSupport",
            ]),
        .testTarget(name: "PipelineTests", dependencies: ["PipelineSimulation", "TestSupport"]),
        .testTarget(name: "TransportTests", dependencies: ["LobTransport", "TestSupport", "CLobAllocator"]),
        .testTarget(
            name: "DepthFeedTests",
            dependencies: [
                "DepthFeed", "FeedSockets", "LobTransport", "BookEngine", "SimulatedExchange", "TestSupport",
            ]),
        .testTarget(
            name: "BookServiceTests",
            dependencies: [
                "BookService", "BookRecording", "LobRecording", "LocalOrderBook", "ExchangeServer",
                "SimulatedExchange", "LobTransport", "FeedSockets", "SnapshotStore", "TestSupport",
                "VenueSupport", "CLobAllocator",
            ]),
        .testTarget(
            name: "BookServerTests",
            dependencies: [
                "BookServer", "BookService", "BookEngine", "ExchangeServer", "SimulatedExchange",
                "BinanceServing", "LobTransport", "TestSupport", "VenueSupport",
            ]),
        .testTarget(
            name: "MetricsTests",
            dependencies: [
                "LobMetrics", "BookService", "BookServer", "ExchangeServer", "SimulatedExchange",
            ]),
        .testTarget(
            name: "LobTests",
            dependencies: [
                "lob", "BookServer", "SnapshotStore", "BookEngine", "DepthBook", "MarketData", "TestSupport",
                "BookExports", "BookRecording", "BookService", "LobRecording", "LobHandoff", "LobTransport",
                "BinanceVenue",
            ]),
        .testTarget(name: "TidyTests", swiftSettings: plain + fast),
    ]
)

// `LOB_HANDOFF=1` leaves only what crosses threads and its tests: quick to build for the thread sanitizer, with
// which the compiler (6.3.1) cannot build an engine.
if Context.environment["LOB_HANDOFF"] != nil {
    let kept: Set = [
        "CLobJemalloc", "CLobAllocator", "CLobKernels", "MarketData", "LobMetrics", "BookSync", "FeedPlan",
        "DepthBook",
        "BinanceVenue", "LobHandoff", "TestSupport", "HandoffTests",
    ]
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
}

// `LOB_OPTIMISED=1` leaves the test suites that are also run in optimised code, and what they need.
if Context.environment["LOB_OPTIMISED"] != nil {
    let kept: Set = [
        "BookEngineTests", "DepthBookTests", "BinanceDepthTests", "HandoffTests", "DepthFeedTests",
        "BookServerTests",
    ]
    let left: Set = ["lob", "bench", "SnapshotStore"]
    package.targets.removeAll { $0.type == .test && !kept.contains($0.name) || left.contains($0.name) }
    package.products = []
}

if isFuzzing {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer"),
        .executableTarget(
            name: "fuzz-parser", dependencies: ["BinanceVenue", "CFuzzer"], path: "Tests/Fuzzing/parser",
            swiftSettings: plain,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
        .executableTarget(
            name: "fuzz-requests",
            dependencies: [
                "MarketData", "FeedPlan", "BinanceVenue", "BinanceServing", "BookServer", "LobTransport",
                "CFuzzer",
            ],
            path: "Tests/Fuzzing/requests", swiftSettings: plain,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ]
}
