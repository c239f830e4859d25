// Who may stop a service, and from where: any thread, several at once, its own, and nobody at all.

import BinanceVenue
import DepthFeed
import Foundation
import LobTransport
import MarketData
import Testing
import VenueSupport

@testable import BookService

@Suite struct StopCallTests {
    private static func nowhere() -> ServiceConfiguration {
        let endpoints = Endpoints(
            market: .spot, streamBase: "ws://127.0.0.1:1", restBase: "http://127.0.0.1:1")
        return brisk(endpoints, names(.spot, 2))
    }

    /// Threads of a service in this process, by their names.
    private static func ownThreads(_ prefixes: [String]) -> [String] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
        return tasks.compactMap { task in
            guard let name = try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)
            else { return nil }
            return prefixes.contains { name.hasPrefix($0) } ? name : nil
        }
    }

    /// One of several callers gets the books, and none returns before all has ended.
    @Test func severalAtOnce() async {
        await onOwnThread("stop from several threads") { report in
            for round in 0..<150 {
                let service = try BookService(StopCallTests.nowhere())
                let given = Locked<[Int]>([])
                onThreads(3) { _ in
                    let count = service.stop().count
                    let state = service.shardStatuses[0].feed.state
                    given.withLock { $0.append(count) }
                    report.expect(state == .stopped, "round \(round): returned while \(state)")
                }
                let counts = given.withLock { $0.sorted() }
                report.expect(counts == [0, 0, 2], "round \(round): \(counts)")
                report.expect(service.stop().isEmpty, "given twice")
            }
        }
    }

    /// From inside a callback the end begins; whoever calls next from outside gets the books.
    @Test func fromAReport() async {
        await onOwnThread("stop from a report") { report in
            let held = Locked<BookService?>(nil)
            let inside = Locked<Int?>(nil)
            let service = try BookService(StopCallTests.nowhere()) { event in
                guard "\(event)".contains("ended"), let service = held.withLock({ $0 }) else { return }
                let count = service.stop().count
                inside.withLock { $0 = $0 ?? count }
            }
            held.withLock { $0 = service }
            report.wait("stopped from inside") { inside.withLock { $0 } != nil }
            report.expect(inside.withLock { $0 } == 0, "books from inside")
            let stopMs = report.time { report.expect(service.stop().count == 2, "no books from outside") }
            report.expect(stopMs < 2_000, "took \(stopMs) ms")
            held.withLock { $0 = nil }
        }
    }

    @Test func fromAQuestion() async {
        await onOwnThread("stop from a question") { report in
            let service = try BookService(StopCallTests.nowhere())
            let inside = Locked<Int?>(nil)
            let isTaken = service.ask(names(.spot, 1)[0]) { _, _ in
                let count = service.stop().count
                inside.withLock { $0 = count }
            }
            report.expect(isTaken, "not asked")
            report.wait("stopped from inside") { inside.withLock { $0 } == 0 }
            report.expect(service.stop().count == 2, "no books from outside")
        }
    }

    /// On the fetcher's thread.
    @Test func fromAList() async {
        await onOwnThread("stop from a list") { report in
            var configuration = StopCallTests.nowhere()
            configuration.fetcher.listAttemptsMax = 1
            let service = try BookService(configuration)
            let inside = Locked<Int?>(nil)
            let isTaken = service.fetchExchangeInfo { _ in
                let count = service.stop().count
                inside.withLock { $0 = count }
            }
            report.expect(isTaken, "not asked")
            report.wait("stopped from inside") { inside.withLock { $0 } == 0 }
            report.expect(service.stop().count == 2, "no books from outside")
        }
    }

    /// Nobody stops it, and nobody holds it: its threads end all the same. The last one to let go may be one
    /// of them.
    @Test(arguments: [false, true]) func dropped(_ byItself: Bool) async {
        await onOwnThread("dropped, by itself: \(byItself)") { report in
            let held = Locked<BookService?>(nil)
            let events = Locked<Int>(0)
            var service: BookService? = try BookService(StopCallTests.nowhere()) { event in
                events.withLock { $0 += 1 }
                if byItself && "\(event)".contains("ended") { held.withLock { $0 = nil } }
            }
            weak let seen = service
            held.withLock { $0 = service }
            service = nil
            if !byItself { held.withLock { $0 = nil } }
            report.wait("gone") { seen == nil }
            var last = -1
            report.wait("quiet", atMostMs: 3_000, everyMs: 400) {
                let count = events.withLock { $0 }
                defer { last = count }
                return count == last
            }
        }
    }
}
