// What the bytes of a captured message tell without parsing all of it: the stream it belongs to, and the
// payload inside the wrapper.

import BinanceVenue
import MarketData

extension MessageParser {
    /// The kind of a message; nil if it is malformed.
    mutating func kind(of message: [UInt8], _ market: Market) -> MessageKind? {
        try? parse(message.span, market: market)
    }
}

/// The stream name and the payload of a message in the combined wrapper, as ranges; nil if there is none.
func unwrap(_ message: [UInt8]) -> (name: Range<Int>, payload: Range<Int>)? {
    let opening = Array("{\"stream\":\"".utf8)
    guard message.starts(with: opening) else { return nil }
    let first = opening.count
    let place = message[first...].prefix(nameBytesMax)
    guard let end = place.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    let key = Array("\"data\":".utf8)
    var at = end + 1
    while at < message.count, message[at] == UInt8(ascii: ",") || message[at] == 0x20 { at += 1 }
    guard message[at...].starts(with: key) else { return nil }
    at += key.count
    while at < message.count, message[at] == 0x20 { at += 1 }
    guard at < message.count, message.last == UInt8(ascii: "}") else { return nil }
    return (first..<end, at..<(message.count - 1))
}

/// The stream that a bare message belongs to, judging by its content; nil if it does not tell.
///
/// - Parameter only: the symbol of a capture with only one, for messages that name none.
func streamName(_ kind: MessageKind?, _ message: [UInt8], only: String?) -> String? {
    let symbol = text(of: "s", in: message)?.lowercased() ?? only
    guard let symbol else { return nil }
    switch kind {
    case .depthUpdate: return symbol + "@depth"
    case .bookTicker: return symbol + "@bookTicker"
    case .partialDepth: return symbol + "@depth20"
    case .depthSnapshot, .serverShutdown: return nil
    case .other, nil:
        switch text(of: "e", in: message) {
        case "trade": return symbol + "@trade"
        case "aggTrade": return symbol + "@aggTrade"
        case "depthUpdate": return symbol + "@depth"
        case "bookTicker": return symbol + "@bookTicker"
        case "markPriceUpdate": return symbol + "@markPrice"
        case "24hrTicker": return symbol + "@ticker"
        case "24hrMiniTicker": return symbol + "@miniTicker"
        case "forceOrder": return symbol + "@forceOrder"
        default: return nil
        }
    }
}

/// The first string member with a name. Messages say what they are at the beginning: only there it is looked
/// for.
private func text(of name: String, in message: [UInt8]) -> String? {
    guard let start = end(of: Array("\"\(name)\":\"".utf8), in: message) else { return nil }
    let rest = message[start...].prefix(nameBytesMax)
    return rest.firstIndex(of: UInt8(ascii: "\"")).map { String(decoding: rest[..<$0], as: UTF8.self) }
}

/// No name of a stream or symbol is longer.
private let nameBytesMax = 256
/// How many bytes from the beginning are searched for what a message is.
private let headBytesMax = 1 << 16

/// The offset after the first occurrence of a key.
private func end(of key: [UInt8], in message: [UInt8]) -> Int? {
    let bytes = message.span
    let last = min(bytes.count, headBytesMax) - key.count
    var at = 0
    while at <= last {
        var matched = 0
        while matched < key.count, bytes[at + matched] == key[matched] { matched += 1 }
        if matched == key.count { return at + matched }
        at += 1
    }
    return nil
}
