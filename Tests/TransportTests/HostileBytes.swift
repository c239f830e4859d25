// What hostile peers send, made from a seed: answers, requests and frames, right, nearly right and wrong.

import TestSupport

@testable import LobTransport

/// A source of bytes that no honest peer sends.
struct HostileBytes {
    var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    mutating func pick<T>(_ choices: [T]) -> T { choices[random.below(choices.count)] }

    private mutating func letters(_ count: Int) -> String {
        String(repeating: pick(["x", "a", "0", "f", " ", "%", "é", "\u{0}", ",", ";", ":"]), count: count)
    }

    private mutating func length() -> Int {
        pick([0, 1, 2, 3, 7, 125, 126, 127, 4095, 4096, 8191, 16383, 16384, 20_000])
    }

    /// Numbers as they stand in headers and chunks.
    private mutating func number(_ honest: Int, radix: Int) -> String {
        let text = String(honest, radix: radix)
        switch random.below(20) {
        case 0:
            return pick([
                "80000000", "fffffff0", "ffffffff", "7fffffff", "7ffffffe", "100000000", "180000001",
                "8000000000000000", "ffffffffffffffff", "10000000000000000",
            ])
        case 1:
            return pick(["-1", "-0", "+5", "0x10", "1e3", "", " ", "\u{0}", "9223372036854775808", "g", "٣"])
        case 2: return String(repeating: "0", count: pick([1, 8, 9, 40, 5000])) + text
        case 3: return text + pick([";a=b", " ", "\t", ",5", ";" + letters(length())])
        case 4: return String(max(honest + pick([-2, -1, 1, 2, 1000]), 0), radix: radix)
        default: return text
        }
    }

    private mutating func line(_ text: String) -> String {
        text + (random.chance(0.03) ? pick(["\n", "\r", "", "\r\r\n", "\r\n ", "\u{0}\r\n"]) : "\r\n")
    }

    private mutating func strangeHeader() -> String {
        switch random.below(8) {
        case 0: line("X-Long: " + letters(length()))
        case 1: line(letters(max(length(), 1)))
        case 2: line("X: y")
        case 3: (0..<pick([1, 50, 400])).map { "H\($0): \($0)\r\n" }.joined()
        case 4: line(pick(["Connection: close", "Connection: Upgrade", "Connection: keep-alive, , upgrade"]))
        case 5: line("Retry-After: " + number(5, radix: 10))
        case 6: line(pick([":", ": ", " folded: x", "\tx", "Location: http://127.0.0.1:1/"]))
        default: line("Set-Cookie: " + letters(length()))
        }
    }

    /// Changes a few bytes now and then.
    private mutating func mutated(_ bytes: [UInt8], _ chance: Double) -> [UInt8] {
        var bytes = bytes
        while !bytes.isEmpty && random.chance(chance) {
            let at = random.below(bytes.count)
            switch random.below(5) {
            case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[at] ^= 1 << UInt8(random.below(8))
            case 2: bytes.remove(at: at)
            case 3: bytes.insert(bytes[at], at: at)
            default: bytes.removeSubrange(at...)
            }
        }
        return bytes
    }

    /// The bytes in pieces, with pauses, and an end.
    mutating func script(_ bytes: [UInt8]) -> WireScript {
        var pieces: [[UInt8]] = []
        let most = pick([1, 7, 100, 1500, 1 << 20])
        var at = 0
        while at < bytes.count && pieces.count < 40 {
            let end = min(at + 1 + random.below(most), bytes.count)
            pieces.append(Array(bytes[at..<end]))
            at = end
        }
        if at < bytes.count { pieces.append(Array(bytes[at...])) }
        return WireScript(
            pieces: pieces, pauses: pieces.count < 8 ? random.below(3) : 0,
            ending: random.chance(0.1) ? .wait : pick([.hangUp, .hangUp, .reset, .halfClose]),
            listensFirst: !random.chance(0.05))
    }

    private mutating func payload() -> [UInt8] {
        let size = pick([0, 1, 5, 125, 126, 1000, 4096, 70_000])
        return [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()) | 0x20, count: size)
    }

    /// An HTTP answer.
    mutating func answer() -> [UInt8] {
        var head = line(
            random.chance(0.9)
                ? "HTTP/1.1 \(pick([200, 200, 200, 204, 301, 304, 400, 418, 429, 500])) OK"
                : pick([
                    "HTTP/1.1", "HTTP/1.1 -1 x", "HTTP/1.0 200 OK", "HTTP/9.9 200", "SSH-2.0",
                    "\u{15}\u{3}\u{1}",
                    "HTTP/1.1 99999999999 x", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", "",
                ]))
        var body = random.chance(0.7) ? Array("{\"symbols\":[]}".utf8) : payload()
        for _ in 0..<random.below(3) where random.chance(0.3) { head += strangeHeader() }
        switch random.below(6) {
        case 0...2:
            head += line(
                "Transfer-Encoding: \(random.chance(0.95) ? "chunked" : pick(["gzip", "Chunked", "chunked, chunked"]))"
            )
            var chunks: [UInt8] = []
            for piece in 0..<(1 + random.below(4)) {
                let isLast = random.chance(0.3)
                let data = isLast ? [] : piece == 0 ? body : payload()
                chunks += line(number(data.count, radix: 16)).utf8
                chunks += data
                chunks += line("").utf8
            }
            if random.chance(0.7) { chunks += "0\r\n\r\n".utf8 }
            body = chunks
        case 3, 4: head += line("Content-Length: \(number(body.count, radix: 10))")
        default: break
        }
        if random.chance(0.03) { head += line("Content-Length: \(number(body.count, radix: 10))") }
        return mutated(Array((head + "\r\n").utf8) + body, 0.1)
    }

    /// The answer to an upgrade, with frames behind it.
    mutating func upgrade(to request: [UInt8]) -> [UInt8] {
        var changes: [String: String] = [:]
        if random.chance(0.1) {
            changes[pick(["Upgrade", "Connection", "Sec-WebSocket-Accept", "status", "X"])] = pick([
                "", "websocket", letters(length()), "HTTP/1.1 200 OK", "HTTP/1.1 403 No\r\nRetry-After: 99",
            ])
        }
        if random.chance(0.05) {
            changes[pick(["Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Content-Length"])] = pick([
                "permessage-deflate", "5", "x", "permessage-deflate; client_max_window_bits=99",
            ])
        }
        if random.chance(0.05) { changes["Transfer-Encoding"] = "chunked" }
        let head = upgradeAnswer(to: String(decoding: request, as: UTF8.self), changes: changes)
        return mutated(Array(head.utf8) + frames(isMasked: false), 0.05)
    }

    /// Frames of a server, or of a client if they are masked.
    mutating func frames(isMasked: Bool) -> [UInt8] {
        (0..<random.below(8)).flatMap { _ in frame(isMasked: random.chance(0.02) ? !isMasked : isMasked) }
    }

    private mutating func frame(isMasked: Bool) -> [UInt8] {
        let opcode =
            random.chance(0.9)
            ? pick([1, 1, 2, 0, 8, 9, 10]) : UInt8(truncatingIfNeeded: random.next()) & 0x7F
        var data = payload()
        if opcode >= 8 && random.chance(0.9) { data = Array(data.prefix(125)) }
        if opcode == 8 { data = closeBody() }
        var frame: [UInt8] = [opcode | (random.chance(0.8) ? 0x80 : 0)]
        let count =
            random.chance(0.95)
            ? data.count : pick([0, 125, 65535, 65536, 1 << 31, 1 << 32, Int.max, -1, -16])
        let shortest = count < 0 || count > 0xFFFF ? 8 : count < 126 ? 0 : 2
        let width = random.chance(0.97) ? shortest : pick([0, 2, 8])
        frame.append(
            (isMasked ? 0x80 : 0)
                | (width == 0 ? UInt8(truncatingIfNeeded: count) & 0x7F : width == 2 ? 126 : 127))
        for place in (0..<width).reversed() { frame.append(UInt8(truncatingIfNeeded: count >> (8 * place))) }
        guard isMasked else { return frame + data }
        let mask = (0..<4).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return frame + mask + data.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    private mutating func closeBody() -> [UInt8] {
        let code = pick([0, 999, 1000, 1001, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 65535])
        let body = [UInt8(code >> 8), UInt8(code & 0xFF)] + payload().prefix(123)
        return Array(body.prefix(pick([0, 1, 2, 3, 125])))
    }

    /// Requests of a client, and frames behind an upgrade.
    mutating func requests() -> [UInt8] {
        if random.chance(0.05) {
            return mutated(
                pick([
                    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8), [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3],
                    payload(),
                    Array("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nraw bytes".utf8),
                    Array(letters(length()).utf8),
                ]), 0.2)
        }
        let one = request()
        let all = (0..<(random.chance(0.1) ? pick([2, 5, 30]) : 1)).flatMap { _ in one }
        return mutated(all, 0.1)
    }

    private mutating func request() -> [UInt8] {
        let method =
            random.chance(0.9)
            ? pick(["GET", "GET", "POST", "HEAD"]) : pick(["PUT", "", "OPTIONS", letters(length())])
        var path =
            random.chance(0.7)
            ? pick(["/now", "/late", "/never", "/ws", "/hangup"])
            : pick([
                "", "*", "//", "/../..", "/%00", "/%zz%", "/a%2f..%2f", "http://h/x", "/" + letters(length()),
                "/?", "/#",
            ])
        if random.chance(0.3) {
            path += "?" + (0..<pick([1, 3, 60, 900])).map { "k\($0)=\($0)" }.joined(separator: "&")
        }
        if random.chance(0.1) { path += "?" + letters(length()) + "&=&&=%" }
        var head = line(
            "\(method) \(path) \(random.chance(0.95) ? "HTTP/1.1" : pick(["HTTP/1.0", "HTTP/2", "", "X"]))")
        if random.chance(0.95) { head += line("Host: h") }
        for _ in 0..<random.below(3) where random.chance(0.4) { head += strangeHeader() }
        var body: [UInt8] = []
        if method == "POST" || random.chance(0.05) {
            body = payload()
            head += line("Content-Length: \(number(body.count, radix: 10))")
        }
        if random.chance(0.05) { head += line(pick(["Transfer-Encoding: chunked", "Expect: 100-continue"])) }
        if random.chance(0.5) {
            head += upgradeLines()
            body = frames(isMasked: true)
        }
        return Array((head + line("")).utf8) + body
    }

    private mutating func upgradeLines() -> String {
        var lines = line("Upgrade: \(random.chance(0.95) ? "websocket" : pick(["h2c", "WebSocket, x", ""]))")
        lines += line("Connection: Upgrade")
        if random.chance(0.97) {
            lines += line("Sec-WebSocket-Version: \(random.chance(0.95) ? "13" : pick(["8", "x", ""]))")
        }
        let key = random.chance(0.9) ? "dGhlIHNhbXBsZSBub25jZQ==" : pick(["", "x", letters(length())])
        lines += line("Sec-WebSocket-Key: \(key)")
        if random.chance(0.1) {
            lines += line(
                "Sec-WebSocket-Extensions: \(pick(["permessage-deflate", "x; y=" + letters(length()), ","]))")
        }
        if random.chance(0.1) {
            lines += line("Sec-WebSocket-Protocol: \(pick(["a, b", "", letters(length())]))")
        }
        return lines
    }
}
