// The REST depth bodies of a capture: whose each is, and that each is used.

import Foundation
import Testing

@Suite struct ReplayBodyTests {
    private func replay(_ lines: [String], _ arguments: String = "") throws -> Ran {
        let shop = try Workshop()
        try shop.write("c", lines)
        return try shop.run(shell: "lob replay c --json --book \(arguments)")
    }

    private static func wrapped(_ lines: [String], _ symbol: String) -> [String] {
        lines.map { $0.replacing("BTCUSDT", with: symbol) }
    }

    /// The only symbol that has spoken so far need not be the only one.
    @Test func aBodyOfSeveralSymbolsIsRefusedByItsLine() throws {
        let eth = ReplayBodyTests.wrapped(Session.events, "ETHUSDT")
        let ran = try replay([Session.events[0], Session.snapshot] + Session.events[1...] + eth)
        #expect(ran.status == 2 && ran.member("state") == "syncing", "\(ran.all)")
        #expect(
            ran.err.contains("c: line 2, byte 103: a depth body without a symbol among several symbols"),
            "\(ran.err)")
        // Twice, and said once.
        let twice = try replay([Session.snapshot, Session.snapshot] + Session.events + eth)
        #expect(twice.err.contains("2 times, the first at c: line 1"), "\(twice.err)")
    }

    /// Of several files each may have its own single symbol.
    @Test func aBodyBelongsToTheOnlySymbolOfItsFile() throws {
        let shop = try Workshop()
        try shop.write("b", [Session.snapshot] + Session.events)
        try shop.write("e", [Session.snapshot] + ReplayBodyTests.wrapped(Session.events, "ETHUSDT"))
        try shop.write("both", Session.events + ReplayBodyTests.wrapped(Session.events, "ETHUSDT"))
        let ran = try shop.run("replay", "b", "e", "--json")
        #expect(ran.status == 0 && ran.out.components(separatedBy: Session.digest).count == 3, "\(ran.all)")
        let mixed = try shop.run("replay", "b", "both", "--json")
        #expect(mixed.out.split(separator: "\n")[1].contains("\"syncing\""), "\(mixed.all)")
        // A file of its own for the body, and one symbol in all.
        try shop.write("s", [Session.snapshot])
        try shop.write("events", Session.events)
        expectSession(try shop.run("replay", "s", "events", "--json"))
        expectSession(try shop.run("replay", "events", "s", "--json"))
    }

    /// Frames of a raw partial depth stream are compared, and begin no book.
    @Test func framesOfPartialDepthAreNoBodies() throws {
        let levels = (0..<5).map { ("5000\(9 - $0).00", "1.00000") }
        let asks = (0..<5).map { ("5001\($0).00", "1.00000") }
        let event = Session.event(99, 102, [("50009.00", "2.00000")], [], timeMs: 1_790_000_000_100)
        let changed = [("50009.00", "2.00000")] + levels[1...]
        let frame = Session.body(102, Array(changed), asks)
        let alone = try replay([Session.body(100, levels, asks), event, frame])
        #expect(alone.status == 2 && alone.member("state") == "syncing", "\(alone.all)")
        #expect(
            alone.err.contains("2 bodies of 5 levels a side: taken for frames of a raw partial depth stream"))
        let deep = levels + [("49000.00", "1.00000")]
        let beside = try replay([Session.body(100, deep, asks), event, frame])
        #expect(
            beside.status == 0 && beside.has("partialDepth", "{\"compared\":1,\"agreed\":1}"), "\(beside.all)"
        )
        let wrong = try replay([Session.body(100, deep, asks), event, Session.body(102, levels, asks)])
        #expect(wrong.status == 2 && wrong.err.contains("1 of 1 partial depth disagreed"), "\(wrong.all)")
    }

    /// A deeper body at the book's id, or at one that it has come by, adds the levels that it shows.
    @Test func aDeeperBodyIsUsed() throws {
        let first = Session.body(
            102, [("50000.10", "1.75000"), ("50000.00", "2.00000")],
            [("50000.20", "0.75000"), ("50000.30", "3.00000")])
        let deeper = Session.body(
            102,
            [
                ("50000.10", "1.75000"), ("50000.00", "2.00000"), ("49999.90", "0.25000"),
                ("49999.80", "4.00000"),
            ],
            [
                ("50000.20", "0.75000"), ("50000.30", "3.00000"), ("50000.40", "1.00000"),
                ("50000.50", "7.00000"),
            ])
        for at in 2...4 {
            var lines = [first] + Session.events
            lines.insert(deeper, at: at)
            let ran = try replay(lines)
            #expect(ran.status == 0 && ran.has("bodies", "{\"compared\":1,\"agreed\":1}"), "\(ran.all)")
            #expect(
                ran.out.contains(
                    "\"bids\":[[\"50000.10\",\"1.75000\"],[\"49999.90\",\"0.25000\"],[\"49999.80\",\"4.00000\"]]"
                ))
            #expect(
                ran.out.contains(
                    "\"asks\":[[\"50000.30\",\"2.50000\"],[\"50000.40\",\"1.00000\"],[\"50000.50\",\"7.00000\"]]"
                ))
        }
    }

    /// A body that contradicts the book is a mismatch, wherever it lies.
    @Test func aContradictionIsShown() throws {
        let wrong = Session.body(
            105, [("50000.10", "9.00000"), ("49999.90", "0.25000")], [("50000.20", "0.75000")])
        for at in 2...4 {
            var lines = [Session.snapshot] + Session.events
            lines.insert(wrong, at: at)
            let ran = try replay(lines)
            #expect(ran.status == 2 && ran.member("lastUpdateId") == "106", "\(ran.all)")
            let id = at == 4 ? 106 : 105
            let words = "1 of 1 body contradicted the book, the first (c: line \(at + 1), byte"
            #expect(ran.err.contains(words) || at == 2, "\(ran.err)")
            #expect(
                ran.err.contains("at update id \(id): bid 50000.10: body 9.00000, book 1.75000"), "\(ran.err)"
            )
        }
        // Equal levels at the same place agree.
        let right = wrong.replacing("9.00000", with: "1.75000")
        let ran = try replay([Session.snapshot] + Session.events[0...1] + [right, Session.events[2]])
        #expect(ran.status == 0 && ran.has("bodies", "{\"compared\":1,\"agreed\":1}"), "\(ran.all)")
    }

    /// The first body is too old: the next one is used. So is one that lies in front of a gap.
    @Test func aLaterBodyMends() throws {
        let old = Session.body(90, [("40000.00", "1.00000")])
        expectSession(try replay([old, Session.snapshot] + Session.events))
        expectSession(try replay([old] + [Session.events[0], Session.snapshot] + Session.events[1...]))
        let later = Session.body(
            105, [("50000.10", "1.75000"), ("49999.90", "0.25000")],
            [("50000.20", "0.75000"), ("50000.30", "2.50000"), ("50000.40", "1.00000")])
        let ran = try replay([Session.snapshot, Session.events[0], later, Session.events[2]])
        expectSession(ran)
        let older = try replay([Session.snapshot] + Session.events + [Session.snapshot])
        expectSession(older)
        #expect(older.has("bodies", "{\"compared\":1,\"agreed\":1}"))
    }

    /// Many bodies in front of the first event cost what they are long, and are not all kept.
    @Test func aFloodOfBodies() throws {
        let lines = [String](repeating: Session.snapshot, count: 20_000) + Session.events
        expectSession(try replay(lines))
    }

    /// A side of which nothing is proven is shown, and is no success.
    @Test func anUnprovenSide() throws {
        let asks = [("50000.20", "1.00000"), ("50000.30", "1.00000")]
        let bids = [("50000.10", "1.00000"), ("50000.00", "1.00000")]
        let event = Session.event(
            99, 102, [], [("50000.20", "0.00000"), ("50000.30", "0.00000"), ("50007.00", "1.00000")],
            timeMs: 1_790_000_000_100)
        let ran = try replay([Session.body(100, bids, asks), event])
        #expect(ran.status == 2 && ran.err.contains("BTCUSDT"), "\(ran.all)")
        #expect(ran.err.contains("asks: no level is proven") || ran.err.contains("shallow"), "\(ran.err)")
    }

    /// Levels that are cut are cut at exactly as many as were asked for, with a word.
    @Test func aCutAtTheDepth() throws {
        let bids = (0..<200).map { ("\(50_000 - $0).00", "1.00000") }
        let asks = (0..<200).map { ("\(50_001 + $0).00", "1.00000") }
        let lines = [
            Session.body(100, bids, asks), Session.event(99, 102, [], [], timeMs: 1_790_000_000_100),
        ]
        let cut = try replay(lines, "--depth 100")
        #expect(cut.status == 0 && cut.err.contains("BTCUSDT: levels were cut at --depth 100"), "\(cut.all)")
        #expect(cut.out.contains("[\"49901.00\",\"1.00000\"]],\"asks\"") && !cut.out.contains("\"49900.00\""))
        #expect(cut.out.contains("\"proven\":{\"bid\":\"49901.00\",\"ask\":\"50100.00\"}"), "\(cut.out)")
        let whole = try replay(lines, "--depth 200")
        #expect(whole.status == 0 && !whole.err.contains("were cut") && whole.out.contains("\"49801.00\""))
    }
}
