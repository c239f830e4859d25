// Real traffic as a scenario: one symbol's depth updates from a capture, starting behind its snapshot.
//
// A capture is a file, plain or gzip, of lines: a bare message, or `<receive time> <message>`, with the REST body in
// line or in `snapshot.json` or `snapshots/SYMBOL.json` beside it. A folder stands for the capture inside it. Of
// several symbols the one with the most depth updates is taken. Lines that are no depth update are left out: they
// cost the engine nothing that is measured here.

import BinanceDepth
import Foundation
import MarketData

/// Reads captures.
enum CaptureScenario {
    /// The scenario of a capture.
    ///
    /// - Parameter messageCountMax: leave out all later messages.
    static func traffic(path: String, messageCountMax: Int) throws -> Traffic {
        let file = try captureFile(path)
        let lines = try readLines(file).map(withoutReceiveTime)
        let depth = lines.filter(isDepthUpdate)
        guard let market = depth.first.map(market(of:)) else {
            throw WorkloadError.noDepthUpdates(path: file.path)
        }
        let runs = try runsBySymbol(depth, market: market)
        let busiest = runs.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        guard let (symbol, run) = busiest else { throw WorkloadError.noDepthUpdates(path: file.path) }
        let body =
            runs.count == 1
            ? lines.first(where: isSnapshot) ?? snapshotBeside(file, symbol)
            : snapshotBeside(file, symbol)
        var messages = run
        if let body { try messages.removeAll { try $0.last <= lastUpdateID(body) } }
        let kept = messages.prefix(messageCountMax).map { depth[$0.index] }
        if kept.isEmpty { throw WorkloadError.noDepthUpdates(path: file.path) }
        return Traffic(
            name: name(of: file), origin: "captured \(market.name) \(symbol)" + (body == nil ? ", no snapshot" : ""),
            market: market, snapshot: body ?? [], messages: kept)
    }

    private static func captureFile(_ path: String) throws -> URL {
        let url = URL(fileURLWithPath: path)
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw WorkloadError.unreadable(path: path, reason: "no such file")
        }
        if !isFolder.boolValue { return url }
        for candidate in ["capture.txt.gz", "capture.txt", "events.jsonl.gz", "events.jsonl"] {
            let file = url.appendingPathComponent(candidate)
            if FileManager.default.fileExists(atPath: file.path) { return file }
        }
        throw WorkloadError.unreadable(path: path, reason: "no capture.txt or events.jsonl in this folder")
    }

    /// `captures/btc/events.jsonl.gz` is called `btc`, `captures/btc.txt` too.
    private static func name(of file: URL) -> String {
        let stem = String(file.lastPathComponent.prefix { $0 != "." })
        let isGeneric = stem == "capture" || stem == "events"
        return isGeneric ? file.standardizedFileURL.deletingLastPathComponent().lastPathComponent : stem
    }

    private static func readLines(_ file: URL) throws -> [[UInt8]] {
        let content = [UInt8](file.pathExtension == "gz" ? try inflated(file) : try Data(contentsOf: file))
        return content.split(separator: UInt8(ascii: "\n")).map { Array($0) }
    }

    private static func inflated(_ file: URL) throws -> Data {
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", file.path]
        let pipe = Pipe()
        gzip.standardOutput = pipe
        try gzip.run()
        let content = pipe.fileHandleForReading.readDataToEndOfFile()
        gzip.waitUntilExit()
        if gzip.terminationStatus != 0 {
            throw WorkloadError.unreadable(path: file.path, reason: "gzip cannot read it")
        }
        return content
    }

    private static func withoutReceiveTime(_ line: [UInt8]) -> [UInt8] {
        guard let start = line.firstIndex(of: UInt8(ascii: "{")), start > 0 else { return line }
        return Array(line[start...])
    }

    private static func isDepthUpdate(_ line: [UInt8]) -> Bool {
        guard position(of: #""e":"depthUpdate""#, in: line) != nil else { return false }
        // Partial depth of futures has the same event type; only its stream name, `@depth20`, tells.
        guard let stream = position(of: "@depth", in: line) else { return true }
        return !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(line[stream + 6])
    }

    /// Where a text begins within the first 160 bytes of a line.
    private static func position(of text: String, in line: [UInt8]) -> Int? {
        let pattern = Array(text.utf8)
        let last = min(line.count, 160) - pattern.count
        var start = 0
        while start <= last {
            var matched = 0
            while matched < pattern.count && line[start + matched] == pattern[matched] { matched += 1 }
            if matched == pattern.count { return start }
            start += 1
        }
        return nil
    }

    private static func isSnapshot(_ line: [UInt8]) -> Bool {
        line.starts(with: Array(#"{"lastUpdateId""#.utf8))
    }

    private static func market(of message: [UInt8]) -> Market {
        let text = String(decoding: message, as: UTF8.self)
        if !text.contains(#""pu":"#) { return .spot }
        return text.contains(/"s":"[^"]*USD_/) ? .coinm : .usdm
    }

    /// Where a message stands and the last id it covers.
    private struct Place {
        var index: Int
        var last: Int64
    }

    private static func runsBySymbol(_ messages: [[UInt8]], market: Market) throws -> [SymbolName: [Place]] {
        let arena = MessageArena(messages)
        let bytes = arena.view
        var parser = MessageParser()
        var runs: [SymbolName: [Place]] = [:]
        for index in messages.indices where try parser.parse(bytes[index], market: market) == .depthUpdate {
            runs[parser.update.symbol, default: []].append(
                Place(index: index, last: parser.update.last.value))
        }
        return runs
    }

    private static func lastUpdateID(_ body: [UInt8]) throws -> Int64 {
        let arena = MessageArena([body])
        var parser = MessageParser()
        try parser.parseSnapshot(arena.view[0])
        return parser.snapshot.lastUpdateID.value
    }

    private static func snapshotBeside(_ file: URL, _ symbol: SymbolName) -> [UInt8]? {
        let folder = file.deletingLastPathComponent()
        let candidates = ["snapshots/\(symbol).json", "snapshot.json"]
        return candidates.lazy.compactMap { try? Data(contentsOf: folder.appendingPathComponent($0)) }
            .first.map { Array($0) }
    }
}
