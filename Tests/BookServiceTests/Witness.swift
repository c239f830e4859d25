// Who compares books with the venue's own: a copy of a book at its update id against the true book of that
// id.

import BinanceVenue
import DepthBook
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange
import Testing
import VenueSupport

@testable import BookService
@testable import ExchangeServer

/// Compares books with the truth, again and again.
final class Witness: Sendable {
    /// What was seen so far.
    struct Tally: Sendable {
        /// Copies that were equal inside their proven range, and true in every level beyond it.
        var equalCount = 0
        var levelCount = 0
        /// Copies of books that were not live.
        var notLiveCount = 0
        /// Copies asked for and not looked at yet.
        var pendingCount = 0
        var firstDifference: String?
    }

    private let venue: VenueHost
    private let tally = Locked(Tally())

    init(_ venue: VenueHost) { self.venue = venue }

    var seen: Tally { tally.withLock { $0 } }

    /// Looks at every symbol once, in a while; what was not looked at yet is waited for first.
    func look(_ service: BookService) {
        if tally.withLock({ $0.pendingCount }) > 0 { return }
        for symbol in venue.setup.symbols {
            tally.withLock { $0.pendingCount += 1 }
            let isTaken = service.copy(of: symbol) { [self] copy in
                if copy.status.state != .live {
                    tally.withLock { tally in
                        tally.notLiveCount += 1
                        tally.pendingCount -= 1
                    }
                    return
                }
                let isTaken = venue.post { [self] server in
                    let difference = Witness.difference(copy, server)
                    tally.withLock { tally in
                        tally.pendingCount -= 1
                        tally.levelCount += copy.bids.count + copy.asks.count
                        if let difference {
                            if tally.firstDifference == nil { tally.firstDifference = difference }
                        } else {
                            tally.equalCount += 1
                        }
                    }
                }
                if !isTaken { tally.withLock { $0.pendingCount -= 1 } }
            }
            if !isTaken { tally.withLock { $0.pendingCount -= 1 } }
        }
    }

    /// Looks for a while.
    func look(_ service: BookService, forMs: Int, meanwhile: () -> Void = {}) {
        let endNs = LoopClock.monotonicNs + UInt64(forMs) * 1_000_000
        while LoopClock.monotonicNs < endNs {
            look(service)
            meanwhile()
            usleep(20_000)
        }
    }

    /// Waits until every symbol is live, has caught up with what the venue has shown at the call, and is
    /// equal as a whole; a finding if that does not come in time.
    @discardableResult
    func settle(
        _ service: BookService, of symbols: [SymbolName]? = nil, _ report: Report, atMostMs: Int = 60_000
    ) -> Int {
        let goals = venue.shownIDs
        let waiting = Locked(Set(symbols ?? venue.setup.symbols))
        let lastSeen = Locked<[SymbolName: String]>([:])
        let takenMs = report.time {
            report.wait(
                "live, up to date and true", atMostMs: atMostMs, everyMs: 20,
                seen: { "\(lastSeen.withLock { $0 }), goals \(goals)" }
            ) {
                for symbol in waiting.withLock({ $0 }) {
                    guard let copy = Witness.copy(of: symbol, service) else { continue }
                    let status = copy.status
                    lastSeen.withLock {
                        $0[symbol] =
                            "\(status.state) \(status.reason) at \(status.lastUpdateID) \(status.counters)"
                    }
                    guard status.state == .live, status.lastUpdateID >= goals[symbol]! else { continue }
                    if let difference = venue.ask({ Witness.difference(copy, $0) }) {
                        report.fail("at the end: \(difference)")
                    }
                    waiting.withLock { _ = $0.remove(symbol) }
                }
                return waiting.withLock { $0.isEmpty }
            }
        }
        let seen = seen
        report.expect(seen.firstDifference == nil, "\(seen)")
        return takenMs
    }

    /// A copy, waited for; nil if it does not come.
    static func copy(of symbol: SymbolName, _ service: BookService) -> FullBook? {
        let answers = CommandQueue<FullBook>(capacity: 1)
        let news = Signal()
        let isTaken = service.copy(of: symbol) { copy in
            _ = answers.post(copy)
            news.notify()
        }
        if !isTaken { return nil }
        let endNs = LoopClock.monotonicNs + 5_000_000_000
        while LoopClock.monotonicNs < endNs {
            let ticket = news.ticket
            if let copy = answers.take().first { return copy }
            news.wait(since: ticket, timeoutNs: 100_000_000)
        }
        return nil
    }

    /// What is wrong with a copy first: a level inside the proven range that is not the venue's or is
    /// missing, or a level beyond it that the venue does not have. Thread: the venue's.
    static func difference(_ copy: FullBook, _ server: ExchangeServer) -> String? {
        let status = copy.status
        guard let scales = status.scales else { return "\(status.symbol): live without a level" }
        let found = server.withVenue { venue in
            venue.withTruth(of: status.symbol, at: status.lastUpdateID) { truth -> String? in
                var comparison = TruthComparison(truth, scales)
                for (side, levels) in [(Side.bid, copy.bids), (.ask, copy.asks)] {
                    comparison.compare(side, proven: side == .bid ? status.provenBids : status.provenAsks) {
                        for level in levels where !$0(level) { return }
                    }
                    if let difference = comparison.difference { return difference }
                    if let stray = stray(levels, truth, side, scales) {
                        return "\(side) \(stray) is not the venue's"
                    }
                }
                return nil
            }
        }
        guard let found else {
            return "\(status.symbol): live at \(status.lastUpdateID), which the venue does not know"
        }
        return found.map { "\(status.symbol) at \(status.lastUpdateID): \($0)" }
    }

    /// The first level that the venue does not have, wherever it is.
    private static func stray(
        _ levels: [PriceLevel], _ truth: borrowing TrueBook, _ side: Side, _ scales: SymbolScales
    ) -> PriceLevel? {
        guard let factors = truth.factors(to: scales) else { return levels.first }
        var rank = 0
        for level in levels {
            while rank < truth[side].count {
                let true_ = truth[side].level(rank: rank)
                let price = true_.price.mantissa * factors.price
                let isBefore = side == .bid ? price > level.price.mantissa : price < level.price.mantissa
                if !isBefore { break }
                rank += 1
            }
            guard rank < truth[side].count else { return level }
            let own = truth[side].level(rank: rank)
            let exact = PriceLevel(
                own.price.mantissa * factors.price, own.quantity.mantissa * factors.quantity)
            if exact != level { return level }
        }
        return nil
    }
}
