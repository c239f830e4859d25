// Captured lines decoded by Foundation's JSON, encoded again, and compared byte for byte.
//
// Everyday runs sample the first megabyte of each set; `LOB_ENCODER_LINES=all` takes every line.

import BinanceVenue
import Foundation
import MarketData
import TestSupport
import Testing

private enum Captures {
    /// The sets of the venue: everything but other exchanges' checksummed streams.
    static let sets: [String] = {
        guard let root = CapturedSet.root else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter { !$0.hasPrefix("ck-") && !$0.hasSuffix(".md") }.sorted()
    }()

    static let isFull = ProcessInfo.processInfo.environment["LOB_ENCODER_LINES"] == "all"

    static func bytes(_ url: URL) throws -> Data {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let lengthMax = isFull ? 1 << 30 : 1 << 20
        process.arguments = ["sh", "-c", "gzip -dcf \"$0\" | head -c \(lengthMax)", url.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return data
    }

    /// An even sample of the lines of a set that speak of books, and its snapshot bodies.
    static func lines(of set: String) throws -> [Data] {
        let folder = CapturedSet.root!.appendingPathComponent(set)
        var files = ["events.jsonl", "events.jsonl.gz", "snapshot.json"].map(folder.appendingPathComponent)
        let snapshots = folder.appendingPathComponent("snapshots")
        for name in (try? FileManager.default.contentsOfDirectory(atPath: snapshots.path)) ?? [] {
            files.append(snapshots.appendingPathComponent(name))
        }
        var found: [Data] = []
        for file in files where FileManager.default.fileExists(atPath: file.path) {
            var lines = try bytes(file).split(separator: 0x0A)
            if !isFull && lines.count > 1 { lines.removeLast() }
            let stride = isFull ? 1 : max(1, lines.count / 200)
            for index in Swift.stride(from: 0, to: lines.count, by: stride) { found.append(lines[index]) }
        }
        return found
    }
}

/// A book message as Foundation reads it, turned into our types.
private struct Decoded {
    let stream: String?
    let fields: [String: Any]

    init?(_ line: Data) throws {
        guard let object = try JSONSerialization.jsonObject(with: line) as? [String: Any] else { return nil }
        stream = object["stream"] as? String
        fields = object["data"] as? [String: Any] ?? object
    }

    func id(_ key: String) -> UpdateID { UpdateID(integer(key)) }
    func integer(_ key: String) -> Int64 { (fields[key] as? NSNumber)?.int64Value ?? 0 }
    func timeUs(_ key: String) -> Int64 { integer(key) * 1000 }
    var symbol: SymbolName { SymbolName(fields["s"] as? String ?? fields["symbol"] as? String ?? "")! }

    var dialect: WireDialect {
        let isFutures = fields["T"] != nil
        let pair = fields["ps"] as? String ?? fields["pair"] as? String
        let isCoin = isFutures && pair != nil && pair != symbol.description
        var dialect = WireDialect.classic(isCoin ? .coinm : isFutures ? .usdm : .spot)
        dialect.writesPair = fields["ps"] != nil
        dialect.writesSymbolType = fields["st"] != nil
        return dialect
    }

    /// Levels and their decimals; nil if any level is not two decimal strings of one form.
    func levels(_ key: String, _ scales: inout SymbolScales?) throws -> [PriceLevel]? {
        guard let pairs = fields[key] as? [[Any]] else { return nil }
        var levels: [PriceLevel] = []
        for pair in pairs {
            guard pair.count == 2, let price = pair[0] as? String, let quantity = pair[1] as? String
            else { return nil }
            let own = SymbolScales(priceDecimals: decimals(price), quantityDecimals: decimals(quantity))
            if scales == nil { scales = own }
            guard own == scales else { return nil }
            levels.append(PriceLevel(price: try own.price(price), quantity: try own.quantity(quantity)))
        }
        return levels
    }

    func decimals(_ text: String) -> Int {
        guard let point = text.firstIndex(of: ".") else { return 0 }
        return text.distance(from: point, to: text.endIndex) - 1
    }

    /// Appends the message encoded again; false if it has no canonical book shape.
    func encode(into encoder: inout MessageEncoder) throws -> Bool {
        if fields["lastUpdateId"] != nil { return try encodeSnapshot(into: &encoder) }
        if fields["e"] as? String == "depthUpdate" { return try encodeDiff(into: &encoder) }
        return fields["B"] is String ? try encodeTicker(into: &encoder) : false
    }

    private func encodeDiff(into encoder: inout MessageEncoder) throws -> Bool {
        var update = DepthUpdate()
        guard let bids = try levels("b", &update.scales), let asks = try levels("a", &update.scales)
        else { return false }
        update.symbol = symbol
        update.first = id("U")
        update.last = id("u")
        update.previousLast = fields["pu"] == nil ? nil : id("pu")
        update.eventTimeUs = timeUs("E")
        update.transactionTimeUs = timeUs("T")
        update.bids.assign(bids)
        update.asks.assign(asks)
        try encoder.append(update, stream: stream)
        return true
    }

    private func encodeSnapshot(into encoder: inout MessageEncoder) throws -> Bool {
        var snapshot = DepthSnapshot()
        guard let bids = try levels("bids", &snapshot.scales), let asks = try levels("asks", &snapshot.scales)
        else { return false }
        snapshot.symbol = symbol
        snapshot.lastUpdateID = id("lastUpdateId")
        snapshot.eventTimeUs = timeUs("E")
        snapshot.transactionTimeUs = timeUs("T")
        snapshot.bids.assign(bids)
        snapshot.asks.assign(asks)
        try encoder.append(snapshot, stream: stream)
        return true
    }

    private func encodeTicker(into encoder: inout MessageEncoder) throws -> Bool {
        guard let b = fields["b"] as? String, let bq = fields["B"] as? String, let a = fields["a"] as? String,
            let aq = fields["A"] as? String
        else { return false }
        var ticker = BookTicker()
        ticker.symbol = symbol
        ticker.updateID = id("u")
        ticker.eventTimeUs = timeUs("E")
        ticker.transactionTimeUs = timeUs("T")
        let scales = SymbolScales(priceDecimals: decimals(b), quantityDecimals: decimals(bq))
        ticker.scales = scales
        ticker.bid = PriceLevel(price: try scales.price(b), quantity: try scales.quantity(bq))
        ticker.ask = PriceLevel(price: try scales.price(a), quantity: try scales.quantity(aq))
        try encoder.append(ticker, stream: stream)
        return true
    }
}

/// A line that another program has written anew: blanks, which the venue never sends.
private func isRewritten(_ line: Data) -> Bool { line.contains(0x20) || line.contains(0x0D) }

@Test(
    .enabled(if: CapturedSet.root != nil, "the captured sets are absent: set LOB_CAPTURES"),
    arguments: Captures.sets)
func encoderRepeatsCapturedBytes(set: String) throws {
    var compared = 0
    var other = 0
    for line in try Captures.lines(of: set) {
        guard !isRewritten(line), let decoded = try Decoded(line) else {
            other += 1
            continue
        }
        var encoder = MessageEncoder(decoded.dialect)
        guard try decoded.encode(into: &encoder) else {
            other += 1
            continue
        }
        compared += 1
        let expected = [UInt8](line)
        var encoded: [UInt8] = []
        encoder.append(to: &encoded)
        let isSame = encoded == expected
        #expect(
            isSame,
            "\(set): \(String(decoding: line.prefix(300), as: UTF8.self)) became \(encoder.text.prefix(300))")
        if !isSame { return }
    }
    print("encoder \(set): \(compared) messages byte for byte, \(other) of other or rewritten shape")
    #expect(compared > 10)
}
