// What the machine itself takes, measured now, to be read beside the rows: a load that misses all caches, a
// copy of a message, and a message from one socket to another over loopback with nobody's code between.

import CLobKernels
import Foundation

/// The floor under every number.
struct PhysicalLimits {
    /// A load whose address is known only from the one before it, from memory of 256 MB.
    var memoryLoadNs = 0.0
    /// The same from 16 KB.
    var cacheLoadNs = 0.0
    /// Copy of 2 KB in the cache.
    var copyNs = 0.0
    /// One way from `send` to the return of `recv`, both spinning on two threads, 2 KB, at best.
    var loopbackNs = 0.0

    var text: String {
        "dependent load \(duration(cacheLoadNs)) in the cache, \(duration(memoryLoadNs)) from memory; "
            + "copy of 2 kB \(duration(copyNs)); "
            + "kernel's loopback, 2 kB one way \(duration(loopbackNs)) at best"
    }

    static func measure() -> PhysicalLimits {
        PhysicalLimits(
            memoryLoadNs: load(bytes: 1 << 28), cacheLoadNs: load(bytes: 1 << 14), copyNs: copy(),
            loopbackNs: LoopbackFloor.bestNs())
    }

    /// Median of passes through one cycle over all lines, in random order.
    private static func load(bytes: Int) -> Double {
        let count = bytes / 64
        var next = [Int32](repeating: 0, count: count * 16)
        var order = ScaleOrder(count)
        let lines = order.next()
        for place in lines.indices { next[lines[place] * 16] = Int32(lines[(place + 1) % count]) }
        let steps = 200_000
        var at = 0
        let passes = (0..<5).map { _ -> Double in
            let start = CycleTimer.monotonicNs()
            for _ in 0..<steps { at = Int(next[at &* 16]) }
            return Double(CycleTimer.monotonicNs() - start) / Double(steps)
        }
        return median(passes) + Double(at & 0)
    }

    private static func copy() -> Double {
        let bytes = 2048
        let from = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        let to = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer {
            from.deallocate()
            to.deallocate()
        }
        memset(from, 1, bytes)
        let times = (0..<5).map { _ -> Double in
            let start = CycleTimer.monotonicNs()
            for _ in 0..<20_000 {
                memcpy(to, from, bytes)
                lob_compiler_fence()
            }
            return Double(CycleTimer.monotonicNs() - start) / 20_000
        }
        return median(times)
    }
}

/// The kernel's own way from one thread to another over a TCP connection of loopback.
enum LoopbackFloor {
    static let messageCount = 4000

    /// The lowest decile of the one-way time of messages of 2 KB, 20 µs apart: where other work keeps one of
    /// the threads from its CPU, most times are the scheduler's. NaN if there is no connection to be had.
    static func bestNs() -> Double {
        guard let pair = connection() else { return .nan }
        defer {
            close(pair.from)
            close(pair.to)
        }
        let done = DispatchSemaphore(value: 0)
        let sender = pair.from
        Thread.detachNewThread {
            var message = [UInt8](repeating: 0, count: 2048)
            for _ in 0..<messageCount {
                let due = CycleTimer.monotonicNs() + 20_000
                while CycleTimer.monotonicNs() < due { lob_pause() }
                var now = CycleTimer.monotonicNs()
                memcpy(&message, &now, 8)
                if send(sender, message, message.count, 0) != message.count { break }
            }
            done.signal()
        }
        var (message, times) = ([UInt8](repeating: 0, count: 2048), [Double]())
        var held = 0
        while times.count < messageCount {
            let count = message.withUnsafeMutableBytes {
                recv(pair.to, $0.baseAddress! + held, 2048 - held, Int32(MSG_DONTWAIT))
            }
            if count == 0 || (count < 0 && errno != EAGAIN) { break }
            held += max(count, 0)
            if held < 2048 { continue }
            held = 0
            var sentNs: UInt64 = 0
            memcpy(&sentNs, message, 8)
            times.append(Double(CycleTimer.monotonicNs() - sentNs))
        }
        done.wait()
        return times.isEmpty ? .nan : quantile(times, 0.1)
    }

    private static func connection() -> (from: Int32, to: Int32)? {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if listener < 0 { return nil }
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        let from = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(from, $0, length) == 0 }
        }
        guard isListening, isConnected else {
            close(from)
            return nil
        }
        let to = accept(listener, nil, nil)
        var on: Int32 = 1
        setsockopt(from, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return to < 0 ? nil : (from, to)
    }
}
