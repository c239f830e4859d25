// Real traffic as a scenario: one symbol's depth updates from a capture, starting behind its snapshot.
//
// A folder stands for the capture inside it. The REST body stands in line, or in `snapshot.json` or
// `snapshots/SYMBOL.json` beside the file. Of several symbols the one with the most depth updates is taken.
// Lines that are no depth update are left out: they cost nothing that is measured here.

import BinanceVenue
import Foundation
import LobRecording
import MarketData

/// Reads captures.
enum CaptureScenario {
    /// The scenario of a capture.
    ///
    /// - Parameter messageCountMax: leave out all later messages.
    static func traffic(path: String, messageCountMax: Int) throws -> Traffic {
        let file = try captureFile(path)
        let market = try market(of: file)
        let found = try read(file, market: market)
        let busiest = found.runs.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        guard let (symbol, run) = busiest else { throw WorkloadError.noDepthUpdates(path: file.path) }
        // A body in line is that of the only symbol; spot bodies do not say whose they are.
        let inline = found.runs.count == 1 ? found.body : nil
        let body = inline ?? bodyBeside(file, symbol)
        let start = try body.map { try parseSnapshot($0).lastUpdateID.value } ?? Int64.min
        let kept = run.filter { $0.last > start }.prefix(messageCountMax).map(\.bytes)
        if kept.isEmpty { throw WorkloadError.noDepthUpdates(path: file.path) }
        return Traffic(
            name: name(of: file),
            origin: "captured \(market.name) \(symbol)" + (body == nil ? ", no snapshot" : ""),
            market: market, snapshot: body ?? [], messages: kept)
    }

    /// Every symbol of a capture that has a snapshot and at least so many updates behind it, by name; nothing
    /// of a capture without depth updates.
    static func allTraffic(path: String, messageCount: Int) throws -> [Traffic] {
        let file = try captureFile(path)
        guard let market = try? market(of: file) else { return [] }
        let found = try read(file, market: market)
        return try found.runs.sorted { $0.key < $1.key }.compactMap { symbol, run in
            let inline = found.runs.count == 1 ? found.body : nil
            guard let body = inline ?? bodyBeside(file, symbol) else { return nil }
            let start = try parseSnapshot(body).lastUpdateID.value
            let kept = run.filter { $0.last > start }.prefix(messageCount).map(\.bytes)
            if kept.count < messageCount { return nil }
            return Traffic(
                name: "\(symbol)", origin: "captured \(market.name)", market: market, snapshot: body,
                messages: kept)
        }
    }

    /// Name of the scenario of a capture, without reading it.
    static func name(path: String) throws -> String { name(of: try captureFile(path)) }

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

    private static func market(of file: URL) throws -> Market {
        var reader = try CaptureReader(path: file.path)
        while let line = try reader.next() {
            let head = line.message.prefix(400)
            if String(decoding: head, as: UTF8.self).contains("\"depthUpdate\"") {
                return market(ofUpdate: Array(head))
            }
        }
        throw WorkloadError.noDepthUpdates(path: file.path)
    }

    /// The market that a depth update shows: only futures have `pu`, only COIN-M is quoted in `USD_`.
    static func market(ofUpdate bytes: [UInt8]) -> Market {
        let head = String(decoding: bytes.prefix(400), as: UTF8.self)
        if !head.contains("\"pu\":") { return .spot }
        return head.contains("USD_") ? .coinm : .usdm
    }

    private struct Message {
        var last: Int64
        var bytes: [UInt8]
    }

    /// What a capture holds: depth updates by symbol, and the first REST body.
    private struct Found {
        var runs: [SymbolName: [Message]] = [:]
        var body: [UInt8]?
    }

    private static func read(_ file: URL, market: Market) throws -> Found {
        var reader = try CaptureReader(path: file.path)
        var parser = MessageParser()
        var found = Found()
        while let line = try reader.next() {
            let kind = try? parser.parse(line.message, market: market, readableAfter: 128)
            if kind == .depthUpdate {
                found.runs[parser.update.symbol, default: []].append(
                    Message(last: parser.update.last.value, bytes: Array(line.message)))
            } else if kind == .depthSnapshot && found.body == nil {
                found.body = Array(line.message)
            }
        }
        return found
    }

    /// `snapshots/SYMBOL.json`, the first of several `snapshots/SYMBOL.….json`, or `snapshot.json`.
    private static func bodyBeside(_ file: URL, _ symbol: SymbolName) -> [UInt8]? {
        let folder = file.deletingLastPathComponent()
        let several = folder.appendingPathComponent("snapshots")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: several.path)) ?? []
        let own = names.filter { $0.hasPrefix("\(symbol).") }.min().map(several.appendingPathComponent)
        let body = own ?? folder.appendingPathComponent("snapshot.json")
        return (try? Data(contentsOf: body)).map { Array($0) }
    }
}
