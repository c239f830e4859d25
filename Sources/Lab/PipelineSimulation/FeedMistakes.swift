// Mistakes before the engine: what a careless feed does to a message.

/// Drops every level of a depth update whose quantity is zero but not written "0.00000000".
func withoutShortZeros(_ message: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    var index = 0
    while index < message.count {
        // A level: ["price","quantity"]
        if message[index] == UInt8(ascii: "["), index + 1 < message.count,
            message[index + 1] == UInt8(ascii: "\""),
            let end = message[index...].firstIndex(of: UInt8(ascii: "]"))
        {
            let parts = message[index..<end].split(separator: UInt8(ascii: "\""))
            let quantity = parts.last.map(Array.init) ?? []
            let isZero = !quantity.contains { $0 >= UInt8(ascii: "1") && $0 <= UInt8(ascii: "9") }
            if isZero && quantity.count != 10 {
                index = end + 1
                if index < message.count && message[index] == UInt8(ascii: ",") {
                    index += 1
                } else if kept.last == UInt8(ascii: ",") {
                    kept.removeLast()
                }
                continue
            }
            kept.append(contentsOf: message[index...end])
            index = end + 1
        } else {
            kept.append(message[index])
            index += 1
        }
    }
    return kept
}

/// Adds one digit to the quantities of a ticker.
func withLongerQuantities(_ message: [UInt8]) -> [UInt8] {
    guard let place = message.firstRange(of: Array("\"B\":\"".utf8)) else { return message }
    var longer = message
    longer.insert(UInt8(ascii: "1"), at: place.upperBound)
    return longer
}

/// Gives a snapshot a later id than its own.
func withLaterID(_ body: [UInt8]) -> [UInt8] {
    let key = Array("\"lastUpdateId\":".utf8)
    guard let place = body.firstRange(of: key) else { return body }
    let end = body[place.upperBound...].firstIndex { $0 < 0x30 || $0 > 0x39 } ?? body.endIndex
    let id = Int64(String(decoding: body[place.upperBound..<end], as: UTF8.self)) ?? 0
    var later = body
    later.replaceSubrange(place.upperBound..<end, with: Array("\(id + 100_000_000)".utf8))
    return later
}
