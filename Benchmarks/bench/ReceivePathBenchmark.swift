// What a message costs between the socket and the handler, both roads side by side: user CPU of the
// receiving thread, its allocations and the one-way latency, over loopback, plain and with TLS.
//
// Sender (this package's server) and receiver are two threads with a loop each. CPU and allocations are
// counted while the receiver sleeps between reads (a spinning thread is always busy) and the sender sends
// as fast as it is taken; latency with a thousand messages a second that carry the time they were sent,
// both threads spinning. Rounds are interleaved and the best of each number is kept: what disturbs a round
// only makes it slower. But user CPU is sampled by the kernel at its tick, where the best would be luck; of
// it the mean is kept, and it wants many messages.

import CAllocator
import CKernels
import Foundation
import Transport

/// One road, with or without TLS.
struct ReceivePathRow {
    var road: WebSocketRoad
    var isSecure: Bool
    /// User CPU of the receiving thread.
    var userNsPerMessage = 0.0
    /// User and system CPU of the receiving thread.
    var cpuNsPerMessage = Double.infinity
    /// Nil without the allocator's counters.
    var allocatedBytesPerMessage: Double?
    var latencyNsP50 = UInt64.max
    var latencyNsP99 = UInt64.max

    /// - Parameter share: of this round in the mean.
    fileprivate mutating func keepBest(of other: ReceivePathRow, share: Double) {
        userNsPerMessage += other.userNsPerMessage * share
        cpuNsPerMessage = min(cpuNsPerMessage, other.cpuNsPerMessage)
        allocatedBytesPerMessage = other.allocatedBytesPerMessage ?? allocatedBytesPerMessage
        if other.latencyNsP50 < latencyNsP50 {
            (latencyNsP50, latencyNsP99) = (other.latencyNsP50, other.latencyNsP99)
        }
    }
}

/// The receive path benchmark.
struct ReceivePathBenchmark {
    static let messageBytes = 2048

    var roundCount = 3
    /// Messages of a flood on the standard road; the fast one gets four times as many, because the kernel
    /// samples user CPU at its tick.
    var floodMessageCount = 40_000
    var pacedMessageCount = 600

    /// - Returns: one row for each road, plain first.
    func run() throws -> [ReceivePathRow] {
        let folder = FileManager.default.temporaryDirectory.path + "/receive-path-\(getpid())"
        let identity = try makeIdentity(in: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var rows: [ReceivePathRow] = []
        _ = lob_pin_thread(0)
        defer { _ = lob_unpin_thread() }
        for tls in [nil, identity] {
            var pair = [WebSocketRoad.fast, .standard].map { ReceivePathRow(road: $0, isSecure: tls != nil) }
            for isPaced in [false, true] {
                let sender = ReceivePathSender(tls: tls, isSpinning: isPaced)
                for _ in 0..<roundCount {
                    for index in pair.indices {
                        let road = pair[index].road
                        let round = try receive(road, tls, from: sender.port, isPaced: isPaced)
                        pair[index].keepBest(of: round, share: 1 / Double(roundCount))
                    }
                }
                sender.stop()
            }
            rows += pair
        }
        return rows
    }

    private func receive(
        _ road: WebSocketRoad, _ tls: TLSIdentity?, from port: Int, isPaced: Bool
    ) throws -> ReceivePathRow {
        var loopOptions = EventLoop.Options()
        loopOptions.authorityPath = tls?.certificatePath
        let loop = try EventLoop(loopOptions)
        defer { loop.close() }
        let messageCount =
            isPaced ? pacedMessageCount : road == .fast ? 4 * floodMessageCount : floodMessageCount
        let receiver = ReceivePathReceiver(messageCount: messageCount, isPaced: isPaced)
        var handlers = WebSocketClient.Handlers { receiver.received($0, isFinal: $1) }
        handlers.closed = { receiver.end = $0 }
        var options = WebSocketClient.Options()
        options.roads = [road]
        let url = try ServiceURL(
            "\(tls == nil ? "ws" : "wss")://127.0.0.1:\(port)/\(messageCount)/\(isPaced)")
        let client = WebSocketClient(url, on: loop, options: options, handlers: handlers)
        loop.run(spinning: isPaced) { receiver.isDone || receiver.end != nil }
        if let error = receiver.end?.error { throw error }
        client.abort()
        return receiver.row(road, isSecure: tls != nil)
    }

    private func makeIdentity(in folder: String) throws -> TLSIdentity {
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
        return identity
    }
}

/// Counts what arrives; the first tenth is warm-up.
private final class ReceivePathReceiver {
    private let messageCount: Int
    private let isPaced: Bool
    private let warmUpCount: Int
    private var receivedCount = 0
    private var messageBytes = 0
    private var sentNs: UInt64 = 0
    private var latenciesNs: [UInt64] = []
    private var start = ThreadUse()
    private var use = ThreadUse()
    var end: WebSocketEnd?

    init(messageCount: Int, isPaced: Bool) {
        (self.messageCount, self.isPaced, warmUpCount) = (messageCount, isPaced, messageCount / 10)
        latenciesNs.reserveCapacity(messageCount)
    }

    var isDone: Bool { receivedCount == messageCount }

    func received(_ bytes: Span<UInt8>, isFinal: Bool) {
        if isPaced && messageBytes == 0 && bytes.count >= 8 {
            sentNs = 0
            for index in 0..<8 { sentNs |= UInt64(bytes[index]) << (8 * UInt64(index)) }
        }
        messageBytes += bytes.count
        if !isFinal { return }
        precondition(messageBytes == ReceivePathBenchmark.messageBytes)
        messageBytes = 0
        receivedCount += 1
        if isPaced && receivedCount > warmUpCount { latenciesNs.append(monotonicTimeNs() &- sentNs) }
        if receivedCount == warmUpCount { start = .now() }
        if isDone { use = .now() }
    }

    func row(_ road: WebSocketRoad, isSecure: Bool) -> ReceivePathRow {
        var row = ReceivePathRow(road: road, isSecure: isSecure)
        if isPaced {
            latenciesNs.sort()
            row.latencyNsP50 = latenciesNs[latenciesNs.count / 2]
            row.latencyNsP99 = latenciesNs[latenciesNs.count * 99 / 100]
        } else {
            let counted = Double(messageCount - warmUpCount)
            row.userNsPerMessage = Double(use.userNs - start.userNs) / counted
            row.cpuNsPerMessage = Double(use.cpuNs - start.cpuNs) / counted
            row.allocatedBytesPerMessage = use.allocatedBytes.map {
                Double($0 - (start.allocatedBytes ?? 0)) / counted
            }
        }
        return row
    }
}

/// What the calling thread has used so far.
private struct ThreadUse {
    var userNs: UInt64 = 0
    var cpuNs: UInt64 = 0
    var allocatedBytes: UInt64?

    static func now() -> ThreadUse {
        let thisThread: Int32 = 1
        var usage = rusage()
        getrusage(__rusage_who_t(UInt32(thisThread)), &usage)
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return ThreadUse(
            userNs: UInt64(usage.ru_utime.tv_sec) * 1_000_000_000 + UInt64(usage.ru_utime.tv_usec) * 1000,
            cpuNs: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec),
            allocatedBytes: lob_thread_allocated_bytes()?.pointee)
    }
}

func monotonicTimeNs() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
