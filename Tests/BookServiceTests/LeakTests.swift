// What a process has left when services have come and gone. Each of these tests is a process of its own:
// threads, descriptors and bytes are counted for a whole process, and elsewhere other tests run.

import CLobAllocator
import Foundation
import LobHandoff
import LobTransport
import MarketData
import SimulatedExchange
import TestSupport
import Testing
import VenueSupport

@testable import BookService

/// What this process has.
private struct Holdings: CustomStringConvertible {
    /// Of the project's own threads: they have names. Those of the language's and of Dispatch's pools, which
    /// come and go as the machine has work, keep the name of the process or that of a quality of service.
    var threadNames: [String]
    var descriptors: [String]
    /// By jemalloc's count; nil without it.
    var allocatedBytes: Int?

    init() {
        let files = FileManager.default
        let process = Self.name(ofThread: getpid())
        threadNames = ((try? files.contentsOfDirectory(atPath: "/proc/self/task")) ?? [])
            .compactMap { Int32($0).flatMap(Self.name(ofThread:)) }
            .filter { $0 != process && !$0.contains("qos") }
            .sorted()
        descriptors =
            (try? files.contentsOfDirectory(atPath: "/proc/self/fd"))?.compactMap { number in
                let target = try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
                return target?.hasPrefix("/proc/") == true ? nil : target
            } ?? []
        // What this thread's cache holds counts as allocated; this gives it back.
        _ = lob_allocation_requests()
        let bytes = lob_allocator_statistic("stats.allocated")
        allocatedBytes = bytes == .max ? nil : bytes
    }

    /// Nil for one that has ended.
    private static func name(ofThread id: Int32) -> String? {
        try? String(contentsOfFile: "/proc/self/task/\(id)/comm", encoding: .utf8)
            .trimmingCharacters(in: .newlines)
    }

    var description: String {
        "threads \(threadNames), \(descriptors.count) descriptors, \(allocatedBytes ?? -1) bytes"
    }
}

/// A service's whole life, its venue's included.
private func live(
    tls: Bool = false, faults: FaultPlan = .none, seed: UInt64, forMs: Int = 0, _ report: Report
) throws {
    let symbols = names(.spot, 3)
    let identity = tls ? TLSIdentity(CertificateFiles.shared.good) : nil
    let venue = try VenueHost(.init(symbols: symbols, seed: seed, faults: faults, tls: identity))
    defer { venue.stop() }
    var configuration = brisk(
        venue.endpoints(host: "localhost", streamPort: venue.port, restPort: venue.port), symbols)
    configuration.loop.authorityPath = tls ? CertificateFiles.shared.authority : nil
    configuration.shardCountMin = 2
    let service = try BookService(configuration)
    let witness = Witness(venue)
    if forMs > 0 { witness.look(service, forMs: forMs) }
    venue.setFaults(.none)
    witness.settle(service, report)
    _ = service.stop()
}

/// Lives several lives and compares what is left with what was there after the first ones.
///
/// A process that is warm has no thread and no descriptor more. Bytes: what other threads' caches keep may
/// move by a few pages; a ring, an engine, a book or a loop left behind by each life does not hide in that.
private func expectNothingLeft(
    warmUps: Int = 2, lives: Int = 6, bytesMax: Int = 32 << 10, _ live: (UInt64, Report) throws -> Void
) throws {
    let report = Report()
    for seed in 0..<warmUps { try live(UInt64(seed), report) }
    let before = Holdings()
    for seed in 0..<lives { try live(UInt64(seed), report) }
    var after = Holdings()
    // A look-up's thread ends by itself.
    for _ in 0..<200 where after.threadNames.count > before.threadNames.count {
        usleep(10_000)
        after = Holdings()
    }
    report.expect(
        after.threadNames.count <= before.threadNames.count,
        "threads left: before \(before), after \(after)")
    report.expect(
        after.descriptors.count == before.descriptors.count,
        "descriptors left: \(before.descriptors), then \(after.descriptors)")
    if let first = before.allocatedBytes, let last = after.allocatedBytes {
        report.expect(last - first <= bytesMax, "bytes left: before \(before), after \(after)")
    }
    print("before \(before), after \(after)")
    for failure in report.failures { print("finding: \(failure.text)") }
}

/// Records what a process of its own has found. It says it on its output: of a process that ends otherwise
/// than expected nothing else is known than that.
func record(_ result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation) {
    guard let result else { return }
    let lines = String(decoding: result.standardOutputContent, as: UTF8.self).split(separator: "\n")
    if ProcessInfo.processInfo.environment["LOB_CASE_TIMES"] != nil { print(lines.joined(separator: "\n")) }
    for line in lines where line.hasPrefix("finding: ") {
        Issue.record(Comment(rawValue: String(line)), sourceLocation: sourceLocation)
    }
}

@Suite struct LeakTests {
    /// What is left behind is seen.
    @Test func aThreadAndADescriptor() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let (name, path) = ("left", "/dev/zero")
            let before = Holdings()
            let thread = try PinnedThread(name) { while true { sleep(1_000) } }
            let descriptor = open(path, O_RDONLY)
            var after = Holdings()
            // A thread gives itself its name.
            for _ in 0..<500 where !after.threadNames.contains(name) {
                usleep(10_000)
                after = Holdings()
            }
            withExtendedLifetime(thread) {
                if before.threadNames.contains(name) || before.descriptors.contains(path) {
                    print("finding: \(before)")
                }
                if !after.threadNames.contains(name) || !after.descriptors.contains(path) {
                    print("finding: \(after)")
                }
            }
            close(descriptor)
        }
        record(result)
    }

    @Test func plain() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try expectNothingLeft { try live(seed: $0, $1) }
        }
        record(result)
    }

    @Test func secure() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try expectNothingLeft { try live(tls: true, seed: $0, $1) }
        }
        record(result)
    }

    @Test func faulty() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            var plan = FaultPlan.all
            for fault in Fault.allCases { plan[fault] *= 20 }
            try expectNothingLeft(lives: 3, bytesMax: 64 << 10) {
                try live(faults: plan, seed: $0, forMs: 250, $1)
            }
        }
        record(result)
    }

    /// Services that cannot start leave nothing behind.
    @Test func refused() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try expectNothingLeft { _, report in
                for flaw in StartFlaw.all { report.expect(flaw.error() != nil, "\(flaw) did not matter") }
            }
        }
        record(result)
    }

    /// Stopped in every phase of its life.
    @Test func interrupted() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            try expectNothingLeft(warmUps: 1, lives: 2, bytesMax: 64 << 10) { _, report in
                for phase in StopCase.all { try phase.stop(report) }
            }
        }
        record(result)
    }
}

@Suite struct ExhaustionTests {
    /// Without a descriptor nothing can be dialled, which is told; when there are some again the books come
    /// back. A service cannot start meanwhile, and leaves nothing behind.
    @Test func noDescriptorLeft() async {
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            let report = Report()
            let symbols = names(.spot, 3)
            let venue = try VenueHost(.init(symbols: symbols))
            let diary = Diary()
            let service = try BookService(brisk(venue.endpoints, symbols)) { diary.note($0) }
            let witness = Witness(venue)
            witness.settle(service, report)
            let before = Holdings()
            let exhaustion = DescriptorExhaustion()
            report.wait("told", seen: { diary.tail }) {
                // Again each time: what was dialled before the last descriptor was taken stays open.
                venue.cutAll()
                exhaustion.takeAll()
                return diary.count("ended: no file descriptor left") > 2
            }
            // Those that the venue has closed since.
            exhaustion.takeAll()
            var error: ServiceError?
            do throws(ServiceError) {
                _ = try BookService(brisk(venue.endpoints, symbols))
            } catch let thrown {
                error = thrown
            }
            report.expect(error != nil, "a service started without a descriptor")
            exhaustion.end()
            witness.settle(service, report)
            report.wait("as before", seen: { "\(before), \(Holdings())" }) {
                Holdings().threadNames.count <= before.threadNames.count
            }
            let stopMs = report.time { _ = service.stop() }
            report.expect(stopMs < 3_000, "stop took \(stopMs) ms")
            venue.stop()
            print("could not start: \(error.map { "\($0)" } ?? "")")
            for failure in report.failures { print("finding: \(failure.text)") }
        }
        record(result)
    }
}
