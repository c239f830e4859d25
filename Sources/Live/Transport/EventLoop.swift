// One thread's view of the network: connections, servers, timers and commands from other threads, all served
// by turning the loop.
//
// Why this shape: libwebsockets serves one context from one thread, and a feed must decide itself whether
// that thread spins or sleeps. So there is no hidden thread: the owner of the loop calls `turn`.
//
// Invariants
// * Other threads use only `remote`.
// * Anything started by a callback (a connection, a timer) begins in the next turn at the earliest: the
//   library is never re-entered to make a connection.
// * Every queue is bounded: commands by `commandCountMax`, send queues by `queueBytesMax`, name look-ups by
//   eight at once.

import CLobTransport

/// An event loop. Thread: the one that turns it.
public final class EventLoop {
    /// Limits and settings of a loop.
    public struct Options: Sendable {
        /// Most bytes delivered by one read of a socket; also the room for a response head. At least a record
        /// of TLS, 16,384.
        public var readBytesMax = 65536
        /// Most bytes waiting to be sent on one connection; beyond that `send` returns false.
        public var queueBytesMax = 4 << 20
        /// Most commands waiting from other threads; beyond that `post` returns false.
        public var commandCountMax = 1024
        /// PEM file of the only certificate authorities to trust; nil trusts the system's.
        public var authorityPath: String?
        /// When to use an HTTP proxy.
        public var proxy = ProxyRules.environment

        /// The defaults.
        public init() {}
    }

    /// Receives the addresses of a name.
    typealias Lookup = (Result<[String], TransportError>) -> Void

    /// The part of the loop that other threads may use.
    package let remote: LoopHandle
    let options: Options
    private var handle: LoopOwner?
    private var timers = TimerQueue()
    private var deferred: [() -> Void] = []
    private var deferredBeingRun: [() -> Void] = []
    /// Which addresses have failed.
    var addresses = AddressMemory()
    private var lookups: [UInt64: Lookup] = [:]
    private var lastLookup: UInt64 = 0
    private var servers: [ServerCore] = []
    private var isTurning = false

    /// A loop with nothing to do.
    ///
    /// - Throws: `TransportError.noLoop`.
    package init(_ options: Options = Options()) throws(TransportError) {
        self.options = options
        let handle = try LoopOwner(
            readBytesMax: options.readBytesMax, queueBytesMax: options.queueBytesMax,
            authorityPath: options.authorityPath)
        remote = LoopHandle(handle.remote, commandCountMax: options.commandCountMax)
        self.handle = consume handle
    }

    /// Serves what is ready, then due timers, then commands of other threads.
    ///
    /// - Parameter waitAtMostNs: 0 does not wait for the network (spinning); more waits until something
    ///   happens, but no longer. The system rounds waits down to milliseconds; the rest is spent spinning.
    package func turn(waitAtMostNs: UInt64 = 0) {
        precondition(!isTurning, "turn() from inside a turn")
        isTurning = true
        if handle != nil && handle!.turn(waitUs: waitUs(atMostNs: waitAtMostNs)) { serveOthers() }
        if !deferred.isEmpty { runDeferred() }
        if timers.count > 0 { runTimers() }
        isTurning = false
    }

    /// Turns until the condition holds.
    ///
    /// - Parameters:
    ///   - spinning: true never sleeps.
    ///   - condition: evaluated once a turn.
    package func run(spinning: Bool = false, until condition: () -> Bool) {
        while handle != nil && !condition() { turn(waitAtMostNs: spinning ? 0 : .max) }
    }

    /// Sets a timer.
    ///
    /// - Returns: its id, for cancelling it.
    @discardableResult
    package func after(_ delayNs: UInt64, _ action: @escaping () -> Void) -> LoopTimer {
        let (deadlineNs, overflow) = monotonicNs().addingReportingOverflow(delayNs)
        return timers.set(deadlineNs: overflow ? .max : deadlineNs, action)
    }

    /// Sets a timer in milliseconds; a negative time is 0, one too long is never.
    @discardableResult
    package func after(ms: some BinaryInteger, _ action: @escaping () -> Void) -> LoopTimer {
        let (delayNs, overflow) = UInt64(clamping: ms).multipliedReportingOverflow(by: 1_000_000)
        return after(overflow ? .max : delayNs, action)
    }

    /// Cancels a timer; ignored if it has fired or was cancelled.
    package func cancel(_ timer: LoopTimer) { withExtendedLifetime(timers.cancel(timer)) {} }

    /// Runs the waiting commands, ends every connection and server, reporting each, and frees the loop. Not
    /// from inside a callback.
    package func close() {
        precondition(!isTurning, "close() from inside a turn")
        remote.close(on: self)
        removeTimers()
        _ = handle.take()
        let (ended, unanswered) = (servers, lookups)
        (servers, lookups) = ([], [:])
        withExtendedLifetime(ended) {}
        for answer in unanswered.values { answer(.failure(.cancelled)) }
        while !deferred.isEmpty { runDeferred() }
        removeTimers()
    }

    /// What ends with a timer's action may set another one, such as that of an answer.
    private func removeTimers() {
        while timers.count > 0 { withExtendedLifetime(timers.removeAll()) {} }
    }

    /// Keeps a message that many clients get. The batch is sent by `sendBatch`, at the beginning of the next
    /// turn, and when it has become large.
    ///
    /// - Parameters:
    ///   - bytes: a text message, or a frame of `MessagePacker`.
    ///   - isText: which of both.
    /// - Returns: nil without memory.
    package func batch(_ bytes: [UInt8], isText: Bool) -> BatchedFrame? {
        guard let frame = handle?.batch(bytes, isText: isText), frame.byteCount > 0 else { return nil }
        return frame
    }

    /// Whether the batch of a frame has not been sent.
    package func holds(_ frame: BatchedFrame) -> Bool { handle?.holds(frame) ?? false }

    /// Sends the batch: each client gets all that is for it at once.
    package func sendBatch() { handle?.sendBatch() }

    /// Bytes that wait in the send queues of all connections.
    package var queuedBytes: Int { handle?.queuedBytes ?? 0 }

    /// Reloads the certificates, keys and authorities of all the loop's servers, for new connections;
    /// existing ones go on.
    ///
    /// - Returns: why the previous ones stay in force; nil on success.
    package func reloadIdentities() -> String? { handle?.reloadIdentities() }

    /// Whether `close` has been called: from then on, connections end because their owner ends them.
    var isClosed: Bool { handle == nil }

    /// Runs an action at the end of this turn or in the next one, outside the library.
    func soon(_ action: @escaping () -> Void) { deferred.append(action) }

    func connect(_ socket: Socket, to target: Target, of url: ServiceURL) throws(TransportError) {
        if handle == nil { throw .cancelled }
        try socket.connect(handle!, to: target, of: url)
    }

    func listen(_ server: ServerCore, _ options: HTTPServer.Options) throws(TransportError) -> Int {
        if handle == nil { throw .cancelled }
        let used = try handle!.listen(server, options)
        servers.append(server)
        return used
    }

    /// Resolves a name on another thread; the answer arrives in a later turn.
    func resolve(_ host: String, _ answer: @escaping Lookup) {
        if handle == nil { return answer(.failure(.cancelled)) }
        lastLookup += 1
        if !handle!.resolve(host, token: lastLookup) {
            return answer(.failure(.unresolved(host: host, reason: "too many look-ups at once")))
        }
        lookups[lastLookup] = answer
    }

    private func waitUs(atMostNs: UInt64) -> Int64 {
        if atMostNs == 0 || !deferred.isEmpty { return 0 }
        guard let deadlineNs = timers.nextDeadlineNs() else {
            return atMostNs == .max ? -1 : max(1, Int64(clamping: atMostNs / 1000))
        }
        let nowNs = monotonicNs()
        let untilNs = deadlineNs > nowNs ? deadlineNs - nowNs : 0
        return untilNs == 0 ? 0 : max(1, Int64(clamping: min(untilNs, atMostNs) / 1000))
    }

    private func serveOthers() {
        while let answer = handle?.takeResolution() {
            guard let waiting = lookups.removeValue(forKey: answer.token) else { continue }
            if answer.addresses.isEmpty {
                waiting(.failure(.unresolved(host: "", reason: answer.reason)))
            } else {
                waiting(.success(answer.addresses))
            }
        }
        remote.run(on: self)
    }

    private func runDeferred() {
        swap(&deferred, &deferredBeingRun)
        for action in deferredBeingRun { action() }
        deferredBeingRun.removeAll(keepingCapacity: true)
    }

    private func runTimers() {
        let nowNs = monotonicNs()
        while let action = timers.takeDue(nowNs: nowNs) { action() }
    }
}
