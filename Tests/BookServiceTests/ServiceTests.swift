// What a service promises of itself, with a venue that behaves.

import BinanceVenue
import BookEngine
import DepthBook
import DepthFeed
import Foundation
import LobHandoff
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite struct ServiceTests {
    /// Runs a service against a venue without faults and stops both.
    private static func run(
        _ name: String, _ setup: VenueHost.Setup,
        adjust: @escaping @Sendable (inout ServiceConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (BookService, VenueHost, Diary, Report) throws -> Void
    ) async {
        await onOwnThread(name) { report in
            let venue = try VenueHost(setup)
            defer { venue.stop() }
            var configuration = brisk(venue.endpoints, setup.symbols)
            adjust(&configuration)
            let diary = Diary()
            let service = try BookService(configuration) { diary.note($0) }
            try body(service, venue, diary, report)
            _ = service.stop()
        }
    }

    /// A symbol that the market does not have is named, and the books of the others never lose their trust.
    @Test(arguments: Market.allCases) func unknownSymbol(_ market: Market) async {
        let symbols = names(market, 3)
        let stranger = SymbolName("NOSUCHUSDT")
        await ServiceTests.run("unknown symbol, \(market.name)", .init(market: market, symbols: symbols)) {
            $0.symbols.append(stranger)
            $0.silenceMs = 1_500
            $0.supervisor.overlapMs = 400
        } _: { service, venue, diary, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            report.wait("told", seen: { diary.tail }) {
                diary.has("has no symbol NOSUCHUSDT")
            }
            // Its streams are silent, so they are subscribed anew, and in the end on a new connection.
            report.wait("replaced", seen: { diary.tail }) {
                witness.look(service)
                return service.feeds(\.replacements) > 0
            }
            witness.look(service, forMs: 300)
            witness.settle(service, report)
            report.expect(service.view(stranger).state == .syncing, "\(service.view(stranger).state)")
            report.expect(service.sum(\.resyncs) == 0, "others lost their trust:\n\(diary.tail)")
        }
    }

    /// More symbols than one connection carries are dealt out to several.
    @Test func shards() async {
        let symbols = names(.spot, 7)
        await ServiceTests.run("shards", .init(symbols: symbols)) {
            $0.supervisor.terms.streamCountMax = 4
        } _: { service, venue, _, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            let shards = service.shardStatuses
            report.expect(shards.map(\.symbolCount).sorted() == [1, 2, 2, 2], "\(shards)")
            report.expect(venue.counters.connectionCount == 4, "\(venue.counters)")
            venue.cutAll()
            report.wait("reconnected") { service.shardStatuses.allSatisfy { $0.feed.attempts >= 2 } }
            witness.settle(service, report)
        }
    }

    /// A symbol that is named twice is kept once.
    @Test func symbolNamedTwice() async {
        let symbols = names(.spot, 2)
        await ServiceTests.run("symbol named twice", .init(symbols: symbols)) {
            $0.symbols = [symbols[0], symbols[1], symbols[0]]
        } _: { service, venue, _, report in
            Witness(venue).settle(service, report)
            report.expect(service.shardStatuses.map(\.symbolCount) == [2], "\(service.shardStatuses)")
            report.expect(venue.counters.streamCount == 4, "\(venue.counters)")
            report.expect(service.symbols == symbols, "\(service.symbols)")
        }
    }

    @Test(arguments: IdleStrategy.allCases) func idle(_ strategy: IdleStrategy) async {
        let symbols = names(.usdm, 2)
        await ServiceTests.run("idle, \(strategy)", .init(market: .usdm, symbols: symbols)) {
            $0.idle = strategy
        } _: { service, venue, _, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            witness.look(service, forMs: 300)
            venue.cutAll()
            report.wait("reconnected") { service.feeds(\.attempts) >= 2 }
            witness.settle(service, report)
        }
    }

    /// What costs nothing to switch on works together: microseconds, partial depths, conflated views.
    @Test func allStreams() async {
        let symbols = names(.spot, 3)
        await ServiceTests.run("all streams", .init(symbols: symbols)) {
            $0.isMicroseconds = true
            $0.streams.partialLevelCount = 20
            $0.publication = .conflated
            $0.socket.backends = [.libwebsockets]
        } _: { service, venue, diary, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            witness.look(service, forMs: 500)
            report.wait("compared") {
                service.sum(\.partialsCompared) > 10 && service.sum(\.tickersCompared) > 10
            }
            for symbol in symbols { expectNoFalseAlarm(service.status(symbol), 1, report) }
            report.expect(diary.has("open on the libwebsockets backend"), diary.tail)
            for symbol in symbols {
                let eventAtMs = service.view(symbol).eventTimeUs / 1000
                let nowMs = venue.ask { $0.withVenue { $0.nowUs } } / 1000
                report.expect(abs(nowMs - eventAtMs) < 60_000, "\(symbol): event \(eventAtMs), now \(nowMs)")
            }
        }
    }

    /// A CPU that is not there is told of, and the books come all the same.
    @Test func pinnedToNothing() async {
        let symbols = names(.spot, 2)
        await ServiceTests.run("pinned to nothing", .init(symbols: symbols)) {
            $0.cpus = [4000, 4001]
        } _: { service, venue, diary, report in
            Witness(venue).settle(service, report)
            report.expect(
                diary.has("thread feed-0 cannot run on CPU 4000")
                    && diary.has("thread book-0 cannot run on CPU 4001"),
                "\(diary.lines)")
        }
    }

    /// A ring that is too small for the traffic while the book thread stands still: what was lost is counted,
    /// and mended.
    @Test func ringTooSmall() async {
        let symbols = names(.coinm, 4)
        await ServiceTests.run("ring too small", .init(market: .coinm, symbols: symbols, speed: 40)) {
            $0.ringBytes = 1 << 16
        } _: { service, venue, _, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            for _ in 0..<3 {
                let before = service.lostCount
                let isStanding = Switch()
                isStanding.isOn = true
                _ = service.ask(symbols[0]) { _, _ in while isStanding.isOn { usleep(500) } }
                report.wait("dropped", seen: { "\(service.shardStatuses)" }) {
                    service.lostCount > before + 5
                }
                isStanding.isOn = false
                witness.settle(service, report)
            }
            report.expect(service.sum(\.gaps) > 0, "dropped and no gap")
            report.wait("counted", seen: { "\(service.shardStatuses)" }) {
                service.feeds(\.droppedMessages) >= 15
            }
        }
    }

    /// Connections are renewed before the venue ends them, again and again, and no book loses its trust.
    @Test(arguments: Market.allCases) func renewals(_ market: Market) async {
        let symbols = names(market, 3)
        await ServiceTests.run("renewals, \(market.name)", .init(market: market, symbols: symbols)) {
            $0.supervisor.terms.lifeMs = 1200
            $0.supervisor.renewalMarginMs = 600
            $0.supervisor.renewalJitterMs = 200
            // Longer than any of these symbols is quiet.
            $0.supervisor.overlapMs = 400
        } _: { service, venue, diary, report in
            let witness = Witness(venue)
            witness.settle(service, report)
            report.wait("renewed", seen: { diary.tail }) {
                witness.look(service)
                return service.feeds(\.replacements) >= 3
            }
            witness.settle(service, report)
            report.expect(
                service.sum(\.resyncs) == 0 && service.sum(\.gaps) == 0 && service.feeds(\.losses) == 0,
                "a renewal cost trust: \(service.status(symbols[0]))\n\(diary.tail)")
            report.expect(venue.counters.connectionCount <= 2, "\(venue.counters)")
        }
    }

    /// The venue's pings are answered by the feed: a book thread that stands still costs no connection.
    @Test func standingConsumerKeepsItsConnection() async {
        let symbols = names(.spot, 2)
        await ServiceTests.run("standing consumer", .init(symbols: symbols, speed: 60)) {
            service, venue, diary, report in
            Witness(venue).settle(service, report)
            let isStanding = Switch()
            isStanding.isOn = true
            _ = service.ask(symbols[0]) { _, _ in while isStanding.isOn { usleep(1000) } }
            // A ping every third of a second, a second for its answer.
            usleep(2_500_000)
            isStanding.isOn = false
            Witness(venue).settle(service, report)
            report.expect(venue.counters.venue.pongTimeoutCount == 0, "\(venue.counters)")
            report.wait("counted") { service.feeds(\.pings) >= 4 }
            report.expect(service.feeds(\.losses) == 0, diary.tail)
        }
    }

    @Test(arguments: StartFlaw.all) func whatCannotStart(_ flaw: StartFlaw) async {
        await onOwnThread("what cannot start, \(flaw)") { report in
            let found = flaw.error()
            report.expect(found.map(flaw.isRight) ?? false, "\(String(describing: found))")
        }
    }

    /// A service is stopped once; who does it again gets nothing.
    @Test func stoppedTwice() async {
        await onOwnThread("stopped twice") { report in
            let venue = try VenueHost(.init(symbols: names(.spot, 2)))
            defer { venue.stop() }
            let service = try BookService(brisk(venue.endpoints, venue.setup.symbols))
            Witness(venue).settle(service, report)
            report.expect(service.stop().count == 2, "the first stop has the books")
            report.expect(service.stop().isEmpty, "the second stop has nothing")
        }
    }
}

/// Something that keeps a service from starting.
struct StartFlaw: Sendable, CustomStringConvertible {
    var description: String
    var change: @Sendable (inout ServiceConfiguration) -> Void
    var isRight: @Sendable (ServiceError) -> Bool

    /// What a service with this flaw throws; nil if it starts.
    func error() -> ServiceError? {
        let endpoints = Endpoints(
            market: .spot, streamBase: "ws://127.0.0.1:1", restBase: "http://127.0.0.1:1")
        var configuration = brisk(endpoints, names(.spot, 3))
        configuration.shardCountMin = 3
        change(&configuration)
        do throws(ServiceError) {
            _ = try BookService(configuration).stop()
            return nil
        } catch {
            return error
        }
    }

    private static func isInvalidURL(_ error: ServiceError) -> Bool {
        if case .transport(.invalidURL) = error { true } else { false }
    }

    static let all: [StartFlaw] = [
        StartFlaw(description: "no symbols", change: { $0.symbols = [] }, isRight: { $0 == .noSymbols }),
        StartFlaw(
            description: "too many symbols", change: { $0.symbols = names(.spot, 4097) },
            isRight: { $0 == .tooManySymbols(most: 4096) }),
        StartFlaw(
            description: "ring", change: { $0.ringBytes = 1000 },
            isRight: {
                $0
                    == .configuration(
                        ConfigurationError(
                            field: "ringBytes", value: "1000",
                            legal: "a power of two, 65536 … 1073741824"))
            }),
        StartFlaw(
            description: "stream address", change: { $0.endpoints.streamBase = "nonsense" },
            isRight: isInvalidURL),
        StartFlaw(
            description: "stream host", change: { $0.endpoints.streamBase = "ws://" }, isRight: isInvalidURL),
        StartFlaw(
            description: "request address", change: { $0.endpoints.restBase = "nonsense" },
            isRight: isInvalidURL),
    ]
}
