// What a replay does not read, and what it says then: one sentence that names the thing and what to do.

import Foundation
import Testing

@Suite struct ReplayRefusalTests {
    private func refuse(_ lines: [String], _ words: String..., at location: SourceLocation = #_sourceLocation)
        throws
    {
        let shop = try Workshop()
        try shop.write("c", lines)
        let ran = try shop.run("replay", "c")
        #expect(
            ran.status == 1 && ran.err.split(separator: "\n").count == 1
                && words.allSatisfy(ran.err.contains),
            "\(ran.status): \(ran.all)", sourceLocation: location)
    }

    @Test func arrays() throws {
        let joined = Session.events.joined(separator: ",\n")
        try refuse(["[" + Session.events.joined(separator: ",") + "]"], "a JSON array", "jq -c '.[]' c")
        try refuse(["[", joined, "]"], "a JSON array")
        try refuse(
            ["[\n  " + joined.replacing(",", with: ",\n    ").replacing("{", with: "{\n") + "\n]"],
            "a JSON array")
        try refuse(
            Session.events.map { "[1790000000100,\($0)]" }, "3 JSON arrays with a message in each",
            "jq -c '.[] | objects' c")
        try refuse(["[\"btcusdt@depth\",\(Session.events[0])]"], "1 JSON array with a message in it")
        try refuse([Session.events.joined()], "bytes behind the end at byte 102", "jq -c . c")
        try refuse(["{", " \"e\": \"depthUpdate\",", " \"U\": 1", "}"], "spread over several", "jq -c . c")
    }

    @Test func tables() throws {
        try refuse(
            ["symbol,timestamp,first_update_id,side,price", "BTCUSDT,1667346579146,2098,b,1"],
            "2 rows of CSV (symbol,")
        let quoted = Session.events[0].replacing("\"", with: "\"\"")
        try refuse(
            ["recv,symbol,payload_json", "1790000000,BTCUSDT,\"\(quoted)\""],
            "CSV with a column of JSON (recv,symbol,payload_json)")
    }

    @Test func otherText() throws {
        let python = Session.events.map { "1790000000100000000 " + $0.replacing("\"", with: "'") }
        try refuse(python, "3 Python reprs")
        try refuse(Session.events.map { "btcusdt\t" + $0 }, "8 bytes before the message: 'btcusdt\t'", "sed")
        try refuse(
            Session.events.map { "[2026-09-21 14:13:20,000] INFO recv: " + $0 },
            "37 bytes before the message", "INFO recv: '")
        try refuse(["<html><body>403</body></html>"], "1 line of HTML")
        try refuse(["hello"], "1 line of other text, the first at line 1: hello")
    }

    @Test func otherStreams() throws {
        try refuse(
            Session.futures.map { "{\"stream\":\"btcusdt@rpiDepth@500ms\",\"data\":\($0)}" },
            "3 events of rpiDepth streams")
        let option = "{\"e\":\"depth\",\"s\":\"ETH-231208-1950-C\",\"u\":2,\"pu\":1,\"b\":[],\"a\":[]}"
        try refuse([option], "options are not supported")
        try refuse(
            ["{\"stream\":\"ETH-231208-1950-C@depth100\",\"data\":\(option)}"], "options are not supported")
    }

    /// Events in which something is missing or of another type.
    @Test func oddEvents() throws {
        try refuse(
            Session.events.map { $0.replacing("\"e\":\"depthUpdate\",", with: "") },
            "3 depth updates without \"e\"", "jq")
        try refuse(
            Session.events.map { $0.replacing("\"U\":", with: "\"X\":") }, "line 1: field missing at byte 0")
        try refuse(
            Session.events.map { $0.replacing("\"u\":102", with: "\"u\":\"102\"") }.prefix(1) + [],
            "digit expected at byte")
        let mongo = Session.events[0].replacing("\"U\":99", with: "\"U\":{\"$numberLong\":\"99\"}")
        try refuse([mongo], "digit expected at byte")
        let objects = Session.events[0].replacing("[\"50000.10\",\"1.75000\"]", with: "{\"Price\":\"1\"}")
        try refuse([objects], "level is not [\"price\",\"quantity\"] at byte")
        try refuse(
            ["{\"a\":1,\"b\":[]}"], "1 object of no known shape, the first (line 1) has the members a, b")
    }

    @Test(
        arguments: [
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], "xz data", "xz -dc c | lob replay -"),
            ([0x42, 0x5A, 0x68, 0x39, 0x31], "bzip2 data", "bzip2 -dc c | lob replay -"),
            ([0x50, 0x4B, 3, 4, 20, 0], "a zip archive", "unzip -p c"),
            ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0], "a 7z archive", "7z x -so c"),
            ([0x04, 0x22, 0x4D, 0x18, 0x64], "lz4 data", "lz4 -dc c"),
            ([0x50, 0x41, 0x52, 0x31, 0x15], "a Parquet file", "lines of JSON"),
            ([0x0A, 0x0D, 0x0D, 0x0A, 0x1C, 0], "a packet capture (pcapng)", "editcap"),
            ([0xFF, 0xFE, 0x7B, 0, 0x22, 0], "UTF-16 text", "iconv -f UTF-16 -t UTF-8 c"),
            ([0x7B, 0, 0x22, 0, 0x65, 0], "UTF-16 text", "iconv -f UTF-16LE"),
            ([0, 0x7B, 0, 0x22, 0, 0x65], "UTF-16 text", "UTF-16BE"),
            ([1, 2, 3, 0, 5, 6, 7, 8, 9], "binary data", "lines of JSON"),
        ] as [([UInt8], String, String)]) func formats(_ bytes: [UInt8], _ name: String, _ advice: String)
        throws
    {
        let shop = try Workshop()
        try shop.write("c", bytes)
        expectRefusal(try shop.run("replay", "c"), "c: \(name)", advice)
        // The same out of a pipe, and unpacked.
        expectRefusal(try shop.run(shell: "cat c | lob replay -"), "standard input: \(name)")
        expectRefusal(try shop.run(shell: "gzip -c c > d.gz; lob replay d.gz"), "d.gz: \(name)")
        try shop.write("e", Session.events)
        expectRefusal(try shop.run("replay", "e", "--snapshot", "c"), "c: \(name)")
        #expect(try shop.run("exchange", "--capture", "c").err.contains(name))
    }

    @Test(arguments: [
        (
            "{\"code\":-1121,\"msg\":\"Invalid symbol.\"}",
            "the venue refused the request: -1121 Invalid symbol."
        ),
        (
            "{\"id\":1,\"status\":400,\"error\":{\"code\":-1121,\"msg\":\"Invalid symbol.\"}}",
            "the venue refused the request: -1121"
        ),
        ("<html><head><title>403 Forbidden</title></head></html>", "HTML"),
        ("{\"lastUpdateId\":null,\"bids\":[],\"asks\":[]}", "lastUpdateId is null, not a number, at byte 16"),
        (
            "{\"lastUpdateId\":\"100\",\"bids\":[],\"asks\":[]}",
            "lastUpdateId is \"100\", not a number, at byte 16"
        ),
        (
            "{\"bids\":[[50000.1,1.5]],\"asks\":[],\"lastUpdateId\":100}",
            "level is not [\"price\",\"quantity\"] at byte 10"
        ),
        (
            "{\"symbol\":\"BTC/USDT\",\"bids\":[],\"asks\":[],\"nonce\":100}",
            "no lastUpdateId (ccxt calls it nonce)"
        ),
        ("[1]", "a JSON array"), ("{\"a\":1}", "no lastUpdateId"), ("", "empty"),
        ("{\"lastUpdateId\":1", "at byte 17"),
    ]) func snapshots(_ text: String, _ words: String) throws {
        let shop = try Workshop()
        try shop.write("c", Session.events)
        try shop.write("s", text)
        expectRefusal(try shop.run("replay", "c", "--snapshot", "s"), "s: ", words)
    }

    /// Many lines of one kind are one complaint, with their number and the first.
    @Test func oneComplaintForEachKind() throws {
        let shop = try Workshop()
        let broken = [String](repeating: "{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\",\"U\":x}", count: 500)
        let texts = [String](repeating: "hello", count: 300)
        try shop.write("c", [Session.snapshot] + broken + texts + Session.events)
        let ran = try shop.run("replay", "c", "--json")
        #expect(ran.status == 2 && ran.out.contains("\"malformed\":800}"), "\(ran.all)")
        #expect(ran.err.contains("500 times, the first at c: line 2"), "\(ran.err)")
        #expect(ran.err.contains("c: 300 lines of other text, the first at line 502: hello"), "\(ran.err)")
        #expect(ran.err.split(separator: "\n").count < 8)
    }
}
