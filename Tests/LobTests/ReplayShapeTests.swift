// What a replay reads: the venue's messages in whatever a collector put around them.

import Foundation
import Testing

@Suite struct ReplayShapeTests {
    private static let wrapped = Session.events.map { "{\"stream\":\"btcusdt@depth@100ms\",\"data\":\($0)}" }

    /// Replays lines that hold the session's events, with its snapshot beside them.
    private func replay(_ lines: [String], _ arguments: String = "--snapshot s.json") throws -> Ran {
        let shop = try Workshop()
        try shop.write("c.txt", lines)
        try shop.write("s.json", Session.snapshot)
        return try shop.run(shell: "lob replay c.txt --json \(arguments)")
    }

    @Test(arguments: ["\t", ",", " ", ";", ": "]) func aTimeAndASeparator(_ separator: String) throws {
        expectSession(try replay(ReplayShapeTests.wrapped.map { "1790000000000\(separator)\($0)" }))
    }

    @Test(arguments: [
        "2026-09-21T14:13:20.000Z ", "2026-09-21T14:13:20.1234567Z ", "2026-09-21 14:13:20,100 ",
        "2026-09-21T16:13:20+02:00\t",
    ]) func aDateAndATime(_ time: String) throws {
        expectSession(try replay(ReplayShapeTests.wrapped.map { time + $0 }))
    }

    /// The message lies in the only member of an envelope that holds one, also as a text.
    @Test(arguments: [
        "{\"rx\":1790000000100000000,\"m\":#}", "{\"received_at_ns\":1,\"type\":\"diff\",\"frame\":#}",
        "{\"ts_local\":1790000000.1,\"symbol\":\"BTCUSDT\",\"data\":#}", "{\"payload\":{\"msg\":#},\"n\":1}",
    ]) func anEnvelope(_ envelope: String) throws {
        for lines in [Session.events, ReplayShapeTests.wrapped] {
            expectSession(try replay(lines.map { envelope.replacing("#", with: $0) }))
            let quoted = lines.map { "\"" + $0.replacing("\"", with: "\\\"") + "\"" }
            expectSession(try replay(quoted.map { envelope.replacing("#", with: $0) }))
        }
    }

    /// A body in an envelope belongs to the symbol beside it; an object of no known shape is shown.
    @Test func bodiesInEnvelopes() throws {
        let shop = try Workshop()
        let other = "{\"ts_local\":1790000000.0,\"symbol\":\"BTCUSDT\",\"data\":{\"tickSize\":\"0.10\"}}"
        let head =
            "{\"ts_local\":1790000000.1,\"symbol\":\"#\",\"type\":\"snapshot\",\"data\":\(Session.snapshot)}"
        let tail = Session.events.map { "{\"ts_local\":1790000000.2,\"symbol\":\"BTCUSDT\",\"data\":\($0)}" }
        let eth = Session.events.map { $0.replacing("BTCUSDT", with: "ETHUSDT") }
        try shop.write(
            "c",
            [other, head.replacing("#", with: "BTCUSDT"), head.replacing("#", with: "ethusdt")] + tail + eth)
        let ran = try shop.run("replay", "c", "--json")
        #expect(ran.status == 0 && ran.out.components(separatedBy: Session.digest).count == 3, "\(ran.all)")
        #expect(
            ran.err.contains(
                "1 object of no known shape, the first (line 1) has the members ts_local, symbol"))
    }

    /// A body may lie in `result` or `data`, in line and in a file, its members in any order.
    @Test(arguments: [
        "#", "{\"id\":\"51e2\",\"status\":200,\"result\":#,\"rateLimits\":[{\"limit\":6000}]}",
        "{\"code\":0,\"msg\":\"Success\",\"data\":#,\"timestamp\":1790000000123}",
    ]) func bodiesInReplies(_ reply: String) throws {
        let sorted = Session.snapshot.replacing("{\"lastUpdateId\":100,", with: "{")
            .replacing("]]}", with: "]],\"lastUpdateId\":100}")
        for body in [Session.snapshot, sorted] {
            let text = reply.replacing("#", with: body)
            expectSession(try replay([text] + Session.events, ""))
            expectSession(try replay([Session.events[0], text] + Session.events[1...], ""))
            let shop = try Workshop()
            try shop.write("c", Session.events)
            try shop.write("s", text)
            expectSession(try shop.run("replay", "c", "--json", "--snapshot", "s"))
        }
    }

    @Test func aSnapshotOverSeveralLines() throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", Session.snapshot.replacing("\"]", with: "\",[]]").replacing(",", with: ",\n  "))
        expectSession(try shop.run("replay", "c", "--json", "--snapshot", "s"))
    }

    @Test(arguments: ["btcusdt", "BTCUSDT", "BtcUsdt"]) func lettersOfSymbols(_ symbol: String) throws {
        let small = Session.events.map { $0.replacing("BTCUSDT", with: "btcusdt") }
        for lines in [Session.events, small, [Session.events[0]] + small[1...]] {
            let ran = try replay(lines, "--snapshot \(symbol)=s.json")
            expectSession(ran)
            #expect(ran.out.split(separator: "\n").count == 1 && ran.member("symbol") == "BTCUSDT")
        }
    }

    @Test func aMarkOfUTF8AndCarriageReturns() throws {
        let shop = try Workshop()
        try shop.write("c", "\u{FEFF}" + Session.events.joined(separator: "\r\n"))
        try shop.write("s", "\u{FEFF}" + Session.snapshot)
        expectSession(try shop.run("replay", "c", "--json", "--snapshot", "s"))
    }

    /// zstd, whole and cut, in several frames, from a pipe.
    @Test func zstd() throws {
        let shop = try Workshop()
        try shop.write("s.json", Session.snapshot)
        let frames = Session.events.map { zstdFrame($0 + "\n") }
        try shop.write("c.zst", frames.flatMap { $0 })
        expectSession(try shop.run("replay", "c.zst", "--json", "--snapshot", "s.json"))
        expectSession(try shop.run(shell: "cat c.zst | lob replay - --json --snapshot s.json"))
        try shop.write("cut.zst", frames.flatMap { $0 }.dropLast(5))
        let cut = try shop.run("replay", "cut.zst", "--json", "--snapshot", "s.json")
        #expect(cut.status == 2 && cut.member("lastUpdateId") == "105", "\(cut.all)")
        #expect(cut.err.contains("cut.zst: damaged at byte"))
        try shop.write("set/events.jsonl.zst", frames.flatMap { $0 })
        try shop.write("set/snapshot.json", Session.snapshot)
        expectSession(try shop.run("replay", "set", "--json"))
    }

    @Test func timesInMicroseconds() throws {
        let lines = Session.events.map { $0.replacing("00,\"s\"", with: "00000,\"s\"") }
        expectSession(try replay(lines))
    }

    /// Decimals without their trailing zeros.
    @Test func trimmedDecimals() throws {
        let trimmed = Session.events.map { line in
            line.replacing("0.10\"", with: "0.1\"").replacing("0.00\"", with: "0\"").replacing(
                "0.30\"", with: "0.3\""
            )
            .replacing("0.20\"", with: "0.2\"").replacing("1.75000", with: "1.75").replacing(
                "2.50000", with: "2.5"
            )
            .replacing("\"0.00000\"", with: "\"0\"")
        }
        expectSession(try replay(trimmed))
    }

    /// A tick that becomes finer loses nothing.
    @Test func aFinerTick() throws {
        let finer =
            [Session.futures[0]]
            + Session.futures[1...].map { line in
                line.replacing("0.00\"", with: "0.000\"").replacing("0.30\"", with: "0.300\"").replacing(
                    "0.20\"", with: "0.200\"")
            }
        let ran = try replay(finer)
        #expect(ran.status == 0 && ran.member("lastUpdateId") == "106", "\(ran.all)")
        #expect(!ran.all.contains("were cut"), "\(ran.all)")
    }
}

/// A text as a zstd frame that is not packed.
private func zstdFrame(_ text: String) -> [UInt8] {
    let data = Array(text.utf8)
    let header = UInt32(1 | data.count << 3)
    func little(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
    return [0x28, 0xB5, 0x2F, 0xFD, 0xA0] + little(UInt32(data.count), 4) + little(header, 3) + data
}
