// swift-tools-version: 6.2
import PackageDescription

// The CPU the whole package is compiled for, C and Swift alike. `LOB_MARCH=x86-64` gives a portable build
// (slower: no AVX2, no POPCNT); wider kernels are chosen at run time inside CKernels and need no flag.
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

/// Settings of targets that own unsafe storage; the fence around it is the list in Tests/TidyTests.
let kernel: [SwiftSetting] =
    [
        .unsafeFlags(cpuFlags.flatMap { ["-Xcc", $0] }),
        .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    ] + (strict ? [.treatAllWarnings(as: .error)] : [])
    + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address", "-enable-testing"])] : [])

/// Settings of every other target: the compiler itself refuses unmarked unsafe code.
let safe: [SwiftSetting] = kernel + [.strictMemorySafety()]

let cFlags: [CSetting] =
    [
        .unsafeFlags(cpuFlags),
        .unsafeFlags(["-O3"], .when(configuration: .release)),
        .define("NDEBUG", .when(configuration: .release)),
    ] + (isFuzzing ? [.unsafeFlags(["-fsanitize=fuzzer-no-link,address"])] : [])

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let histogram: Target.Dependency = .product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "LocalOrderBook",
    products: [
        .library(
            name: "LocalOrderBook",
            targets: ["MarketData", "DepthBook", "BinanceDepth", "Handoff", "BookEngine"]),
        .library(name: "LocalOrderBookService", targets: ["BookService", "DepthFeed", "Transport"]),
        .library(name: "LocalOrderBookRecording", targets: ["Recording"]),
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
    ],
    targets: [
        .systemLibrary(
            name: "CJemalloc", path: "Sources/CJemalloc", pkgConfig: "jemalloc",
            providers: [.apt(["libjemalloc-dev"])]),
        .target(
            name: "CAllocator",
            dependencies: [.target(name: "CJemalloc", condition: .when(traits: ["Jemalloc"]))],
            cSettings: cFlags + [.define("LOB_JEMALLOC", .when(traits: ["Jemalloc"]))]),
        .systemLibrary(
            name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLibwebsockets", path: "Sources/CLibwebsockets", pkgConfig: "libwebsockets",
            providers: [.apt(["libwebsockets-dev"])]),
        .target(
            name: "CTransport", dependencies: ["CLibwebsockets"],
            cSettings: cFlags + [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        .target(name: "CKernels", cSettings: cFlags),
        .target(name: "MarketData", swiftSettings: kernel),
        .target(name: "DepthBook", dependencies: ["MarketData", "CKernels"], swiftSettings: kernel),
        .target(name: "BinanceDepth", dependencies: ["MarketData", "CKernels"], swiftSettings: kernel),
        .target(name: "Handoff", dependencies: ["CKernels"], swiftSettings: kernel),
        .target(
            name: "BookEngine", dependencies: ["MarketData", "DepthBook", "BinanceDepth", "Handoff"],
            swiftSettings: safe),
        .target(name: "Recording", dependencies: ["Handoff", "CZlib", "CZstd"], swiftSettings: kernel),
        .target(
            name: "Captures", dependencies: ["MarketData", "BinanceDepth", "Recording"], swiftSettings: safe),
        .target(name: "Transport", dependencies: ["CTransport"], swiftSettings: safe),
        .target(
            name: "DepthFeed", dependencies: ["Transport", "Handoff", "BinanceDepth", "MarketData"],
            swiftSettings: safe),
        .target(
            name: "BookService",
            dependencies: [
                "MarketData", "DepthBook", "BinanceDepth", "Handoff", "BookEngine", "Transport", "DepthFeed",
                "CKernels",
            ],
            swiftSettings: safe),
        .target(
            name: "SimulatedExchange", dependencies: ["MarketData", "DepthBook", "BinanceDepth"],
            swiftSettings: safe),
        .target(
            name: "ExchangeServer",
            dependencies: [
                "MarketData", "DepthBook", "BinanceDepth", "Recording", "Captures", "SimulatedExchange",
                "Transport",
            ],
            swiftSettings: safe),
        .target(
            name: "RoadSimulation",
            dependencies: [
                "MarketData", "DepthBook", "BinanceDepth", "Handoff", "BookEngine", "SimulatedExchange",
            ],
            swiftSettings: safe),
        .executableTarget(
            name: "lob",
            dependencies: [
                "MarketData", "DepthBook", "BinanceDepth", "Handoff", "BookEngine", "Recording", "Captures",
                "SimulatedExchange", "RoadSimulation", "ExchangeServer", "Transport", "DepthFeed",
                "BookService", "CAllocator",
                argumentParser, logging,
            ],
            swiftSettings: safe),
        .executableTarget(
            name: "bench",
            dependencies: [
                "MarketData", "DepthBook", "BinanceDepth", "Handoff", "BookEngine", "Recording",
                "SimulatedExchange", "Transport", "CAllocator", "CKernels", argumentParser, histogram,
            ],
            path: "Benchmarks/bench", swiftSettings: kernel),
        .target(
            name: "TestSupport", dependencies: ["MarketData", "DepthBook", "CAllocator"],
            path: "Tests/TestSupport", swiftSettings: kernel),
        .testTarget(name: "MarketDataTests", dependencies: ["MarketData", "TestSupport"]),
        .testTarget(name: "DepthBookTests", dependencies: ["DepthBook", "TestSupport", "CKernels"]),
        .testTarget(name: "BinanceDepthTests", dependencies: ["BinanceDepth", "DepthBook", "TestSupport"]),
        .testTarget(name: "HandoffTests", dependencies: ["Handoff", "TestSupport"]),
        .testTarget(name: "RecordingTests", dependencies: ["Recording", "Handoff", "TestSupport"]),
        .testTarget(
            name: "BookEngineTests", dependencies: ["BookEngine", "SimulatedExchange", "TestSupport"]),
        .testTarget(name: "SimulatedExchangeTests", dependencies: ["SimulatedExchange", "TestSupport"]),
        .testTarget(
            name: "ExchangeServerTests",
            dependencies: [
                "ExchangeServer", "Handoff", "Recording", "SimulatedExchange", "Transport", "TestSupport",
            ]),
        .testTarget(name: "RoadTests", dependencies: ["RoadSimulation", "TestSupport"]),
        .testTarget(name: "TransportTests", dependencies: ["Transport", "TestSupport", "CAllocator"]),
        .testTarget(
            name: "DepthFeedTests",
            dependencies: ["DepthFeed", "Transport", "BookEngine", "SimulatedExchange", "TestSupport"]),
        .testTarget(
            name: "BookServiceTests",
            dependencies: [
                "BookService", "ExchangeServer", "SimulatedExchange", "Transport", "TestSupport",
                "CAllocator",
            ]),
        .testTarget(name: "LobTests", dependencies: ["lob", "TestSupport"]),
        .testTarget(name: "TidyTests"),
    ]
)

// `LOB_HANDOFF=1` leaves only what crosses threads and its tests: quick to build for the thread sanitizer, with
// which the compiler (6.3.1) cannot build an engine.
if Context.environment["LOB_HANDOFF"] != nil {
    let kept: Set = [
        "CJemalloc", "CAllocator", "CKernels", "MarketData", "DepthBook", "Handoff", "TestSupport",
        "HandoffTests",
    ]
    package.targets.removeAll { !kept.contains($0.name) }
    package.products = []
}

if isFuzzing {
    package.targets += [
        .target(name: "CFuzzer", path: "Tests/Fuzzing/CFuzzer"),
        .executableTarget(
            name: "fuzz-parser", dependencies: ["BinanceDepth", "CFuzzer"], path: "Tests/Fuzzing/parser",
            swiftSettings: kernel,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]),
    ]
}
