// Readers that take nothing any more: a signal ends the command within a second all the same.

import Foundation
import Testing

@Suite struct StalledReaderTests {
    /// A capture whose samples, messages and books are more than a pipe and all buffers hold.
    private static func write(_ shop: Workshop) throws {
        let levels = (0..<4_000).map { ("\(40_000 - $0).00", "1.00000") }
        var lines = ["1790000000000 \(Session.body(100, levels))"]
        for id in 101...1_200 {
            let event = Session.event(
                id, id, levels.prefix(20).map { ($0.0, "\(id).00000") }, [],
                timeMs: 1_790_000_000_000 + 100 * id)
            lines.append("\(1_790_000_000_000 + 100 * id) \(event)")
        }
        try shop.write("c", lines)
    }

    /// To a pipe that somebody holds open without reading, plain and packed, and to standard output.
    @Test(arguments: [
        "export c --format tardis-l2 --out p", "export c --format tardis-25 --every 1 --out p.gz",
        "export c --format text --out -", "convert c --to text --out p", "convert c --to pcap --out p",
        "convert rec --to text --out p.gz", "export rec --format text --out p", "convert c --to text --out -",
        "replay c --book --json", "verify many --json",
    ])
    func aSignalEndsIt(_ command: String) throws {
        let shop = try Workshop()
        try StalledReaderTests.write(shop)
        let arguments = command.replacing(" c ", with: " c --market spot ")
        #expect(try shop.run("convert", "c", "--market", "spot", "--out", "rec").status == 0)
        if command.contains("many") {
            try shop.write("rec/.keep", "")
            let names = (0..<1_200).map { "SYMBOL\($0)WITHALONGNAME" }
            let lines = names.map {
                "1790000000000 {\"symbol\":\"\($0)\",\"data\":\(Session.body(100, [("5.00", "1.00000")]))}"
            }
            try shop.write("m", lines)
            #expect(try shop.run("convert", "m", "--market", "spot", "--out", "many").status == 0)
        }
        let pipe = command.hasSuffix(".gz") ? "p.gz" : "p"
        mkfifo(shop.folder.appendingPathComponent(pipe).path, 0o600)
        let output = command.contains("--out p") ? "/dev/null" : pipe
        for signal in ["INT", "TERM"] {
            // It is asked to stop behind its first byte, and killed if that takes more than two seconds.
            let ran = try shop.run(
                shell: """
                    sleep 60 <> \(pipe) & holder=$!
                    '\(Workshop.program)' \(arguments) > \(output) & pid=$!
                    timeout -s KILL 40 dd bs=1 count=1 < \(pipe) > first 2> /dev/null; sleep 0.2
                    kill -s \(signal) $pid; turns=0
                    while [ $turns -lt 20 ] && [ "$(cut -d ' ' -f 3 /proc/$pid/stat)" != Z ]
                    do sleep 0.1; turns=$((turns + 1)); done
                    kill -9 $pid $holder; wait $pid
                    """)
            #expect(ran.status == 130, "\(signal): \(ran.all)")
        }
    }

    /// A reader that is merely slow gets everything, packed too.
    @Test func aSlowReader() throws {
        let shop = try Workshop()
        try StalledReaderTests.write(shop)
        let export = "lob export c --market spot --format tardis-l2 --out"
        let ran = try shop.run(
            shell: """
                \(export) plain && \(export) packed.gz && mkfifo p p.gz
                (sleep 1; cat) < p > one & (sleep 1; cat) < p.gz > two.gz &
                \(export) p && \(export) p.gz && \(export) - | (sleep 1; cat) > three; wait
                gzip -t packed.gz && gzip -dc packed.gz | cmp - plain && gzip -dc two.gz | cmp - plain \
                && cmp one plain && cmp three plain
                """)
        #expect(ran.status == 0, "\(ran.all)")
    }
}
