// What the tests of this folder share: seeded numbers, frame bodies that are cheap to make and to check, a second
// thread, and this thread's allocation counter.

import CAllocator
import Foundation

@testable import Handoff

/// True in a build without optimisation; the long runs are shorter there.
var isDebugBuild: Bool {
    var isDebug = false
    assert(
        {
            isDebug = true; return true
        }())
    return isDebug
}

/// The seed of this process, from `LOB_SEED` or fresh; tests put it into their failure messages.
let processSeed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["LOB_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...999_999_999)
    print("HandoffTests: LOB_SEED=\(seed)")
    return seed
}()

/// SplitMix64.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }
}

/// Frame bodies as slices of one run of random bytes: body `n` of length `l` begins at byte `n % 251`.
final class Bodies: Sendable {
    private let bytes: [UInt8]

    init(lengthMax: Int, seed: UInt64) {
        var numbers = SeededNumbers(state: seed)
        bytes = (0..<(lengthMax + 251)).map { _ in UInt8(truncatingIfNeeded: numbers.next()) }
    }

    func with<R>(_ number: Int, length: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[(number % 251)...].prefix(length))) }
    }

    func isBody(_ number: Int, _ found: UnsafeBufferPointer<UInt8>) -> Bool {
        with(number, length: found.count) {
            $0.count == found.count && memcmp($0.baseAddress!, found.baseAddress!, found.count) == 0
        }
    }
}

/// Lets a closure that runs elsewhere use a value that cannot be copied.
final class Handed<Value: ~Copyable>: @unchecked Sendable {
    var value: Value

    init(_ value: consuming Value) { self.value = value }
}

/// Runs the closures at the same time, each on a thread of its own, and waits for all.
func runTogether(_ bodies: [@Sendable () -> Void]) {
    let done = DispatchSemaphore(value: 0)
    for body in bodies {
        Thread {
            body()
            done.signal()
        }.start()
    }
    for _ in bodies { done.wait() }
}

/// Bytes that this thread allocates in `body`; nil where the allocator does not count.
func bytesAllocated(in body: () -> Void) -> UInt64? {
    guard let counter = lob_thread_allocated_bytes() else {
        body()
        return nil
    }
    let before = counter.pointee
    body()
    return counter.pointee &- before
}
