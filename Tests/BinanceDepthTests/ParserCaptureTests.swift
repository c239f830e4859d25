// Every captured message about a book against the naive decoder and against Foundation.
//
// Everyday runs take the first lines of each set; release builds and `LOB_STRESS` take all of them.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

/// Whether to take everything rather than a sample.
let isStress: Bool = {
    #if DEBUG
        ProcessInfo.processInfo.environment["LOB_STRESS"] != nil
    #else
        true
    #endif
}()

/// Kinds of the messages seen.
private typealias Counts = [MessageKind: Int]

/// Parses a line with and without room behind it and with the kernel off; compares with the naive decoder.
private struct Comparison: ~Copyable {
    var parser = MessageParser(levelCapacity: 1024)
    var scalar = MessageParser(levelCapacity: 1024, usesKernel: false)
    var counts: Counts = [:]
    private let room = GuardedRoom(capacity: 1 << 20)
    private let poisoned = PoisonedRoom(capacity: 1 << 20)

    mutating func check(_ line: String, _ market: Market) throws {
        let text = Array(line.utf8)
        let naive = try BookContents.naive(text, market)
        let answer = parser.answer(room.place(text), market)
        let poison = PoisonedRoom.poisons[text.count % PoisonedRoom.poisons.count]
        let behind = parser.answer(
            UnsafeBufferPointer(poisoned.place(text, poison: poison)), market, readableAfter: 128)
        let slow = scalar.answer(room.place(text), market)
        guard answer == behind, answer == slow, answer.error == nil, answer.book == naive else {
            Issue.record(
                "\(line.prefix(400)): \(answer), \(behind), \(slow), naive \(String(describing: naive))"
            )
            return
        }
        if let naive { #expect(try naive.foundationAgrees(text), "\(line.prefix(400))") }
        counts[answer.kind ?? .other, default: 0] += 1
    }
}

@Test(
    "Captured sessions equal the naive decoder, level by level",
    .enabled(if: CapturedSet.root != nil, "no captured sets"),
    arguments: CapturedSet.sessions + CapturedSet.sessionsWithoutSnapshot)
func capturedSessionsParse(set: CapturedSet) throws {
    let market = try #require(set.market)
    var comparison = Comparison()
    for line in try set.messages(limit: isStress ? .max : 120) { try comparison.check(line, market) }
    if CapturedSet.sessions.contains(where: { $0.name == set.name }) {
        let snapshots = try set.snapshots().prefix(isStress ? .max : 1)
        for snapshot in snapshots { try comparison.check(snapshot.body, market) }
        #expect(comparison.counts[.depthSnapshot] == snapshots.count)
    }
    print("\(set): \(comparison.counts)")
    #expect(comparison.counts[.depthUpdate, default: 0] > 0)
}

@Test(
    "Single frames of all eras parse", .enabled(if: CapturedSet.root != nil, "no captured sets"),
    arguments: CapturedSet.frames)
func singleFramesParse(set: CapturedSet) throws {
    var comparison = Comparison()
    var replyCount = 0
    for line in try set.messages(limit: .max) {
        if line.contains("\"result\":") { replyCount += 1 }
        let market: Market =
            line.contains("\"pu\"") || line.contains("\"ps\"")
            ? (line.contains("usd_") ? .coinm : .usdm) : .spot
        try comparison.check(line, market)
    }
    let body = set.folder.appendingPathComponent("xrp_rest_2018.json")
    if let text = try? String(contentsOf: body, encoding: .utf8) { try comparison.check(text, .spot) }
    print("\(set): \(comparison.counts)")
    #expect(comparison.counts[.partialDepth, default: 0] > 0)
    #expect(comparison.counts[.other, default: 0] == replyCount)
}
