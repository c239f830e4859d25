// `lob verify --live`: compares one book of a running server with the venue, now.
//
// Two books are built from the server's own stream of updates: one on a snapshot from the server, one on a
// snapshot from the venue. When both are at the same update id they must be equal as far as both are proven.
// An update that never reached the server is in the venue's snapshot but not in the server's, so it shows;
// the server is asked only for what every client asks.

import ArgumentParser
import BinanceVenue
import BookService
import DepthBook
import Glibc
import LobTransport
import MarketData
import SnapshotStore
import Synchronization

/// A comparison of a served book with the venue.
struct LiveVerification {
    /// The symbol.
    let symbol: SymbolName
    /// Where the server's streams and snapshots are, and where the venue's snapshots are.
    let server: Endpoints
    let venue: Endpoints
    /// Levels per side to request.
    let depth: Int
    /// How long to wait, in seconds.
    let limit: Double
    /// What the server asks for; the venue never sees it.
    var token: String?
    /// PEM file of the authorities to trust; nil: the system's.
    var authorityPath: String?

    /// Both books at the same update id.
    struct Sides {
        var served: HistoryBook
        var venue: HistoryBook
    }

    /// Brings both books to the same update id.
    ///
    /// - Throws: `ExitCode` 1 if that is impossible; the reason is then on standard error.
    func sides() throws -> Sides {
        var mixed = server
        mixed.restBase = venue.restBase
        let services: [BookService]
        do throws(ServiceError) {
            services = [
                try service(server, bringsToken: true), try service(mixed, bringsToken: false),
            ]
        } catch {
            printError("lob: \(error)")
            throw ExitCode(1)
        }
        defer { for service in services { service.stop() } }
        let copies = [Copies(), Copies()]
        let clock = Stopwatch()
        while Double(clock.elapsedNs) < limit * 1e9 && !StopSignals.isRaised {
            for (service, copies) in zip(services, copies) {
                _ = service.copy(of: symbol) { copies.add($0) }
            }
            if let (served, venue) = Copies.meeting(copies[0], copies[1]) {
                return Sides(served: picture("served", served), venue: picture("venue", venue))
            }
            usleep(5_000)
        }
        if StopSignals.isRaised { throw ExitCode(130) }
        printError("lob: \(trouble(services, copies))")
        throw ExitCode(1)
    }

    /// - Parameter bringsToken: whether the requests for snapshots go to the server as well.
    private func service(_ endpoints: Endpoints, bringsToken: Bool) throws(ServiceError) -> BookService {
        var configuration = ServiceConfiguration(endpoints: endpoints, symbols: [symbol])
        configuration.depth = depth
        configuration.auditEveryMs = 0
        configuration.idle = .park
        configuration.streams.hasBookTicker = false
        configuration.loop.authorityPath = authorityPath
        if let token, let header = HTTPHeader("Authorization", "Bearer \(token)") {
            configuration.socket.headers.append(header)
            if bringsToken { configuration.fetcher.headers["Authorization"] = "Bearer \(token)" }
        }
        return try BookService(configuration)
    }

    private func picture(_ label: String, _ book: FullBook) -> HistoryBook {
        let status = book.status
        let image = BookImage(
            lastUpdateID: status.lastUpdateID, eventTimeUs: 0, scales: status.scales,
            provenBids: status.provenBids, provenAsks: status.provenAsks, bids: book.bids, asks: book.asks,
            bidCountBound: book.bids.count, askCountBound: book.asks.count)
        return HistoryBook(
            label: label, market: server.market.name,
            stored: StoredBook(
                symbol, atNs: wallClockUs() * 1000, cause: .asked, state: status.state, reason: status.reason,
                book: image))
    }

    /// Why there is no book, as far as known.
    ///
    /// - Parameters:
    ///   - snapshots: the last error of a snapshot request; empty if there was none.
    ///   - streams: the last error of each connection to the server; empty if there was none.
    static func words(snapshots: String, streams: [String]) -> String {
        var parts: [String] = []
        if !snapshots.isEmpty { parts.append("the last error was: \(snapshots)") }
        if let error = streams.first(where: { !$0.isEmpty }) {
            parts.append("the last error of the server's stream was: \(error)")
        }
        return parts.map { ", \($0)" }.joined()
    }

    private func trouble(_ services: [BookService], _ copies: [Copies]) -> String {
        let names = ["the server (\(server.restBase))", "the venue (\(venue.restBase))"]
        for (index, service) in services.enumerated() where !copies[index].isLive {
            let streams = service.shardStatuses.map { "\($0.feed.lastError)" }
            let lastErrors = LiveVerification.words(
                snapshots: "\(service.fetcherStatus.lastError)", streams: streams)
            let wait = service.fetcherStatus.waitText(nowMs: wallClockUs() / 1000).map { ": \($0)" } ?? ""
            return
                "no live book of \(symbol) out of a snapshot of \(names[index]) within \(fixed(limit, 0)) s"
                + wait + lastErrors
        }
        return "the two books of \(symbol) did not meet at one update id within \(fixed(limit, 0)) s"
    }
}

/// The last copies of a live book. Any thread may add to it.
private final class Copies: Sendable {
    private static let countMax = 64
    private let kept = Mutex<[FullBook]>([])

    func add(_ book: FullBook) {
        if book.status.state != .live { return }
        kept.withLock { kept in
            if kept.last?.status.lastUpdateID == book.status.lastUpdateID { return }
            kept.append(book)
            if kept.count > Copies.countMax { kept.removeFirst() }
        }
    }

    var isLive: Bool { kept.withLock { !$0.isEmpty } }

    /// The newest two copies with the same update id.
    static func meeting(_ first: Copies, _ second: Copies) -> (FullBook, FullBook)? {
        let (mine, theirs) = (first.kept.withLock { $0 }, second.kept.withLock { $0 })
        for own in mine.reversed() {
            if let other = theirs.last(where: { $0.status.lastUpdateID == own.status.lastUpdateID }) {
                return (own, other)
            }
        }
        return nil
    }
}
