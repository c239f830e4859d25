// The receiving side of the receive path's benchmark: counts what arrives.

import LobTransport

/// Counts what arrives; the first tenth is warm-up.
final class ReceivePathReceiver {
    private let messageCount: Int
    private let isPaced: Bool
    private let warmUpCount: Int
    private var receivedCount = 0
    private var messageBytes = 0
    private var stamp = SendStamp()
    private var latenciesNs: [Double] = []
    private var start = ThreadUse()
    private var startStamp = SendStamp()
    private let delay = RunDelay()
    private var startWaitedNs: UInt64?
    private var waitedNs: UInt64?
    private var endNs: UInt64 = 0
    private var use = ThreadUse()
    var end: WebSocketEnd?

    init(messageCount: Int, isPaced: Bool) {
        (self.messageCount, self.isPaced, warmUpCount) = (messageCount, isPaced, messageCount / 10)
        latenciesNs.reserveCapacity(messageCount)
    }

    var isDone: Bool { receivedCount == messageCount }

    func received(_ bytes: Span<UInt8>, isFinal: Bool) {
        if isPaced && messageBytes == 0 && bytes.count >= SendStamp.byteCount { stamp = SendStamp(bytes) }
        messageBytes += bytes.count
        if !isFinal { return }
        precondition(messageBytes == ReceivePathBenchmark.messageBytes)
        messageBytes = 0
        receivedCount += 1
        if isPaced && receivedCount > warmUpCount {
            latenciesNs.append(Double(CycleTimer.monotonicNs() &- stamp.sentAtNs))
        }
        if receivedCount == warmUpCount {
            // Asking for the wait allocates, so it comes before the count of allocations.
            (startWaitedNs, startStamp) = (delay.waitedNs(), stamp)
            start = .now()
        }
        if isDone {
            use = .now()
            endNs = CycleTimer.monotonicNs()
            waitedNs = delay.waitedNs(since: startWaitedNs)
        }
    }

    /// Adds the latencies of a paced round; the waits are those of both threads from the last message of the
    /// warm-up to the arrival of the last one.
    func addLatencies(to track: inout ReceiveTrack) {
        let elapsedNs = Double(max(endNs &- startStamp.sentAtNs, 1))
        let senderWaitedNs = stamp.waitedNs(since: startStamp)
        let waitedNs = waitedNs.flatMap { own in senderWaitedNs.map { own + $0 } }
        track.latency.append(latenciesNs, waitedShare: waitedNs.map { Double($0) / elapsedNs })
    }

    /// Adds what a flood used.
    func addFlood(to track: inout ReceiveTrack) {
        track.addFlood(
            messageCount: messageCount - warmUpCount, userNs: use.userNs - start.userNs,
            allocatedBytes: use.allocatedBytes.map { $0 - (start.allocatedBytes ?? 0) })
    }
}
