// What a message costs between the socket and the handler, both backends side by side: user CPU of the
// receiving thread, its allocations and the one-way latency, over loopback, plain and with TLS.
//
// Sender (this package's server) and receiver are two threads with a loop and a CPU each. CPU and allocations
// are counted while the receiver sleeps between reads (a spinning thread is always busy) and the sender sends
// as fast as it is taken; latency with a thousand messages a second that carry the time they were sent, both
// threads spinning. Rounds of the two backends are interleaved.
//
// * User CPU is that of all floods together: the kernel samples it at its tick, so one flood alone says
//   little. Other work on the machine is not charged to this thread.
// * Latency is a median over rounds, those left out in which the threads had to wait for a CPU (`Rounds`).

import CLobKernels
import Foundation
import LobTransport

/// One backend, with or without TLS.
struct ReceiveTrack {
    let backend: WebSocketBackend
    let isSecure: Bool
    var latency = LatencyRounds()
    private(set) var floodCount = 0
    /// Messages of all floods, those of the warm-up not counted.
    private(set) var messageCount = 0
    private var userNs: UInt64 = 0
    private var allocatedBytes: UInt64?

    init(backend: WebSocketBackend, isSecure: Bool) { (self.backend, self.isSecure) = (backend, isSecure) }

    mutating func addFlood(messageCount: Int, userNs: UInt64, allocatedBytes: UInt64?) {
        floodCount += 1
        self.messageCount += messageCount
        self.userNs += userNs
        self.allocatedBytes = allocatedBytes.map { $0 + (self.allocatedBytes ?? 0) }
    }

    /// User CPU of the receiving thread.
    var userNsPerMessage: Double { Double(userNs) / Double(max(messageCount, 1)) }

    /// Standard error of `userNsPerMessage` as a share of it: ticks that found user code are counted like
    /// rare events. At most 1.
    var userErrorShare: Double {
        min((Double(ThreadUse.kernelTickNs) / Double(max(userNs, 1))).squareRoot(), 1)
    }

    /// Nil without the allocator's counters.
    var allocatedBytesPerMessage: Double? { allocatedBytes.map { Double($0) / Double(max(messageCount, 1)) } }
}

/// Why there are no rows.
enum ReceivePathError: Error, CustomStringConvertible {
    case noCertificate
    case endedEarly

    var description: String {
        switch self {
        case .noCertificate: "openssl made no certificate"
        case .endedEarly: "a connection ended before the last message"
        }
    }
}

/// The receive path benchmark.
struct ReceivePathBenchmark {
    static let messageBytes = 2048
    static let paceNs: UInt64 = 1_000_000

    /// Time to measure; one round of everything is run at least.
    var budgetNs: UInt64
    /// With TLS, or without, or both.
    var kinds: [Bool]
    /// Messages of the first flood, which warms up and tells how long a message takes.
    var probeMessageCount = 2000
    /// Messages of a paced round at least and at most.
    var pacedMessageCounts = 50...200

    /// - Returns: what was measured of each backend, plain first.
    func run(watch: inout Watch) throws -> [ReceiveTrack] {
        let folder = FileManager.default.temporaryDirectory.path + "/receive-path-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let identity = kinds.contains(true) ? try ReceivePathBenchmark.makeIdentity(in: folder) : nil
        var tracks: [ReceiveTrack] = []
        _ = lob_pin_thread(0)
        defer { _ = lob_unpin_thread() }
        let share = budgetNs / UInt64(2 * max(kinds.count, 1))
        for isSecure in kinds where !watch.isInterrupted {
            let tls = isSecure ? identity : nil
            var pair = [WebSocketBackend.native, .libwebsockets].map {
                ReceiveTrack(backend: $0, isSecure: isSecure)
            }
            try flood(&pair, tls, share, &watch)
            try pace(&pair, tls, share, &watch)
            tracks += pair
        }
        return tracks
    }

    /// The native backend gets three quarters of the time: so little of its CPU time is its own that it takes
    /// the longest to be sampled.
    private func flood(
        _ pair: inout [ReceiveTrack], _ tls: TLSIdentity?, _ budgetNs: UInt64, _ watch: inout Watch
    ) throws {
        let sender = ReceivePathSender(tls: tls, isSpinning: false)
        defer { sender.stop() }
        let start = CycleTimer.monotonicNs()
        // Rounds of a second at most, so that an interrupt is seen soon.
        let roundCount = max(3, budgetNs / 1_000_000_000)
        var messageCounts: [Int] = []
        for track in pair {
            let probeStart = CycleTimer.monotonicNs()
            _ = try receive(track.backend, tls, from: sender.port, isPaced: false, probeMessageCount)
            let probeNs = CycleTimer.monotonicNs() - probeStart
            let shareNs = budgetNs / 4 * (track.backend == .native ? 3 : 1) / roundCount
            let fitting = Double(shareNs) / Double(max(probeNs, 1)) * Double(probeMessageCount)
            messageCounts.append(max(Int(fitting), probeMessageCount))
        }
        for round in 0..<roundCount where !watch.isInterrupted {
            if round > 0 && CycleTimer.monotonicNs() - start > budgetNs { break }
            for index in pair.indices {
                let receiver = try receive(
                    pair[index].backend, tls, from: sender.port, isPaced: false, messageCounts[index])
                receiver.addFlood(to: &pair[index])
            }
            watch.sampleNoise()
            watch.poll()
        }
    }

    private func pace(
        _ pair: inout [ReceiveTrack], _ tls: TLSIdentity?, _ budgetNs: UInt64, _ watch: inout Watch
    ) throws {
        let sender = ReceivePathSender(tls: tls, isSpinning: true)
        defer { sender.stop() }
        let start = CycleTimer.monotonicNs()
        let fitting = Int(budgetNs / ReceivePathBenchmark.paceNs) / pair.count
        let roundCount = max(fitting / pacedMessageCounts.upperBound, 3)
        let messageCount = max(
            min(fitting / roundCount, pacedMessageCounts.upperBound), pacedMessageCounts.lowerBound)
        for round in 0..<roundCount where !watch.isInterrupted {
            if round > 0 && CycleTimer.monotonicNs() - start > budgetNs { break }
            for index in pair.indices {
                let receiver = try receive(
                    pair[index].backend, tls, from: sender.port, isPaced: true, messageCount)
                receiver.addLatencies(to: &pair[index])
            }
            watch.sampleNoise()
            watch.poll()
        }
    }

    private func receive(
        _ backend: WebSocketBackend, _ tls: TLSIdentity?, from port: Int, isPaced: Bool, _ messageCount: Int
    ) throws -> ReceivePathReceiver {
        var loopOptions = EventLoop.Options()
        loopOptions.authorityPath = tls?.certificatePath
        let loop = try EventLoop(loopOptions)
        defer { loop.close() }
        let receiver = ReceivePathReceiver(messageCount: messageCount, isPaced: isPaced)
        var handlers = WebSocketClient.Handlers { receiver.received($0, isFinal: $1) }
        handlers.closed = { receiver.end = $0 }
        var options = WebSocketClient.Options()
        options.backends = [backend]
        let url = try ServiceURL(
            "\(tls == nil ? "ws" : "wss")://127.0.0.1:\(port)/\(messageCount)/\(isPaced)")
        let client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
        loop.run(spinning: isPaced) { receiver.isDone || receiver.end != nil }
        if let error = receiver.end?.error { throw error }
        if !receiver.isDone { throw ReceivePathError.endedEarly }
        client.abort()
        return receiver
    }

    /// A certificate for loopback, and its key.
    static func makeIdentity(in folder: String) throws -> TLSIdentity {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let identity = TLSIdentity(certificatePath: folder + "/cert.pem", keyPath: folder + "/key.pem")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
            .split(separator: " ").map(String.init)
            + [
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", identity.keyPath, "-out",
                identity.certificatePath,
            ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw ReceivePathError.noCertificate }
        return identity
    }
}
