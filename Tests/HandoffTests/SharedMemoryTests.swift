// Mailboxes and signals in memory of somebody else. The ring's memory shows the same page at two addresses,
// as two processes see it: what is written at one is read at the other, and a sleeper at one is woken by the
// other.

import CLobKernels
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import LobHandoff

@Suite struct SharedMemoryTests {
    /// A page that is seen at two addresses.
    private final class Page: @unchecked Sendable {
        let first: UnsafeMutableRawPointer
        var second: UnsafeMutableRawPointer { first + 4096 }

        init?() {
            var base: UnsafeMutableRawPointer?
            guard lob_map_twice(4096, &base) == 0, let base else { return nil }
            first = base
        }

        deinit { lob_unmap_twice(first, 4096) }
    }

    private struct Value: BitwiseCopyable, Equatable {
        var a: UInt64 = 0, b: UInt64 = 0
        var c: UInt8 = 0
    }

    @Test func aMailboxIsReadThroughAnotherMapping() throws {
        let page = try #require(Page())
        let mailbox = LatestValue(Value(a: 1, b: 2, c: 3), in: page.first, owner: page)
        let reader = LatestValueReader<Value>(of: page.second, owner: page)
        var seen = Value()
        #expect(reader.read(into: &seen) == .new(version: 0) && seen == Value(a: 1, b: 2, c: 3))
        var writer = mailbox.writer
        for round in 1...1000 {
            let value = Value(a: UInt64(round), b: UInt64(round * round), c: UInt8(round % 251))
            writer.publish(value)
            #expect(reader.read(into: &seen, ifNewerThan: UInt64(round - 1)) == .new(version: UInt64(round)))
            #expect(seen == value)
        }
        #expect(LatestValue<Value>.byteCount == 8 + 24)
        let behind = page.first.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        #expect(behind == 0, "written beyond its bytes")
    }

    /// With a futex of one process the sleeper would sleep for its whole minute.
    @Test func aSignalWakesThroughAnotherMapping() throws {
        let page = try #require(Page())
        let here = Signal(sharedAt: page.first, owner: page)
        let there = Signal(sharedAt: page.second, owner: page)
        let isThere = Handed(false)
        let started = ContinuousClock.now
        let found = complaints(of: [
            {
                let ticket = there.ticket
                isThere.value = true
                return complaint("not woken", unless: there.wait(since: ticket, timeoutNs: 60_000_000_000))
            },
            {
                // Until it really sleeps: notified earlier it would not sleep at all.
                usleep(200_000)
                here.notify()
                return []
            },
        ])
        #expect(found == [] && isThere.value && ContinuousClock.now - started < .seconds(30))
    }
}
