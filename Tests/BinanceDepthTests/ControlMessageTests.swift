// Which messages the feed reads, and what it reads in them.

import FeedPlan
import MarketData
import TestSupport
import Testing

@testable import BinanceVenue

struct ControlMessageTests {
    static func kind(_ text: String) -> MessageClass { MessageClass(Array(text.utf8).span) }

    static func read(_ text: String) throws(ParseError) -> ControlMessage {
        try ControlMessage(Array(text.utf8).span)
    }

    static let data = [
        #"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate"}}"#,
        #"{"stream":"币安人生usdt@depth","data":{}}"#, #"{"e":"depthUpdate","E":1}"#,
        #"{"e":"bookTicker","u":1}"#, #"{"u":7012,"s":"BNBUSDT"}"#, #"{"lastUpdateId":7012,"bids":[]}"#,
    ]

    static let control = [
        #"{"result":null,"id":1}"#, #"{"code":2,"msg":"x","id":1}"#,
        #"{"error":{"code":2,"msg":"x"},"id":1}"#,
        #"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#,
        #"{"stream":"\u0021serverShutdown"}"#, #"{"e":"serverShutdown","E":1}"#,
        #"{"event":{"e":"serverShutdown","E":1}}"#, #"{"id":1,"result":null}"#, #" {"e":"depthUpdate"}"#,
        #"{"data":{},"stream":"x"}"#, #"{"e":"trade","E":1}"#, #"[{"e":"depthUpdate"}]"#, "            ",
        #"{"streams":["a"]}"#, #"{"U":7012,"s":"BNBUSDT"}"#, #"{"e":"depthupdate"}"#,
    ]

    @Test func theFirstBytesTell() {
        for text in Self.data { #expect(Self.kind(text) == .data, "\(text)") }
        for text in Self.control { #expect(Self.kind(text) == .control, "\(text)") }
        for text in Self.data + Self.control {
            let bytes = Array(text.utf8)
            for count in 0..<MessageClass.headBytes {
                #expect(MessageClass(bytes.span.extracting(first: count)) == .undecided)
            }
            let head = bytes.span.extracting(first: MessageClass.headBytes)
            #expect(MessageClass(head) == Self.kind(text))
        }
    }

    /// What is taken for data is never a reply: checked on every captured message, and with every byte of the
    /// first twelve changed in every way.
    @Test func nothingButDataIsTakenForData() throws {
        for text in Self.data {
            let bytes = Array(text.utf8)
            for place in 0..<MessageClass.headBytes {
                for value in UInt8.min...UInt8.max where value != bytes[place] {
                    var changed = bytes
                    changed[place] = value
                    // The byte behind the quote is the first one of a name, which may be any but two.
                    let isName = place == 11 && text.hasPrefix("{\"stream") && value != 0x21 && value != 0x5C
                    let isID =
                        (place > 4 && text.hasPrefix("{\"u\":"))
                        || (place == 2 && value == 0x75 && bytes[3] == 0x22)
                    #expect(
                        (MessageClass(changed.span) == .data) == (isName || isID), "\(text) \(place) \(value)"
                    )
                }
            }
        }
        for set in CapturedSet.sessions {
            for line in try set.messages(limit: 200) where line.hasPrefix("{\"") {
                if MessageClass(Array(line.utf8).span) == .data { continue }
                #expect(try Self.read(line) == .other, "\(line.prefix(80))")
            }
        }
    }

    @Test(arguments: [
        (#"{"result":null,"id":1}"#, RequestID.integer(1), ReplyResult.done),
        (#"{"id":-9,"result":null}"#, .integer(-9), .done),
        (#" { "result" : null , "id" : "ab-1" } "#, .text("ab-1"), .done),
        (#"{"result":null,"id":null}"#, .null, .done),
        (#"{"result":["a@depth"],"id":3}"#, .integer(3), .list),
        (#"{"result":true,"id":5}"#, .integer(5), .flag),
        (#"{"result":{"x":1},"id":5}"#, .integer(5), .other),
        (#"{"error":null,"result":null,"id":5,"more":[1,{"x":2}]}"#, .integer(5), .done),
    ]) func accepted(_ text: String, _ id: RequestID, _ result: ReplyResult) throws {
        #expect(try Self.read(text) == .reply(id: id, .accepted(result)))
    }

    @Test func acceptedWithoutAnID() throws {
        #expect(try Self.read(#"{"result":null}"#) == .reply(id: nil, .accepted(.done)))
    }

    @Test func refused() throws {
        let flat = #"{"code":2,"msg":"Invalid request: x","id":7}"#
        #expect(try Self.read(flat) == .reply(id: .integer(7), .refused(code: 2, text: "Invalid request: x")))
        let nested = #"{"error":{"code":-3,"msg":"bad","data":"x@trade"},"id":"7"}"#
        #expect(try Self.read(nested) == .reply(id: .text("7"), .refused(code: -3, text: "bad: x@trade")))
        #expect(
            try Self.read(#"{"error":{"code":4},"id":null}"#)
                == .reply(id: .null, .refused(code: 4, text: "")))
        #expect(
            try Self.read(#"{"code":-1121,"msg":"Invalid symbol."}"#)
                == .reply(id: nil, .refused(code: -1121, text: "Invalid symbol.")))
        let long = String(repeating: "x", count: 5000)
        guard case .reply(_, .refused(_, let text)) = try Self.read("{\"code\":1,\"msg\":\"\(long)\"}") else {
            return #expect(Bool(false))
        }
        #expect(text.utf8.count == ReplyOutcome.textBytesMax)
    }

    @Test(arguments: [
        #"{"e":"serverShutdown","E":1}"#,
        #"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}"#,
        #"{"event":{"e":"serverShutdown","E":1}}"#, #"{"E":1,"e":"serverShutdown","more":{}}"#,
    ]) func shutdown(_ text: String) throws {
        #expect(try Self.read(text) == .serverShutdown)
    }

    @Test(arguments: [
        "{}", "[]", #"{"e":"trade"}"#, #"{"stream":"a","data":[]}"#, #"{"stream":"a","data":{"e":"x"}}"#,
        #"{"id":7}"#, #"{"e":7}"#, #"[{"e":"serverShutdown"}]"#,
    ]) func other(_ text: String) throws {
        #expect(try Self.read(text) == .other)
    }

    /// Every truncation is refused, and no changed byte does harm.
    @Test func damage() {
        for text in Self.control + [#"{"error":{"code":-3,"msg":"bad","data":"x"},"id":"7"}"#] {
            let bytes = Array(text.utf8)
            for count in 0..<bytes.count {
                #expect(throws: ParseError.self) {
                    try ControlMessage(bytes.span.extracting(first: count))
                }
            }
            for place in bytes.indices {
                for value in UInt8.min...UInt8.max {
                    var changed = bytes
                    changed[place] = value
                    _ = try? ControlMessage(changed.span)
                }
            }
        }
    }

    /// Our own encoder's replies, in every shape.
    @Test func repliesOfTheSimulatedVenue() throws {
        for id in [RequestID.integer(.max), .text("a"), .null] {
            for shape in ErrorShape.allCases {
                var encoder = MessageEncoder(.current(.spot))
                try encoder.append(errorCode: 2, message: "no \"x\"", id: id, shape: shape, data: nil)
                #expect(try Self.read(encoder.text) == .reply(id: id, .refused(code: 2, text: #"no \"x\""#)))
            }
            var encoder = MessageEncoder(.current(.spot))
            try encoder.append(.streams(["a", "b"]), id: id)
            #expect(try Self.read(encoder.text) == .reply(id: id, .accepted(.list)))
        }
        for isCombined in [false, true] {
            var encoder = MessageEncoder(.current(.spot))
            try encoder.appendServerShutdown(atUs: 1_790_000_000_000_000, isCombined: isCombined)
            #expect(Self.kind(encoder.text) == .control)
            #expect(try Self.read(encoder.text) == .serverShutdown)
        }
    }
}
