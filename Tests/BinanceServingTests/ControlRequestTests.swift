// Control messages as a server reads them: every method, every refusal, and texts that are no JSON.

import Foundation
import Testing

@testable import BinanceServing
@testable import FeedPlan

private func read(_ text: String) -> Result<ControlRequest, ControlRefusal> {
    do throws(ControlRefusal) {
        return .success(try ControlRequest(Array(text.utf8)))
    } catch {
        return .failure(error)
    }
}

@Test func requestsAreRead() throws {
    let table: [(text: String, action: ControlRequest.Action, id: RequestID)] = [
        (
            #"{"method":"SUBSCRIBE","params":["a@depth","b"],"id":1}"#, .subscribe(["a@depth", "b"]),
            .integer(1)
        ),
        (
            #" { "id" : "x" , "params" : [ "a" ] , "method" : "UNSUBSCRIBE" } "#, .unsubscribe(["a"]),
            .text("x")
        ),
        (#"{"method":"LIST_SUBSCRIPTIONS","id":null}"#, .listSubscriptions, .null),
        (#"{"method":"LIST_SUBSCRIPTIONS","params":null,"id":0}"#, .listSubscriptions, .integer(0)),
        (
            #"{"method":"SET_PROPERTY","params":["combined",false],"id":-9}"#, .setCombined(false),
            .integer(-9)
        ),
        (
            #"{"method":"GET_PROPERTY","params":["combined"],"id":2,"more":{"a":[1.5e3,{}]}}"#, .getCombined,
            .integer(2)
        ),
        (
            #"{"method":"SUBSCRIBE","params":["\u5e01\u5B89@depth","\ud83d\ude00","q\"\\\/\n"],"id":3}"#,
            .subscribe(["币安@depth", "😀", "q\"\\/\n"]), .integer(3)
        ),
        (
            #"{"method":"SUBSCRIBE","params":["a"],"id":9223372036854775807}"#, .subscribe(["a"]),
            .integer(.max)
        ),
        (
            #"{"method":"SUBSCRIBE","method":"UNSUBSCRIBE","params":["a"],"id":1}"#, .unsubscribe(["a"]),
            .integer(1)
        ),
    ]
    for row in table {
        let request = try #require(try? read(row.text).get(), "\(row.text)")
        #expect(request.action == row.action && request.id == row.id)
    }
}

/// A refusal repeats no more of an unknown method than its beginning, in whole characters.
@Test func longMethodsAreNotRepeated() {
    for (character, count) in [("x", 100), ("é", 50), ("币", 33), ("😀", 25)] {
        let method = String(repeating: character, count: 1_000)
        guard case .failure(let refusal) = read(#"{"method":"\#(method)","id":1}"#) else {
            Issue.record("\(character): admitted")
            continue
        }
        #expect(refusal.message.contains("`\(String(repeating: character, count: count))`"))
        #expect(refusal.message.utf8.count < 300)
    }
}

/// What is refused, and how.
private let refusals: [(text: String, code: Int, message: String, id: RequestID)] = [
    ("", 3, "Invalid JSON: expected value at line 1 column 0", .null),
    ("{\n\"method\":x}", 3, "Invalid JSON: expected value at line 2 column 9", .null),
    (
        #"{"method":"SUBSCRIBE","params":["a"],"id":1} x"#, 3,
        "Invalid JSON: expected value at line 1 column 45", .null
    ),
    ("[]", 2, "Invalid request: expected an object", .null),
    (
        #"{"method":"SUBSCRIBE","params":["a"]}"#, 2,
        "Invalid request: request ID must be an unsigned integer", .null
    ),
    (#"{"id":1.0}"#, 2, "Invalid request: request ID must be an unsigned integer", .null),
    (#"{"id":9223372036854775808}"#, 2, "Invalid request: request ID must be an unsigned integer", .null),
    (
        #"{"id":"1234567890123456789012345678901234567"}"#, 2,
        "Invalid request: request ID must be an unsigned integer", .null
    ),
    (#"{"id":1}"#, 2, "Invalid request: missing field `method` at line 1 column 8", .integer(1)),
    (
        #"{"method":5,"id":1}"#, 2,
        "Invalid request: invalid type: expected variant identifier at line 1 column 11", .integer(1)
    ),
    (
        #"{"method":"subscribe","id":"a"}"#, 2,
        "Invalid request: unknown variant `subscribe`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
            + "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 21", .text("a")
    ),
    (#"{"method":"SUBSCRIBE","id":1}"#, 2, "Invalid request: missing field `params`", .integer(1)),
    (
        #"{"method":"SUBSCRIBE","params":[],"id":1}"#, 2, "Invalid request: missing field `params`",
        .integer(1)
    ),
    (
        #"{"method":"SUBSCRIBE","params":"a","id":1}"#, 2,
        "Invalid request: invalid type: expected a sequence", .integer(1)
    ),
    (
        #"{"method":"SUBSCRIBE","params":[1],"id":1}"#, 2,
        "Invalid request: invalid type: expected a string", .integer(1)
    ),
    (
        #"{"method":"LIST_SUBSCRIPTIONS","params":[1],"id":1}"#, 2,
        "Invalid request: too many parameters", .integer(1)
    ),
    (
        #"{"method":"GET_PROPERTY","params":["combined",1],"id":1}"#, 2,
        "Invalid request: too many parameters", .integer(1)
    ),
    (
        #"{"method":"GET_PROPERTY","params":[],"id":1}"#, 2,
        "Invalid request: property name must be a string", .integer(1)
    ),
    (#"{"method":"SET_PROPERTY","params":["x",true],"id":1}"#, 0, "Unknown property", .integer(1)),
    (
        #"{"method":"SET_PROPERTY","params":["combined"],"id":1}"#, 1,
        "Invalid value type: expected Boolean", .integer(1)
    ),
    (
        #"{"method":"SET_PROPERTY","params":["combined","true"],"id":1}"#, 1,
        "Invalid value type: expected Boolean", .integer(1)
    ),
]

@Test func requestsAreRefused() {
    for row in refusals {
        guard case .failure(let refusal) = read(row.text) else {
            Issue.record("\(row.text) was taken")
            continue
        }
        #expect(refusal == ControlRefusal(code: row.code, message: row.message, id: row.id), "\(row.text)")
    }
}

/// Whatever becomes of the bytes of a request, it is read or refused; Foundation agrees on what is JSON.
@Test func damagedRequests() {
    let whole = Array(
        #"{"method":"SET_PROPERTY","params":["combined\u0041",true,null,-1.5e+2],"id":"a"}"#.utf8)
    for end in 0..<whole.count { #expect((try? JSONTree(Array(whole[..<end]))) == nil) }
    for index in whole.indices {
        for byte in [UInt8(0), 0x20, 0x22, 0x2C, 0x30, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0x65, 0x7E] {
            var bytes = whole
            bytes[index] = byte
            let isTaken = (try? JSONTree(bytes)) != nil
            let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes))) != nil
            #expect(isTaken == isJSON, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }
    let deep = [UInt8](repeating: 0x5B, count: 1_000_000)
    #expect((try? JSONTree(deep)) == nil)
}

@Test func listsOfNames() {
    #expect(namesOfList(#"["A","B"]"#) == ["A", "B"] && namesOfList("[]") == [])
    for text in ["", "A", #"["A",]"#, "[1]", #"{"A":"B"}"#] { #expect(namesOfList(text) == nil) }
}
