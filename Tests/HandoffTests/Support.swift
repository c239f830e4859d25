// What the tests of this folder share: the seed, frame bodies that are cheap to make and to check, and
// threads.

import Foundation
import TestSupport

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

/// Frame bodies as slices of one run of random bytes: body `n` of length `l` begins at byte `n % 251`.
final class Bodies: Sendable {
    private let bytes: [UInt8]

    init(lengthMax: Int, seed: UInt64) {
        var numbers = SeededRandom(seed: seed)
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

/// Runs the closures at the same time, each on a thread of its own, waits for all and returns their
/// complaints.
///
/// They complain instead of expecting, because a thread of its own belongs to no test. `NSCondition` and not
/// `Mutex` or a semaphore, because the thread sanitizer understands it.
func complaints(of bodies: [@Sendable () -> [String]]) -> [String] {
    let done = NSCondition()
    let results = Handed<[[String]]>([])
    for body in bodies {
        Thread {
            let found = body()
            done.withLock {
                results.value.append(found)
                done.signal()
            }
        }.start()
    }
    return done.withLock {
        while results.value.count < bodies.count { done.wait() }
        return Array(results.value.joined())
    }
}

/// A complaint where the condition does not hold.
func complaint(_ text: @autoclosure () -> String, unless holds: Bool) -> [String] { holds ? [] : [text()] }
