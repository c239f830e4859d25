// `lob verify` of files that others have written: it finds what is missing in them.

import Foundation
import Testing

@Suite struct VerifyCaptureTests {
    private func lines(without missing: Int? = nil, futures: Bool = false) -> [String] {
        let events = futures ? Session.futures : Session.events
        return ["1790000000000 " + Session.snapshot]
            + events.enumerated().filter { $0.offset != missing }
            .map { "\(1_790_000_000_100 + 100 * $0.offset) \($0.element)" }
    }

    @Test func wholeCaptures() throws {
        let shop = try Workshop()
        for isFutures in [false, true] {
            try shop.write("c", lines(futures: isFutures))
            let ran = try shop.run("verify", "c")
            #expect(ran.status == 0 && ran.out.contains("0 holes; nothing is missing"), "\(ran.all)")
        }
    }

    @Test func holesAreListed() throws {
        let shop = try Workshop()
        for isFutures in [false, true] {
            try shop.write("c", lines(without: 1, futures: isFutures))
            let ran = try shop.run("verify", "--json", "c")
            #expect(ran.status == 2, "\(ran.all)")
            let after = isFutures ? 105 : 106
            #expect(
                ran.out.contains(
                    "\"holeCount\":1,\"holes\":[{\"symbol\":\"BTCUSDT\",\"idBefore\":102,\"idAfter\":\(after),"
                        + "\"fromNs\":1790000000100000000,\"toNs\":1790000000300000000,"), "\(ran.all)")
            let text = try shop.run("verify", "c")
            #expect(
                text.status == 2
                    && text.out.contains("hole: 2026-09-21 14:13:20.100, 0.200 s, BTCUSDT: ids 102")
                    && text.out.contains("1 hole; FAULTY"), "\(text.all)")
        }
    }

    /// A pipe that delivers nothing is left at the first signal: it has a writer as soon as it is opened.
    @Test(.timeLimit(.minutes(10))) func aSilentPipeIsLeft() throws {
        let shop = try Workshop()
        for command in ["verify p", "replay p", "convert p --out x.txt", "export p --format text --out x"] {
            let ran = try shop.run(
                shell: """
                    rm -f p; mkfifo p
                    timeout 30 sh -c 'timeout --foreground --preserve-status 20 "\(Workshop.program)" \
                        \(command) & exec 3> p; kill $!; wait $!'
                    """)
            #expect(ran.status == 130 && ran.all.isEmpty, "\(command): \(ran.status): \(ran.all)")
        }
    }

    /// Also where no body ever made a book of them.
    @Test func holesWithoutABook() throws {
        let shop = try Workshop()
        try shop.write("c", [Session.events[0], Session.events[2]])
        let ran = try shop.run("verify", "--json", "c", "--market", "spot")
        #expect(ran.status == 2 && ran.out.contains("\"holeCount\":1"), "\(ran.all)")
        #expect(try shop.run("verify", "c", "--from", "2026-01-01T00:00:00Z").status == 64)
    }
}
