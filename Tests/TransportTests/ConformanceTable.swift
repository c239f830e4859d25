// RFC 6455 framing as a table: what a server sends and what a client must make of it. Every row runs on the
// pure decoder at every split position, and over real sockets on both backends. `standard` says where the
// library's own role is known to do otherwise.

import Testing

@testable import LobTransport

struct ConformanceRow: CustomTestStringConvertible, Sendable {
    /// What is to come of the bytes.
    enum Outcome {
        /// These messages and pings, and the connection stays open.
        case open([Heard])
        /// These, then the peer's close.
        case closed([Heard], code: UInt16, reason: String)
        /// These, then a broken rule at this byte.
        case violation([Heard], FrameFault, at: UInt64)
    }

    /// How the libwebsockets backend differs.
    enum Standard {
        /// Not at all, but for pings it does not report and rules it does not name.
        case same
        /// It takes what the rule forbids.
        case accepts
        /// It does not report this code or reason.
        case otherCode
    }

    var name: String
    var bytes: [UInt8]
    var outcome: Outcome
    var standard = Standard.same

    var testDescription: String { name }
}

let conformanceMessageBytesMax = 70000

private let long = [UInt8](repeating: 0x2A, count: 66000)
private let medium = [UInt8](repeating: 0x2B, count: 300)
private let control125 = [UInt8](repeating: 0x2C, count: 125)

let conformanceTable: [ConformanceRow] =
    [
        // 5.6, 5.2: data frames and the three forms of a length
        .init(name: "text", bytes: text("hello"), outcome: .open([.message("hello")])),
        .init(name: "binary", bytes: frame(2, [0, 255]), outcome: .open([.message([0, 255])])),
        .init(name: "empty text", bytes: frame(1), outcome: .open([.message([])])),
        .init(name: "125 bytes", bytes: frame(1, control125), outcome: .open([.message(control125)])),
        .init(
            name: "126 bytes", bytes: frame(1, control125 + [1]), outcome: .open([.message(control125 + [1])])
        ),
        .init(name: "300 bytes", bytes: frame(1, medium), outcome: .open([.message(medium)])),
        .init(name: "66,000 bytes", bytes: frame(2, long), outcome: .open([.message(long)])),
        .init(
            name: "two messages in one segment", bytes: text("a") + text("b"),
            outcome: .open([.message("a"), .message("b")])),
        // 5.4: fragmentation
        .init(
            name: "two fragments", bytes: text("he", isLast: false) + frame(0, Array("llo".utf8)),
            outcome: .open([.message("hello")])),
        .init(
            name: "three fragments, one empty",
            bytes: text("he", isLast: false) + frame(0, [], isLast: false) + frame(0, Array("llo".utf8)),
            outcome: .open([.message("hello")])),
        .init(
            name: "empty last fragment", bytes: text("hello", isLast: false) + frame(0),
            outcome: .open([.message("hello")])),
        .init(
            name: "ping between fragments",
            bytes: text("he", isLast: false) + frame(9, [7]) + frame(0, Array("llo".utf8)),
            outcome: .open([.ping([7]), .message("hello")])),
        .init(
            name: "pong between fragments",
            bytes: text("he", isLast: false) + frame(10, [7]) + frame(0, Array("llo".utf8)),
            outcome: .open([.pong([7]), .message("hello")])),
        .init(
            name: "close between fragments", bytes: text("he", isLast: false) + closeFrame(1001),
            outcome: .closed([], code: 1001, reason: "")),
        .init(
            name: "continuation of nothing", bytes: frame(0, [1]),
            outcome: .violation([], .continuationOfNothing, at: 0)),
        .init(
            name: "continuation after the last fragment", bytes: text("a") + frame(0, [1]),
            outcome: .violation([.message("a")], .continuationOfNothing, at: 3)),
        .init(
            name: "text inside a message", bytes: text("a", isLast: false) + text("b"),
            outcome: .violation([], .messageUnfinished, at: 3)),
        .init(
            name: "binary inside a message", bytes: text("a", isLast: false) + frame(2, [1]),
            outcome: .violation([], .messageUnfinished, at: 3)),
        // 5.5: control frames
        .init(name: "ping", bytes: frame(9, Array("abc".utf8)), outcome: .open([.ping(Array("abc".utf8))])),
        .init(name: "empty ping", bytes: frame(9), outcome: .open([.ping([])])),
        .init(name: "longest ping", bytes: frame(9, control125), outcome: .open([.ping(control125)])),
        .init(name: "unsolicited pong", bytes: frame(10, [1, 2]), outcome: .open([.pong([1, 2])])),
        .init(
            name: "126-byte ping", bytes: frame(9, control125 + [1]),
            outcome: .violation([], .controlTooLong, at: 1)),
        .init(
            name: "ping with a 64-bit length", bytes: frame(9, [1], lengthBytes: 8),
            outcome: .violation([], .controlTooLong, at: 1)),
        .init(
            name: "fragmented ping", bytes: frame(9, [1], isLast: false),
            outcome: .violation([], .controlFragmented, at: 0)),
        .init(
            name: "fragmented close", bytes: frame(8, [3, 232], isLast: false),
            outcome: .violation([], .controlFragmented, at: 0)),
        // 5.5.1, 7.4: close
        .init(name: "close", bytes: closeFrame(1000), outcome: .closed([], code: 1000, reason: "")),
        .init(
            name: "close with a reason", bytes: closeFrame(1008, "Too many requests"),
            outcome: .closed([], code: 1008, reason: "Too many requests")),
        .init(
            name: "close with a code of its own", bytes: closeFrame(4000, "x"),
            outcome: .closed([], code: 4000, reason: "x")),
        .init(
            name: "close for a restart", bytes: closeFrame(1012),
            outcome: .closed([], code: 1012, reason: ""),
            standard: .otherCode),
        .init(name: "close without a code", bytes: frame(8), outcome: .closed([], code: 1005, reason: "")),
        .init(
            name: "message before a close", bytes: text("a") + closeFrame(1000),
            outcome: .closed([.message("a")], code: 1000, reason: "")),
        .init(
            name: "message behind a close", bytes: closeFrame(1000) + text("a"),
            outcome: .closed([], code: 1000, reason: "")),
        .init(
            name: "close of one byte", bytes: frame(8, [3]), outcome: .violation([], .closeInvalid, at: 2),
            standard: .accepts),
        .init(
            name: "close 1005", bytes: closeFrame(1005), outcome: .violation([], .closeInvalid, at: 3),
            standard: .accepts),
        .init(
            name: "close 999", bytes: closeFrame(999), outcome: .violation([], .closeInvalid, at: 3),
            standard: .accepts),
        .init(
            name: "close 2000", bytes: closeFrame(2000), outcome: .violation([], .closeInvalid, at: 3),
            standard: .accepts),
        .init(
            name: "close 5000", bytes: closeFrame(5000), outcome: .violation([], .closeInvalid, at: 3),
            standard: .accepts),
        // 5.2: bits and lengths
        .init(
            name: "first reserved bit", bytes: [0xC1, 1, 97], outcome: .violation([], .reservedBits, at: 0)),
        .init(
            name: "second reserved bit", bytes: [0xA1, 1, 97], outcome: .violation([], .reservedBits, at: 0)),
        .init(
            name: "third reserved bit", bytes: [0x91, 1, 97], outcome: .violation([], .reservedBits, at: 0)),
        .init(
            name: "reserved bit of a ping", bytes: [0xC9, 0], outcome: .violation([], .reservedBits, at: 0)),
        .init(
            name: "16-bit form of a short length", bytes: frame(1, [97], lengthBytes: 2),
            outcome: .violation([], .lengthInvalid, at: 3), standard: .accepts),
        .init(
            name: "64-bit form of a short length", bytes: frame(1, medium, lengthBytes: 8),
            outcome: .violation([], .lengthInvalid, at: 9), standard: .accepts),
        .init(
            name: "highest bit of a length", bytes: [0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 1],
            outcome: .violation([], .lengthInvalid, at: 9)),
        // 5.1: masking
        .init(
            name: "masked by the server", bytes: [0x81, 0x81, 1, 2, 3, 4, 0x60],
            outcome: .violation([], .masked, at: 1), standard: .accepts),
        .init(
            name: "masked ping", bytes: [0x89, 0x80, 1, 2, 3, 4], outcome: .violation([], .masked, at: 1),
            standard: .accepts),
        // 10.4: limits
        .init(
            name: "frame over the limit",
            bytes: frame(1, [UInt8](repeating: 1, count: conformanceMessageBytesMax + 1)),
            outcome: .violation([], .messageTooLong(bytesMax: conformanceMessageBytesMax), at: 9)),
        .init(
            name: "length near 2^63", bytes: [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3],
            outcome: .violation([], .messageTooLong(bytesMax: conformanceMessageBytesMax), at: 9),
            standard: .accepts),
        .init(
            name: "fragments over the limit",
            bytes: frame(1, long, isLast: false) + frame(0, long),
            outcome: .violation([], .messageTooLong(bytesMax: conformanceMessageBytesMax), at: 66019)),
        .init(
            name: "second message as long as the limit",
            bytes: frame(1, [UInt8](repeating: 1, count: conformanceMessageBytesMax))
                + frame(1, [UInt8](repeating: 2, count: conformanceMessageBytesMax)),
            outcome: .open([
                .message([UInt8](repeating: 1, count: conformanceMessageBytesMax)),
                .message([UInt8](repeating: 2, count: conformanceMessageBytesMax)),
            ])),
        .init(
            name: "garbage", bytes: Array("{\"e\":\"depthUpdate\"}".utf8),
            outcome: .violation([], .reservedBits, at: 0)),
    ]
    + [UInt8](3...7).map { opcode in
        ConformanceRow(
            name: "opcode \(opcode)", bytes: frame(opcode, [1]),
            outcome: .violation([], .reservedOpcode(opcode), at: 0))
    }
    + [UInt8](11...15).map { opcode in
        ConformanceRow(
            name: "opcode \(opcode)", bytes: frame(opcode, [1]),
            outcome: .violation([], .reservedOpcode(opcode), at: 0))
    }
