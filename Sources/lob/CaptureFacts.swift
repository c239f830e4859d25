// What must be known of a capture before its messages go to the engine: its market, and which lines are REST
// bodies.
//
// SAFETY: indices are compared with the count before each access.

import ArgumentParser
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

/// The market of captures that are read as one stream: the one that was named, otherwise the one that their
/// events show, otherwise spot. Wrong usage if the events show another one.
func captureMarket(_ named: Market?, _ paths: [String]) throws -> Market {
    var market = named
    for path in paths {
        guard let shown = try shownMarket(path) else { continue }
        if market == nil { market = shown }
        if market == shown { continue }
        // Futures events show themselves by `pu`; that an event lies in another order of members than the
        // venue's is no reason to refuse the market that was named.
        if named == nil {
            throw ValidationError(
                "\(path): these are \(shown.name) events, those before \(market!.name)'s; "
                    + "captures are replayed together only if they are of one market.")
        }
        if market == .spot {
            throw ValidationError("\(path): these are futures events; use --market \(shown.name).")
        }
    }
    return market ?? .spot
}

/// The market that the first depth event of a capture shows, nil if there is none: futures events carry `pu`,
/// and COIN-M symbols are quoted in USD behind an underscore.
private func shownMarket(_ path: String) throws -> Market? {
    if RecordingReader.isRecording(path: path) {
        var reader = try RecordingReader(path: path)
        while let frame = try? reader.next() {
            if let market = unsafe market(of: String(decoding: frame.bytes.prefix(400), as: UTF8.self)) {
                return market
            }
        }
        return nil
    }
    var reader = try CaptureReader(path: path)
    while let line = try? reader.next() {
        if let market = unsafe market(of: String(decoding: line.message.prefix(400), as: UTF8.self)) {
            return market
        }
    }
    return nil
}

/// The market a depth event shows, nil if the message is none.
private func market(of message: String) -> Market? {
    guard message.contains("\"depthUpdate\"") else { return nil }
    guard message.contains("\"pu\":") else { return .spot }
    return message.contains("USD_") || message.contains("usd_") ? .coinm : .usdm
}
