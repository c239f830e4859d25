// A replica by hand: which books are copied, when, and what a copy claims.

import BinanceVenue
import BookSync
import DepthBook
import LobHandoff
import MarketData
import Testing

@testable import BookEngine

private let btc = SymbolName("BTCUSDT")

/// A primary and a replica that are given the same frames, unless one of them is left out.
private struct Pair: ~Copyable {
    var primary: EngineHarness
    var replica: ReplicaEngine
    private var atNs: Int64 = 1_000_000_000

    init(_ adjust: (inout EngineConfiguration) -> Void = { _ in }) {
        primary = EngineHarness(adjust: adjust)
        replica = ReplicaEngine(primary.engine.configuration)
        replica.addSymbol(btc)
    }

    /// A frame for the replica alone.
    mutating func tap(_ kind: FrameKind, _ text: String = "") {
        var bytes = Array(text.utf8)
        let length = bytes.count
        bytes += [UInt8](repeating: 0x7B, count: 128)
        bytes.withUnsafeBufferPointer { all in
            replica.step(
                Frame(
                    kind: kind, source: 1, receivedAtNs: atNs,
                    bytes: UnsafeBufferPointer(rebasing: all[..<length]), readableAfter: 128))
        }
    }

    mutating func update(_ first: Int, _ last: Int, bids: [String] = [], asks: [String] = []) {
        primary.update(first, last, bids: bids, asks: asks)
        tapUpdate(first, last, bids: bids, asks: asks)
    }

    mutating func tapUpdate(_ first: Int, _ last: Int, bids: [String] = [], asks: [String] = []) {
        tap(
            .message,
            "{\"e\":\"depthUpdate\",\"E\":1700000000000,\"s\":\"BTCUSDT\",\"U\":\(first),\"u\":\(last),"
                + "\"b\":\(EngineHarness.levels(bids)),\"a\":\(EngineHarness.levels(asks))}")
    }

    /// A tick for both, or for one.
    mutating func tick(primary isPrimary: Bool = true, replica isReplica: Bool = true) {
        atNs += 100_000_000
        primary.nowNs = atNs
        if isPrimary { primary.tick() }
        if isReplica { tap(.tick) }
    }

    /// Asks and answers, if there is a question.
    mutating func ask() -> ReplicaAnswer? {
        guard let question = replica.takeQuestion() else { return nil }
        let answer = primary.engine.answer(question)
        replica.receive(answer)
        return answer
    }

    /// Primary live at 10 and a replica that has just been connected.
    mutating func begin() {
        primary.goLive()
        tap(.connected)
    }

    /// Both live at 11.
    mutating func goLive() {
        begin()
        tick()
        _ = ask()
        tick()
        update(11, 11)
    }

    var state: BookState { replica.engine.status(btc)!.state }

    var digest: UInt64 { replica.engine.withBook(btc) { $0.digest() }! }
    var primaryDigest: UInt64 { primary.engine.withBook(btc) { $0.digest() }! }
}

struct ReplicaEngineTests {
    @Test func aLateReplicaCatchesUp() {
        var pair = Pair()
        pair.begin()
        #expect(pair.replica.takeQuestion() == nil)
        pair.tick()
        pair.update(11, 12, bids: ["9.5:3.0"])
        let answer = pair.ask()
        #expect(answer?.copies.map(\.lastUpdateID) == [UpdateID(12)])
        #expect(pair.state == .syncing)
        pair.update(13, 13, asks: ["10.0:0.0"])
        pair.tick()
        #expect(pair.state == .live && pair.digest == pair.primaryDigest)
        pair.update(14, 14, bids: ["8.0:0.0"])
        #expect(pair.state == .live && pair.digest == pair.primaryDigest)
    }

    /// The primary has not yet come to the place from which on the replica keeps what comes.
    @Test func aPrimaryThatIsBehindIsNotCopied() {
        var pair = Pair()
        pair.begin()
        pair.tick(primary: false)
        #expect(pair.ask()?.copies.count == 0)
        // It asks again with every tick, and the place stays the same.
        pair.tick(primary: false)
        pair.primary.nowNs -= 100_000_000
        pair.primary.tick()
        #expect(pair.ask()?.copies.count == 1)
    }

    /// A copy of a place that the replica has not read yet waits for it.
    @Test func aCopyWaitsForItsPlace() {
        var pair = Pair()
        pair.begin()
        pair.tick()
        pair.tick(replica: false)
        pair.primary.update(11, 11, bids: ["7.0:1.0"])
        #expect(pair.ask()?.copies.count == 1)
        pair.tapUpdate(11, 11, bids: ["7.0:1.0"])
        #expect(pair.state == .syncing)
        pair.tick()
        pair.update(12, 12)
        #expect(pair.state == .live && pair.digest == pair.primaryDigest)
    }

    @Test func onlyLiveBooksAreCopied() {
        var pair = Pair()
        pair.begin()
        pair.primary.frame(.dropped, Array("{\"stream\":\"btcusdt@depth\",\"data\":{\"e\"".utf8))
        #expect(pair.primary.status().state == .stale && pair.primary.engine.copy(of: btc) == nil)
        pair.tick()
        #expect(pair.ask()?.copies.count == 0)
        pair.update(11, 11)
        pair.tick()
        #expect(pair.ask()?.copies.count == 1)
    }

    /// What the primary knows to a price only goes along to that price, and claims no more.
    @Test func aCopyClaimsNoMoreThanIsProven() {
        var pair = Pair()
        pair.primary.frame(.connected)
        pair.primary.update(8, 9)
        pair.primary.snapshot(9, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0"], limit: 2)
        pair.primary.update(10, 10, bids: ["7.0:5.0", "8.5:1.0"], asks: ["12.0:1.0"])
        let copy = pair.primary.engine.copy(of: btc)
        #expect(copy?.bids.count == 3 && copy?.asks.count == 2 && copy?.limit == 3)
        pair.tap(.connected)
        pair.tick()
        _ = pair.ask()
        pair.tick()
        pair.update(11, 11)
        let status = pair.replica.engine.status(btc)!
        #expect(status.state == .live && status.lastUpdateID == UpdateID(11))
        #expect(status.provenBids == .to(Price(80)) && status.provenAsks == .unbounded)
        #expect(pair.primary.status().provenBids == .to(Price(80)))
    }

    /// What the primary learns of its book the replica learns soon after, without an audit of its own.
    @Test func theReplicaDeepensWithItsPrimary() {
        var pair = Pair { $0.auditEveryNs = 0 }
        pair.primary.frame(.connected)
        pair.primary.update(8, 9)
        pair.primary.snapshot(9, bids: ["9.0:1.0"], asks: ["10.0:1.0"], limit: 1)
        pair.primary.update(10, 10)
        pair.tap(.connected)
        pair.tick()
        _ = pair.ask()
        pair.tick()
        pair.update(11, 11)
        #expect(pair.replica.engine.status(btc)?.provenBids == .to(Price(90)))
        pair.primary.engine.audit(btc, atNs: pair.primary.nowNs)
        pair.primary.snapshot(11, bids: ["9.0:1.0", "8.0:2.0"], asks: ["10.0:1.0", "11.0:2.0"], limit: 2)
        #expect(pair.primary.status().provenBids == .to(Price(80)))
        for id in 12..<18 {
            pair.update(id, id)
            pair.tick()
            _ = pair.ask()
        }
        let status = pair.replica.engine.status(btc)!
        #expect(status.state == .live && status.provenBids == .to(Price(80)))
        #expect(pair.digest == pair.primaryDigest)
        // Once is enough.
        pair.tick()
        #expect(pair.ask()?.copies.count == 0)
    }

    /// A mark of a loss in the tap costs the replica its trust; the next copy brings it back, and the primary
    /// never notices.
    @Test func aLossInTheTap() {
        var pair = Pair()
        pair.goLive()
        #expect(pair.state == .live)
        pair.primary.update(12, 12, bids: ["9.5:1.0"])
        pair.tap(.dropped, "{\"stream\":\"btcusdt@depth\",\"data\":{\"e\":\"depthUpdate\"")
        #expect(pair.state == .stale)
        pair.update(13, 13)
        #expect(pair.state == .stale)
        pair.tick()
        #expect(pair.ask()?.copies.count == 1)
        pair.tick()
        pair.update(14, 14)
        #expect(pair.state == .live && pair.digest == pair.primaryDigest)
        #expect(pair.primary.status().counters.resyncs == 0)
    }

    /// The primary gives its book up for something that the replica's frames do not show.
    @Test func whatThePrimaryGivesUp() {
        var pair = Pair()
        pair.goLive()
        pair.primary.update(20, 20)  // a gap in the book's ring alone
        #expect(pair.primary.status().state == .stale && pair.state == .live)
        pair.tick()
        #expect(pair.ask()?.lost == [btc])
        #expect(pair.state == .stale)
        pair.primary.snapshot(21, bids: ["9.0:4.0"], asks: ["10.0:4.0"])
        pair.primary.update(22, 22)
        pair.tick()
        let answer = pair.ask()
        #expect(answer?.lost == [] && answer?.copies.count == 1)
        pair.tick()
        pair.update(23, 23)
        #expect(pair.state == .live && pair.digest == pair.primaryDigest)
    }

    /// Answers of the venue in the tap are the primary's; an unanswered question is asked again.
    @Test func whatIsNotForTheReplica() {
        var pair = Pair()
        pair.begin()
        pair.tick()
        let frames = pair.replica.engine.counters.frames
        for kind in [FrameKind.snapshotRequested, .depthSnapshot, .snapshotFailed] { pair.tap(kind, "x") }
        #expect(pair.replica.engine.counters.frames == frames)
        #expect(pair.replica.takeQuestion()?.wanted.map(\.symbol) == [btc])
        #expect(pair.replica.takeQuestion() == nil)
        pair.tick()
        #expect(pair.replica.takeQuestion() == nil)
        pair.replica.receive(nil)
        pair.tick()
        #expect(pair.replica.takeQuestion()?.wanted.map(\.symbol) == [btc])
    }
}
