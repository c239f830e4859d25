// Captures as sessions: several files as one, ids that begin anew, connections that overlap, and where a book
// ended.

import Foundation
import Testing

@Suite struct ReplaySessionTests {
    private func replay(_ lines: [String], _ arguments: String = "") throws -> Ran {
        let shop = try Workshop()
        try shop.write("c", lines)
        try shop.write("s", Session.snapshot)
        return try shop.run(shell: "lob replay c --json \(arguments)")
    }

    /// Files are merged by time, in whichever order they are named, by receive times or by those of events.
    @Test func filesAreMergedByTime() throws {
        let shop = try Workshop()
        let timed = Session.events.enumerated().map { "179000000000\($0) \($1)" }
        for lines in [timed, Session.events] {
            try shop.write("even", [lines[0], lines[2]])
            try shop.write("odd", [lines[1]])
            try shop.write("s", [Session.snapshot])
            expectSession(try shop.run("replay", "even", "odd", "s", "--json"))
            expectSession(try shop.run("replay", "odd", "s", "even", "--json"))
        }
        try shop.write("c", [Session.snapshot] + Session.events)
        expectSession(try shop.run("replay", "c", "c", "--json"))
    }

    /// The same capture behind itself, and another session whose ids begin anew: its own body is used.
    @Test func idsThatBeginAnew() throws {
        let whole = [Session.snapshot] + Session.events
        expectSession(try replay(whole + whole))
        let early = Session.body(2_000, [("60000.00", "1.00000")], [("60001.00", "1.00000")])
        let first = Session.event(1_999, 2_001, [("60000.00", "2.00000")], [], timeMs: 1_789_999_990_000)
        let ran = try replay([early, first] + whole)
        expectSession(ran)
        #expect(
            ran.err.contains("update ids of BTCUSDT begin anew") && ran.err.contains("from 2001 to 102"),
            "\(ran.err)")
        // Long after: the times go back with the ids.
        let late = Session.event(1_999, 2_001, [("60000.00", "2.00000")], [], timeMs: 1_790_000_090_000)
        expectSession(try replay([early, late] + whole))
        // The recording of it tells the same.
        let shop = try Workshop()
        try shop.write("c", [early, first] + whole)
        expectSession(try shop.run("replay", "c", "--json", "--record", "r"))
        expectSession(try shop.run("replay", "r", "--json"))
    }

    /// Copies and late events of a second connection begin nothing.
    @Test func repeatedEvents() throws {
        let e = Session.events
        let ran = try replay([e[0], e[0], e[1], e[0], e[1], e[2], e[2]], "--snapshot s")
        expectSession(ran)
        #expect(ran.out.contains("\"discarded\":4") && !ran.err.contains("anew"))
    }

    /// Two connections on which the venue groups the same updates differently miss nothing; one chain that is
    /// broken does, and so does a loss.
    @Test func connectionsThatOverlap() throws {
        let f = Session.futures
        let b1 = Session.event(
            101, 104, pu: 100, [("50000.10", "1.75000"), ("50000.00", "0.00000")], [],
            timeMs: 1_790_000_000_150)
        let b2 = Session.event(
            105, 106, pu: 104, [], [("50000.20", "0.00000"), ("50000.30", "2.50000")],
            timeMs: 1_790_000_000_250)
        expectSession(try replay([f[0], b1, f[1], b2, f[2]], "--snapshot s"))
        let broken = try replay([f[0], b1, b2], "--snapshot s")
        #expect(broken.status == 2 && broken.member("state") == "stale", "\(broken.all)")
        #expect(
            broken.err.contains("the update at c: line 2, byte 129 begins at pu 100, the book stands at 102"),
            "\(broken.err)")
        let lost = try replay([f[0], f[2]], "--snapshot s")
        #expect(
            lost.status == 2 && lost.err.contains("gap at c: line 2, byte 129: expected pu 102, found 105"),
            "\(lost.err)")
        let both = try replay(
            [f[0], b1, f[1], Session.event(108, 109, pu: 107, [], [], timeMs: 1_790_000_000_400)],
            "--snapshot s")
        #expect(both.status == 2 && both.member("state") == "stale", "\(both.all)")
        let spot = try replay([Session.events[0], Session.events[2]], "--snapshot s")
        #expect(
            spot.err.contains("gap at c: line 2, byte 103: expected U up to 103, found 106"), "\(spot.err)")
    }

    /// The market is told from whole events; what contradicts it is wrong usage of this command.
    @Test func theMarketIsTold() throws {
        let sorted = Session.futures.map { line in
            "{" + line.dropFirst().dropLast().replacing("\"pu\":98,", with: "") + ",\"pu\":98}"
        }
        let levels = (0..<60).map { ("4\($0 + 1000).00", "1.00000") }
        let long =
            Session.event(99, 102, pu: 98, levels, [], timeMs: 1_790_000_000_100)
            .replacing("\"pu\":98,", with: "").dropLast() + ",\"pu\":98}"
        #expect(try replay([String(long)], "--snapshot s").member("market") == "usdm")
        #expect(try replay([sorted[0]], "--snapshot s").member("market") == "usdm")
        let coin = Session.futures.map { $0.replacing("BTCUSDT", with: "BTCUSD_PERP") }
        #expect(try replay(coin, "--snapshot s").member("market") == "coinm")
        let named = try replay(Session.futures, "--market spot")
        #expect(
            named.status == 64 && named.err.contains("these are futures updates; use --market usdm"),
            "\(named.err)")
        #expect(named.err.contains("Usage: lob replay"), "\(named.err)")
        let mixed = try replay(Session.futures + Session.events)
        #expect(mixed.status == 64 && mixed.err.contains("only if they are of one market"), "\(mixed.err)")
        let ticker = "{\"u\":5,\"s\":\"BTCUSDT\",\"b\":\"1.0\",\"B\":\"1.0\",\"a\":\"2.0\",\"A\":\"1.0\"}"
        #expect(
            try replay([ticker]).err.contains("c: nothing tells the market; spot is assumed, see --market"))
    }
}
