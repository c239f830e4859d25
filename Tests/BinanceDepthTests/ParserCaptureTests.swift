// Every captured set: no message about a book is refused, and each says what Foundation reads in it.
//
// Everyday runs take a sample of each set; `LOB_PARSER_LINES=all` takes every line.

import Foundation
import MarketData
import TestSupport
import Testing

@testable import BinanceDepth

private enum Sets {
    static let isComplete = ProcessInfo.processInfo.environment["LOB_PARSER_LINES"] == "all"

    static let names: [String] = {
        guard let root = CapturedSet.root else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        return names.filter { !$0.hasSuffix(".md") }.sorted()
    }()

    static func captured(_ name: String) -> CapturedSet {
        CapturedSet(name: name, folder: CapturedSet.root!.appendingPathComponent(name))
    }

    /// The market of one line of a set that mixes them.
    static func market(_ set: CapturedSet, _ line: String) -> Market {
        set.market ?? (line.contains(#""ps":"#) ? .coinm : line.contains(#""T":"#) ? .usdm : .spot)
    }
}

@Suite(.enabled(if: CapturedSet.root != nil, "SKIPPED: no captured traffic (LOB_CAPTURES)"))
struct ParserCaptureTests {
    @Test(arguments: Sets.names) func everyLine(name: String) throws {
        let set = Sets.captured(name)
        var parser = ParserUnderTest(after: 128, byteCount: 1 << 20)
        var tight = ParserUnderTest(after: 0, byteCount: 1 << 20)
        var counts: [MessageKind: Int] = [:]
        for (index, line) in try set.messages(limit: Sets.isComplete ? .max : 600).enumerated() {
            let market = Sets.market(set, line)
            let outcome = parser.parse(line, market)
            guard let parsed = outcome.parsed else {
                Issue.record("\(name) line \(index + 1): \(outcome): \(line.prefix(300))")
                return
            }
            counts[parsed.kind, default: 0] += 1
            if name.hasPrefix("ck-") {
                #expect(parsed.kind == .other, "\(name): \(line.prefix(200))")
                continue
            }
            #expect(outcome == tight.parse(line, market), "\(name) line \(index + 1)")
            if parsed.kind == .other {
                let isOther = !["depthUpdate", "bookTicker", "lastUpdateId"].contains { line.contains($0) }
                #expect(isOther, "\(name): \(line.prefix(200))")
                continue
            }
            var expected = NaiveDecoder.decode(Array(line.utf8), market)
            expected?.reply = parsed.reply
            #expect(parsed == expected, "\(name) line \(index + 1): \(line.prefix(300))")
        }
        print(
            "parser \(name): "
                + counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key)" }.joined(
                    separator: ", "))
    }

    @Test(arguments: CapturedSet.sessions) func everySnapshot(set: CapturedSet) throws {
        var parser = ParserUnderTest(after: 0, byteCount: 1 << 20)
        for (symbol, body) in try set.snapshots().prefix(Sets.isComplete ? .max : 3) {
            let parsed = parser.parseSnapshot(body).parsed
            #expect(
                parsed != nil && parsed == NaiveDecoder.decode(Array(body.utf8), .spot),
                "\(set) \(symbol ?? "")")
            #expect(parser.parse(body, set.market!).parsed == parsed)
        }
    }
}
