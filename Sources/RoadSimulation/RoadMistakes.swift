// Mistakes that sit before the engine: what a careless feed does to a message.

/// Drops every level of a depth event whose quantity is zero but not written "0.00000000".
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
