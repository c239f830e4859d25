import CLobAllocator
import Foundation
import Synchronization
import Testing

@testable import LobTransport

extension SocketTests {
    @Suite struct Loop {
        @Test func timersRingInOrder() throws {
            try withLoop { loop in
                var rung: [Int] = []
                let startNs = monotonicNs()
                loop.after(30_000_000) { rung.append(3) }
                loop.after(10_000_000) { rung.append(1) }
                let cancelled = loop.after(15_000_000) { rung.append(99) }
                loop.after(20_000_000) {
                    rung.append(2)
                    loop.cancel(cancelled)
                    loop.after(0) { rung.append(20) }
                }
                loop.cancel(cancelled)
                drive(loop) { rung.count == 4 }
                #expect(rung == [1, 2, 20, 3])
                #expect(monotonicNs() - startNs >= 30_000_000)
                loop.cancel(cancelled)
            }
        }

        @Test func waitsNoLongerThanSaid() throws {
            try withLoop { loop in
                for waitMs in [0, 1, 5, 20] {
                    let startNs = monotonicNs()
                    for _ in 0..<3 { loop.turn(waitAtMostNs: UInt64(waitMs) * 1_000_000) }
                    #expect(monotonicNs() - startNs < UInt64(3 * waitMs + 100) * 1_000_000)
                }
                // Shorter than the library's grain: never for good.
                for _ in 0..<200 { loop.turn(waitAtMostNs: 1000) }
            }
        }

        @Test func commandsOfOtherThreads() throws {
            var options = EventLoop.Options()
            options.commandCountMax = 100
            try withLoop(options) { loop in
                let remote = loop.remote
                let sum = Mutex(0)
                let threadCount = 4
                let finished = Mutex(0)
                for number in 0..<threadCount {
                    Thread.detachNewThread {
                        for value in 1...500 {
                            while !remote.post({ _ in sum.withLock { $0 += value + number } }) {
                                usleep(50)
                            }
                        }
                        finished.withLock { $0 += 1 }
                    }
                }
                let expected = (0..<threadCount).reduce(0) { $0 + 500 * 501 / 2 + 500 * $1 }
                drive(loop, forAtMostMs: 5000) { finished.withLock { $0 } == threadCount }
                loop.turn(waitAtMostNs: 1_000_000)
                #expect(sum.withLock { $0 } == expected)
            }
        }

        @Test func commandsAreBounded() throws {
            var options = EventLoop.Options()
            options.commandCountMax = 10
            let loop = try EventLoop(options)
            let remote = loop.remote
            let runCount = Mutex(0)
            let taken = (0..<20).filter { _ in remote.post { _ in runCount.withLock { $0 += 1 } } }
            #expect(taken.count == 10)
            loop.turn()
            loop.turn()
            #expect(runCount.withLock { $0 } == 10)
            #expect(remote.post { _ in runCount.withLock { $0 += 1 } })
            loop.close()
            #expect(runCount.withLock { $0 } == 11)
            // The remote outlives its loop.
            #expect(!remote.post { _ in })
            remote.wake()
            #expect(remote.counters.open == 0)
        }

        @Test func wakesASleepingLoop() throws {
            try withLoop { loop in
                let remote = loop.remote
                Thread.detachNewThread {
                    usleep(20000)
                    remote.wake()
                }
                let startNs = monotonicNs()
                loop.turn(waitAtMostNs: 2_000_000_000)
                #expect(monotonicNs() - startNs < 1_000_000_000)
            }
        }

        /// An answer of the resolver wakes a loop that waits for its server's clients.
        @Test func wakesForAnAddress() throws {
            try withLoop { loop in
                _ = try serve(loop)
                // The library looks around now, and not again for half a second.
                loop.turn()
                var isFound = false
                let startNs = monotonicNs()
                loop.resolve("localhost") { _ in isFound = true }
                drive(loop) { isFound }
                #expect(monotonicNs() - startNs < 300_000_000)
            }
        }

        /// Steady state on the native backend: no allocation on this thread for a thousand messages, a ping
        /// among them aside.
        @Test func receivesWithoutAllocating() throws {
            guard lob_thread_allocated_bytes() != nil else {
                print("skipped: no allocator counters in this build")
                return
            }
            let message = frame(1, [UInt8](repeating: 0x61, count: 2048))
            let server = ScriptedServer([.awaitRequest, .upgrade, .hang])
            try withLoop { loop in
                var receivedCount = 0
                var pieceBytes = 0
                var options = WebSocketClient.Options()
                options.backends = [.native]
                let client = WebSocketClient(
                    server.url, on: loop, options: options,
                    handlers: .init { bytes, isFinal in
                        pieceBytes += bytes.count
                        if isFinal { receivedCount += 1 }
                    })
                drive(loop, [server]) { client.backend != nil }
                func receive(_ count: Int) -> UInt64 {
                    server.connections[0].script = [.send((0..<count).flatMap { _ in message })]
                    server.step()
                    let target = receivedCount + count
                    let before = lob_thread_allocated_bytes()!.pointee
                    while receivedCount < target { loop.turn(waitAtMostNs: 1_000_000) }
                    return lob_thread_allocated_bytes()!.pointee &- before
                }
                _ = receive(20)
                var total: UInt64 = 0
                for _ in 0..<10 { total += receive(20) }
                #expect(total == 0)
                #expect(pieceBytes == receivedCount * 2048)
                client.abort()
            }
        }
    }
}

/// Sets a timer when it ends, as a request does that its handler drops.
private final class TimerAtItsEnd {
    private let loop: EventLoop

    init(_ loop: EventLoop) { self.loop = loop }

    deinit { loop.after(ms: 1_000) {} }
}

@Suite struct LoopParts {
    /// An action may be the last to hold what sets a timer when it ends: while another is cancelled, when it
    /// has fired, and while the loop closes.
    @Test func whatATimerHoldsMaySetOne() throws {
        try withLoop { loop in
            var timers: [LoopTimer] = []
            for _ in 0..<3 {
                let held = TimerAtItsEnd(loop)
                timers.append(loop.after(ms: 0) { _ = held })
            }
            loop.cancel(timers[0])
            usleep(1_000)
            loop.turn()
            for ms in 1...20 {
                let held = TimerAtItsEnd(loop)
                loop.after(ms: 100 * ms) { _ = held }
            }
        }
    }

    /// Against a sorted array, over a seeded run of sets, cancels and rings.
    @Test(arguments: [1, 2, 3]) func timerQueue(_ seed: UInt64) {
        print("seed \(seed)")
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % bound
        }
        var queue = TimerQueue()
        var model: [(deadlineNs: UInt64, timer: LoopTimer, number: Int)] = []
        var rung: [Int] = []
        var nowNs: UInt64 = 0
        for number in 0..<3000 {
            switch random(4) {
            case 0, 1:
                let deadlineNs = nowNs + random(100)
                let timer = queue.set(deadlineNs: deadlineNs) { rung.append(number) }
                model.append((deadlineNs, timer, number))
            case 2:
                if model.isEmpty { continue }
                let action = queue.cancel(model.remove(at: Int(random(UInt64(model.count)))).timer)
                #expect(action != nil)
            default:
                nowNs += random(60)
                rung = []
                while let action = queue.takeDue(nowNs: nowNs) { action() }
                let due = model.filter { $0.deadlineNs <= nowNs }.sorted {
                    ($0.deadlineNs, $0.number) < ($1.deadlineNs, $1.number)
                }
                #expect(rung == due.map(\.number))
                model.removeAll { $0.deadlineNs <= nowNs }
            }
            #expect(queue.count == model.count)
            #expect(queue.nextDeadlineNs() == model.map(\.deadlineNs).min())
        }
    }

    @Test(arguments: [
        ("ws://a", false, "a", 80, "/", "a"), ("wss://a", true, "a", 443, "/", "a"),
        (
            "WSS://Stream.Binance.com:9443/ws/x@depth", true, "stream.binance.com", 9443, "/ws/x@depth",
            "stream.binance.com:9443"
        ),
        ("https://h:443/p?a=1&b=/x", true, "h", 443, "/p?a=1&b=/x", "h"),
        ("http://127.0.0.1:8080", false, "127.0.0.1", 8080, "/", "127.0.0.1:8080"),
        ("ws://[::1]:9/x", false, "::1", 9, "/x", "[::1]:9"),
        ("ws://[fe80::1]", false, "fe80::1", 80, "/", "[fe80::1]"),
        ("http://h?q=1", false, "h", 80, "/?q=1", "h"),
    ])
    func urls(
        _ text: String, _ secure: Bool, _ host: String, _ port: Int, _ path: String, _ authority: String
    ) throws {
        let url = try ServiceURL(text)
        #expect(url.isSecure == secure && url.host == host && url.port == port)
        #expect(url.path == path && url.authority == authority)
    }

    @Test(arguments: [
        "", "a", "ftp://a", "ws://", "ws://:80", "ws://a:", "ws://a:0", "ws://a:65536", "ws://a:-1",
        "ws://a:+1",
        "ws://a:8x", "ws://u@a", "ws://a b", "ws://a/b c", "ws://a/\r\nX: y", "ws://[::1", "ws://[::1]x",
        "ws://a/é", "ws://::1/", "ws://[a]/", "ws://[1.2.3.4]:9", "ws://fe80::1:80/x",
        "ws://" + String(repeating: "a", count: 121), "ws://a/" + String(repeating: "a", count: 8000),
    ])
    func badURLs(_ text: String) {
        #expect(throws: TransportError.self) { try ServiceURL(text) }
    }

    @Test(arguments: [
        ("ws://h:99999/", "port 99999 is not 1 … 65535"), ("ws://h:/", "no port behind the colon"),
        ("ws://u:p@h/", "user names are not supported"), ("ws://:80", "no host"),
        ("ws://::1/", "an IPv6 address stands in brackets: [::1]"), ("ws://[a]/", "no IPv6 address in [a]"),
        ("h:80", "no scheme in h:80: it begins with wss://, ws://, https:// or http://"),
        ("ftp://h", "unknown scheme ftp"),
    ])
    func urlErrorsSayWhat(_ text: String, _ what: String) {
        #expect(throws: TransportError.invalidURL(what)) { try ServiceURL(text) }
    }

    @Test func timesOfTimersAreClamped() throws {
        try withLoop { loop in
            var rung = false
            loop.after(ms: -1) { rung = true }
            loop.after(ms: Int.max) { Issue.record("never") }
            drive(loop) { rung }
        }
    }

    @Test func buffersThatCannotBe() {
        for bytes in [0, -1, 1 << 31, Int.max] {
            var options = EventLoop.Options()
            options.readBytesMax = bytes
            #expect(throws: TransportError.self) { try EventLoop(options) }
            options = EventLoop.Options()
            options.queueBytesMax = bytes
            #expect(throws: TransportError.self) { try EventLoop(options) }
        }
    }

    @Test func headersCannotBreakALine() {
        #expect(HTTPHeader("X-A", "b c") != nil && HTTPHeader("X-A", "é") != nil)
        for (name, value) in [
            ("", "x"), ("a b", "x"), ("a:", "x"), ("a\r", "x"), ("a", "x\r\ny: z"), ("a", "\u{0}"),
        ] {
            #expect(HTTPHeader(name, value) == nil)
        }
    }

    @Test func proxyRules() {
        let rules = ProxyRules(proxy: "http://p:3128/", exceptions: "example.com, .corp,*.lan,10.0.0.1")
        #expect(rules.host == "p" && rules.port == 3128)
        for host in ["stream.binance.com", "anexample.com", "10.0.0.12", "corporate"] {
            #expect(rules.applies(to: host), "\(host)")
        }
        for host in ["example.com", "EXAMPLE.com", "a.example.com", "x.corp", "corp", "x.lan", "10.0.0.1"]
            + ["localhost", "127.0.0.1", "127.9.9.9", "::1"]
        {
            #expect(!rules.applies(to: host), "\(host)")
        }
        #expect(!ProxyRules(proxy: "p:1", exceptions: "*").applies(to: "a"))
        #expect(!ProxyRules(proxy: nil, exceptions: nil).applies(to: "a"))
        #expect(ProxyRules(proxy: "nonsense:port", exceptions: nil).host == nil)
        #expect(ProxyRules(proxy: "u:p@[::1]:3", exceptions: nil).credentials == "u:p")
    }
}
