// What must be known of a capture before its messages go to the engine: its market, and which lines are REST
// bodies.
//
// SAFETY: indices are compared with the count before each access.

import BinanceDepth
import MarketData
import Recording

/// What a REST depth body says of itself.
struct SnapshotFacts {
    var symbol: SymbolName?
    /// Levels a side that were asked for, as far as the body shows it: it may have been cut at the length of
    /// its longer side, since a request on spot may name any number; a shorter side is complete.
    var limit: Int
}

/// The facts of a body, nil if it is none.
func snapshotFacts(_ body: [UInt8]) -> SnapshotFacts? {
    var parser = MessageParser()
    let isBody = unsafe body.withUnsafeBufferPointer { bytes in
        do {
            try unsafe parser.parseSnapshot(bytes)
            return true
        } catch {
            return false
        }
    }
    if !isBody { return nil }
    let longest = max(parser.snapshot.bids.count, parser.snapshot.asks.count)
    let symbol = parser.snapshot.symbol
    return SnapshotFacts(
        symbol: symbol.isEmpty ? nil : symbol, limit: longest)
}

/// Whether a message may be a REST depth body: an object that begins with `lastUpdateId`, not wrapped in a
/// stream.
func looksLikeSnapshot(_ message: UnsafeBufferPointer<UInt8>) -> Bool {
    let key = Array("\"lastUpdateId\"".utf8)
    var at = 0
    for expected in [UInt8(ascii: "{")] {
        while unsafe at < message.count && message[at] == 0x20 { at += 1 }
        guard at < message.count, unsafe message[at] == expected else { return false }
        at += 1
    }
    while unsafe at < message.count && message[at] == 0x20 { at += 1 }
    guard message.count - at >= key.count else { return false }
    return unsafe zip(message[at...], key).allSatisfy { $0 == $1 }
}

/// The market of a capture: futures events carry `pu`, and COIN-M symbols are quoted in USD behind an
/// underscore.
func detectMarket(_ path: String) throws -> Market {
    if RecordingReader.isRecording(path: path) {
        var reader = try RecordingReader(path: path)
        while let frame = try? reader.next() {
            if let market = unsafe market(of: String(decoding: frame.bytes.prefix(400), as: UTF8.self)) {
                return market
            }
        }
        return .spot
    }
    var reader = try CaptureReader(path: path)
    var seen = 0
    while seen < 100_000, let line = try? reader.next() {
        seen += 1
        if let market = unsafe market(of: String(decoding: line.message.prefix(400), as: UTF8.self)) {
            return market
        }
    }
    return .spot
}

/// The market a depth event shows, nil if the message is none.
private func market(of message: String) -> Market? {
    guard message.contains("\"depthUpdate\"") else { return nil }
    guard message.contains("\"pu\":") else { return .spot }
    return message.contains("USD_") || message.contains("usd_") ? .coinm : .usdm
}
