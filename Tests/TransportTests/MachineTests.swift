// The transition tables of the two state machines, every pair of state and input.

import Testing

@testable import LobTransport

@Suite struct DialPlanTests {
    private static let refused = TransportError.refused(address: "a")
    private static let status400 = TransportError.upgradeRefused(status: 400)

    private enum Input: CaseIterable {
        case begin, beginNumeric, resolved, unresolved, failed, opened, cancel
    }

    private func apply(_ input: Input, _ plan: inout DialPlan) -> DialPlan.Action {
        switch input {
        case .begin: return plan.begin(numericAddress: nil)
        case .beginNumeric: return plan.begin(numericAddress: "n")
        case .resolved: return plan.resolved(["a", "b"])
        case .unresolved: return plan.unresolved(.unresolved(host: "h", reason: "r"))
        case .failed: return plan.failed(.lost)
        case .opened:
            plan.opened()
            return .none
        case .cancel: return plan.cancel()
        }
    }

    @Test func everyPair() {
        let unresolved = TransportError.unresolved(host: "h", reason: "r")
        let table: [(name: String, steps: [Input], answers: [DialPlan.Action])] = [
            (
                "new", [],
                [
                    .resolve, .attempt(address: "n", backend: .native), .none, .none, .none, .none,
                    .giveUp(.cancelled),
                ]
            ),
            (
                "resolving", [.begin],
                [
                    .none, .none, .attempt(address: "a", backend: .native), .giveUp(unresolved), .none, .none,
                    .giveUp(.cancelled),
                ]
            ),
            (
                "attempting", [.begin, .resolved],
                [.none, .none, .none, .none, .giveUp(.lost), .none, .giveUp(.cancelled)]
            ),
            ("over", [.begin, .resolved, .opened], [.none, .none, .none, .none, .none, .none, .none]),
            ("given up", [.begin, .unresolved], [.none, .none, .none, .none, .none, .none, .none]),
        ]
        for row in table {
            for (input, answer) in zip(Input.allCases, row.answers) {
                var plan = DialPlan(backends: [.native, .libwebsockets])
                for step in row.steps { _ = apply(step, &plan) }
                #expect(apply(input, &plan) == answer, "\(row.name), \(input)")
            }
        }
    }

    @Test func backendsBeforeAddresses() {
        var plan = DialPlan(backends: [.native, .libwebsockets])
        _ = plan.begin(numericAddress: nil)
        #expect(plan.resolved(["a", "b", "c"]) == .attempt(address: "a", backend: .native))
        #expect(plan.failed(Self.refused) == .attempt(address: "b", backend: .native))
        #expect(plan.failed(Self.status400) == .attempt(address: "b", backend: .libwebsockets))
        #expect(plan.failed(.timedOut(afterMs: 1)) == .attempt(address: "c", backend: .libwebsockets))
        #expect(plan.failed(Self.refused) == .giveUp(Self.refused))
        #expect(plan.failed(Self.refused) == .none)
    }

    @Test func theLastAttempt() {
        var plan = DialPlan(backends: [.native, .libwebsockets])
        _ = plan.begin(numericAddress: nil)
        _ = plan.resolved(["a", "b"])
        #expect(plan.failed(.timedOut(afterMs: 1), isLast: true) == .giveUp(.timedOut(afterMs: 1)))
        #expect(plan.failed(Self.refused, isLast: true) == .none)
    }

    /// What hangs up, is no server or breaks TLS at one address may do at the next, from the first backend
    /// on.
    @Test(arguments: [
        TransportError.unanswered, .unansweredInPlain, .badAnswer("x"), .handshakeInvalid(.accept),
    ])
    func brokenAnswers(_ error: TransportError) {
        var plan = DialPlan(backends: [.native, .libwebsockets])
        _ = plan.begin(numericAddress: nil)
        _ = plan.resolved(["a", "b"])
        #expect(plan.failed(error) == .attempt(address: "a", backend: .libwebsockets))
        #expect(plan.failed(error) == .attempt(address: "b", backend: .native))
        #expect(plan.failed(.tlsFailed("x")) == .giveUp(.tlsFailed("x")))
    }

    @Test func onlySoManyAddresses() {
        var plan = DialPlan(backends: [.native])
        _ = plan.begin(numericAddress: nil)
        var attempts = [plan.resolved((0..<16).map { "\($0)" })]
        for _ in 0..<16 { attempts.append(plan.failed(.noTLS(address: "x"))) }
        #expect(attempts[3] == .attempt(address: "3", backend: .native))
        #expect(attempts[4] == .giveUp(.noTLS(address: "x")) && attempts[5] == .none)
    }

    /// However the attempts fail, several backends are tried at one address only.
    @Test(arguments: [
        TransportError.unanswered, .unansweredInPlain, .badAnswer("x"), .handshakeInvalid(.accept),
    ])
    func onlySoManyAttempts(_ error: TransportError) {
        var plan = DialPlan(backends: [.native, .libwebsockets])
        _ = plan.begin(numericAddress: nil)
        var attempts = [plan.resolved((0..<16).map { "\($0)" })]
        for _ in 0..<16 { attempts.append(plan.failed(error)) }
        #expect(attempts[1] == .attempt(address: "0", backend: .libwebsockets))
        #expect(attempts[4] == .attempt(address: "3", backend: .native))
        #expect(attempts[5] == .giveUp(error) && attempts[6] == .none)
        #expect(plan.fallbackAddress == "0")
        #expect(DialPlan.attemptCountMax(backendCount: 2) == 5)
    }

    @Test func oneBackend() {
        var plan = DialPlan(backends: [.native])
        _ = plan.begin(numericAddress: "a")
        #expect(plan.failed(Self.status400) == .giveUp(Self.status400))
    }
}

@Suite struct AddressMemoryTests {
    @Test func familiesTakeTurns() {
        let memory = AddressMemory()
        #expect(memory.order([], of: "h").isEmpty)
        #expect(memory.order(["1", "2"], of: "h") == ["1", "2"])
        #expect(
            memory.order([":1", ":2", ":3", ":4", "1", "2"], of: "h") == [":1", "1", ":2", "2", ":3", ":4"])
        #expect(memory.order(["1", "2", ":1"], of: "h") == ["1", ":1", "2"])
    }

    @Test func beginsBehindTheLastFailure() {
        var memory = AddressMemory()
        memory.failed("1", of: "h")
        #expect(memory.order(["1", "2", "3"], of: "h") == ["2", "3", "1"])
        #expect(memory.order(["1", "2", "3"], of: "other") == ["1", "2", "3"])
        memory.failed("3", of: "h")
        #expect(memory.order(["1", "2", "3"], of: "h") == ["1", "2", "3"])
        #expect(memory.order(["1", "2"], of: "h") == ["1", "2"])
    }

    @Test func remembersSoManyNames() {
        var memory = AddressMemory()
        for number in 0...AddressMemory.nameCountMax { memory.failed("1", of: "h\(number)") }
        #expect(memory.order(["1", "2"], of: "h0") == ["1", "2"])
        #expect(memory.order(["1", "2"], of: "h1") == ["2", "1"])
    }
}

@Suite struct ClosingHandshakeTests {
    private static let violation = FrameViolation(fault: .masked, offset: 7)
    private static let tooLong = FrameViolation(fault: .messageTooLong(bytesMax: 1), offset: 7)
    private static let late = TransportError.silent(forMs: 1)

    private enum Input: CaseIterable { case close, peerClosed, violated, limitPassed, abort }

    private func apply(_ input: Input, _ machine: inout ClosingHandshake) -> ClosingHandshake.Action {
        switch input {
        case .close: machine.close(code: 1000, reason: "r")
        case .peerClosed: machine.peerClosed(code: 1001, reason: "p")
        case .violated: machine.violated(Self.violation)
        case .limitPassed: machine.limitPassed(Self.late)
        case .abort: machine.abort(.cancelled)
        }
    }

    @Test func everyPair() {
        let peer = WebSocketEnd(peerCode: 1001, peerReason: "p")
        let broken = WebSocketEnd(error: .violation(Self.violation))
        let lost = WebSocketEnd(error: .lost)
        let cancelled = WebSocketEnd(error: .cancelled)
        let table:
            [(name: String, steps: [Input], answers: [ClosingHandshake.Action], ends: [WebSocketEnd])] = [
                (
                    "open", [],
                    [
                        .send(code: 1000, reason: "r"), .echo(code: 1001), .sendAndKill(code: 1002), .none,
                        .kill,
                    ],
                    [lost, peer, broken, lost, cancelled]
                ),
                (
                    "closing", [.close], [.none, .kill, .kill, .kill, .kill],
                    [lost, peer, broken, WebSocketEnd(error: Self.late), cancelled]
                ),
                (
                    "answered", [.peerClosed], [.none, .none, .none, .kill, .kill],
                    [peer, peer, peer, peer, peer]
                ),
                (
                    "over", [.violated], [.none, .none, .none, .none, .none],
                    [broken, broken, broken, broken, broken]
                ),
            ]
        for row in table {
            for (index, input) in Input.allCases.enumerated() {
                var machine = ClosingHandshake()
                for step in row.steps { _ = apply(step, &machine) }
                #expect(apply(input, &machine) == row.answers[index], "\(row.name), \(input)")
                #expect(machine.ended() == row.ends[index], "\(row.name), \(input)")
                #expect(!machine.isOpen || (row.name == "open" && input == .limitPassed))
            }
        }
    }

    @Test func listensWhileClosing() {
        var machine = ClosingHandshake()
        #expect(machine.isOpen && machine.isListening)
        _ = machine.close(code: 1000, reason: "")
        #expect(!machine.isOpen && machine.isListening)
        _ = machine.peerClosed(code: nil, reason: "")
        #expect(!machine.isListening)
        #expect(machine.ended().peerCode == 1005)
    }

    @Test func codesOfFaults() {
        var machine = ClosingHandshake()
        #expect(machine.violated(Self.tooLong) == .sendAndKill(code: 1009))
        for code in UInt16.min...UInt16.max {
            let isSent = [1000, 1001, 1002, 1003].contains(code) || (1007...1014).contains(code)
            #expect(isSendable(closeCode: code) == (isSent || (3000..<5000).contains(code)))
        }
    }
}

@Suite struct KeepAliveTests {
    private static func make(_ pingAfterMs: Int?, _ limitMs: Int?) -> KeepAlive? {
        KeepAlive(pingAfterMs: pingAfterMs, pongLimitMs: 50, limitMs: limitMs)
    }

    @Test func everyRow() throws {
        var watch = try #require(Self.make(100, nil))
        #expect(watch.firstMs == 100)
        #expect(watch.check(silentMs: 0, nowMs: 0) == .wait(ms: 100))
        #expect(watch.check(silentMs: 99, nowMs: 99) == .wait(ms: 1))
        #expect(watch.check(silentMs: 101, nowMs: 101) == .ping(thenMs: 50))
        #expect(watch.check(silentMs: 120, nowMs: 120) == .wait(ms: 31))
        #expect(watch.check(silentMs: 30, nowMs: 151) == .wait(ms: 70))  // it answered
        #expect(watch.check(silentMs: 100, nowMs: 221) == .ping(thenMs: 50))
        #expect(watch.check(silentMs: 146, nowMs: 271) == .giveUp)  // a coarse count of silence
    }

    /// It answered, and has been silent again for long when it is looked at.
    @Test func aNewSilenceIsPingedAnew() throws {
        var watch = try #require(Self.make(20, nil))
        #expect(watch.check(silentMs: 20, nowMs: 0) == .ping(thenMs: 50))
        #expect(watch.check(silentMs: 49, nowMs: 50) == .ping(thenMs: 50))
        #expect(watch.check(silentMs: 99, nowMs: 100) == .giveUp)
    }

    @Test func limits() throws {
        var limit = try #require(Self.make(nil, 150))
        #expect(limit.firstMs == 150 && limit.check(silentMs: 40, nowMs: 40) == .wait(ms: 110))
        #expect(limit.check(silentMs: 150, nowMs: 150) == .giveUp)
        var both = try #require(Self.make(100, 120))
        #expect(both.check(silentMs: 100, nowMs: 100) == .ping(thenMs: 20))
        #expect(both.check(silentMs: 110, nowMs: 110) == .wait(ms: 10))
        #expect(both.check(silentMs: 120, nowMs: 120) == .giveUp)
        #expect(Self.make(nil, nil) == nil)
    }
}
