// Lines to a place that takes none: nobody waits, and what is lost is counted and said.

import Foundation
import MarketData
import Testing

@testable import BookService

@Suite struct LineQueueTests {
    /// A place that takes nothing while it is closed.
    private final class Place: Sendable {
        let isOpen = Switch()
        let batches = Locked<[LineQueue.Batch]>([])

        func take(_ batch: LineQueue.Batch) {
            while !isOpen.isOn { usleep(500) }
            batches.withLock { $0.append(batch) }
        }

        var lines: [String] { batches.withLock { $0.flatMap(\.lines) } }
        var lostCount: Int { batches.withLock { $0.reduce(0) { $0 + $1.lostCount } } }
    }

    @Test func keepsTheOrder() async {
        await onOwnThread("lines in order") { report in
            let place = Place()
            place.isOpen.isOn = true
            let queue = try LineQueue { place.take($0) }
            let wanted = (0..<500).map { "line \($0)" }
            for line in wanted { queue.add(line) }
            report.expect(queue.finish(waitAtMostNs: 5_000_000_000), "not written")
            report.expect(place.lines == wanted && queue.lostCount == 0, "\(place.lines.count) lines")
            queue.add("late")
            usleep(20_000)
            report.expect(place.lines == wanted, "taken after the end")
        }
    }

    /// Twenty thousand lines and pictures while the place is closed cost no time; the newest are kept.
    @Test func waitsForNobody() async {
        await onOwnThread("lines to a closed place") { report in
            let place = Place()
            let queue = try LineQueue { place.take($0) }
            queue.add("first")
            report.wait("taken") { !queue.flush(waitAtMostNs: 1) }
            let spentMs = report.time {
                for number in 0..<20_000 {
                    queue.add("line \(number)")
                    queue.show(["picture \(number)"])
                }
            }
            report.expect(spentMs < 3_000, "took \(spentMs) ms")
            report.expect(!queue.flush(waitAtMostNs: 50_000_000), "written to a closed place")
            place.isOpen.isOn = true
            report.expect(queue.finish(waitAtMostNs: 5_000_000_000), "not written")
            report.expect(place.lines.count + queue.lostCount == 20_001, "\(place.lines.count) lines")
            report.expect(
                place.lostCount == queue.lostCount && place.lostCount > 17_000, "\(place.lostCount)")
            report.expect(place.lines.last == "line 19999", "\(place.lines.last ?? "")")
            let pictures = place.batches.withLock { $0.compactMap(\.picture) }
            report.expect(pictures.last == ["picture 19999"] && pictures.count <= 3, "\(pictures.count)")
        }
    }

    @Test func longLinesAreCut() async {
        await onOwnThread("long lines") { report in
            let place = Place()
            place.isOpen.isOn = true
            let queue = try LineQueue { place.take($0) }
            queue.add(String(repeating: "币", count: 100_000))
            queue.finish(waitAtMostNs: 5_000_000_000)
            let line = place.lines.first ?? ""
            report.expect(
                line.utf8.count <= LineQueue.lineBytesMax && line.hasSuffix("…"), "\(line.utf8.count)")
        }
    }
}
