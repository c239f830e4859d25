// The captured sets that tests run on, and a reader of JSON that shares no code with the parser.

import BinanceVenue
import Foundation
import MarketData

/// A folder of captured traffic.
public struct CapturedSet: Sendable, CustomStringConvertible {
    /// Name of the folder.
    public let name: String
    /// Its place.
    public let folder: URL

    /// The folder in which the sets lie: `LOB_CAPTURES`, or `../shared/data` beside the package.
    public static let root: URL? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let named = ProcessInfo.processInfo.environment["LOB_CAPTURES"].map { URL(fileURLWithPath: $0) }
        let root = named ?? package.deletingLastPathComponent().appendingPathComponent("shared/data")
        return FileManager.default.fileExists(atPath: root.path) ? root : nil
    }()

    /// All sets; empty where the captures are absent.
    private static let all: [CapturedSet] = {
        guard let root, let names = try? FileManager.default.contentsOfDirectory(atPath: root.path) else {
            return []
        }
        return names.sorted().map { CapturedSet(name: $0, folder: root.appendingPathComponent($0)) }
    }()

    /// All sets of sessions that have a snapshot.
    public static let sessions = all.filter { set in
        set.market != nil && ["snapshot.json", "snapshots"].contains { set.has($0) }
    }

    /// The set of a name, nil where it is absent.
    public static func named(_ name: String) -> CapturedSet? { all.first { $0.name == name } }

    /// The sessions without a snapshot.
    public static let sessionsWithoutSnapshot = all.filter { set in
        set.market != nil && !["snapshot.json", "snapshots"].contains { set.has($0) }
    }

    /// The sets of single frames, which are no sessions.
    public static let frames = all.filter { $0.name.hasPrefix("frames-") }

    /// Its name.
    public var description: String { name }

    /// The market its name says, nil for sets that are no sessions of the venue.
    public var market: Market? {
        if name.hasPrefix("frames-") || name.hasPrefix("ck-") { return nil }
        if name.contains("-coinm-") { return .coinm }
        if name.contains("-usdm-") { return .usdm }
        return name.contains("-spot-") || name.contains("-us-") ? .spot : nil
    }

    private func has(_ file: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.appendingPathComponent(file).path)
    }

    /// The messages, one a line, at most `limit`.
    public func messages(limit: Int) throws -> [String] {
        let plain = folder.appendingPathComponent("events.jsonl")
        let data: Data
        if FileManager.default.fileExists(atPath: plain.path) {
            data = try Data(contentsOf: plain)
        } else {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "gzip -dc '\(plain.path).gz' | head -n \(limit)"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
        }
        return data.split(separator: 0x0A).prefix(limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The REST bodies: symbol (nil where the set has one symbol) and text.
    public func snapshots() throws -> [(symbol: String?, body: String)] {
        let single = folder.appendingPathComponent("snapshot.json")
        if FileManager.default.fileExists(atPath: single.path) {
            return [(nil, try String(contentsOf: single, encoding: .utf8))]
        }
        let many = folder.appendingPathComponent("snapshots")
        return try FileManager.default.contentsOfDirectory(atPath: many.path).sorted().compactMap { file in
            // A name like ETHBTC.0900.json is one of several of a symbol; only the first is used.
            let parts = file.split(separator: ".")
            if parts.count > 2 && parts[1] != "0900" { return nil }
            return (
                String(parts[0]), try String(contentsOf: many.appendingPathComponent(file), encoding: .utf8)
            )
        }
    }
}

/// A decimal text as a mantissa: the digits without the point.
public func naiveMantissa(_ text: String) -> Int64? { Int64(text.filter { $0 != "." }) }

/// Levels out of JSON that Foundation has read; nil if they are none.
public func naiveLevels(_ json: Any?) -> [PriceLevel]? {
    guard let rows = json as? [[Any]] else { return nil }
    var levels: [PriceLevel] = []
    for row in rows {
        guard row.count >= 2, let price = row[0] as? String, let quantity = row[1] as? String,
            let p = naiveMantissa(price), let q = naiveMantissa(quantity)
        else { return nil }
        levels.append(PriceLevel(p, q))
    }
    return levels
}
