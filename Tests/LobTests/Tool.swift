// The `lob` command as a user runs it, and the small session that most tests are about.

import Foundation
import Testing

/// What a run of the command left behind.
struct Ran {
    var status: Int32
    var out: String
    var err: String
    var all: String { out + err }

    /// Whether a member has a value, as the text is written.
    func has(_ member: String, _ value: String) -> Bool { out.contains("\"\(member)\":\(value)") }

    /// A member of the JSON object of the first symbol, as text; nil if it is not there.
    func member(_ name: String) -> String? {
        guard let line = out.split(separator: "\n").first,
            let json = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        else { return nil }
        return json[name].map { "\($0)" }
    }
}

/// A folder of files that is gone when the test is.
final class Workshop {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("lob-tests-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    @discardableResult
    func write(_ name: String, _ lines: [String]) throws -> String {
        try write(name, lines.joined(separator: "\n") + "\n")
    }

    @discardableResult
    func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let file = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return name
    }

    /// The command, built beside this program.
    static let program: String = {
        let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: tests ?? "").deletingLastPathComponent().appendingPathComponent("lob")
            .path
    }()

    /// Runs the command in the folder. `shell` is a command line in which `lob` is the command.
    func run(shell: String) throws -> Ran {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "lob() { timeout 60 '\(Workshop.program)' \"$@\"; }; \(shell)"]
        process.currentDirectoryURL = folder
        // Files, since a pipe that nobody reads would hold the command up.
        let (out, err) = (folder.appendingPathComponent(".out"), folder.appendingPathComponent(".err"))
        for file in [out, err] { try Data().write(to: file) }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: err)
        try process.run()
        process.waitUntilExit()
        return Ran(
            status: process.terminationStatus, out: try String(contentsOf: out, encoding: .utf8),
            err: try String(contentsOf: err, encoding: .utf8))
    }

    func run(_ arguments: String...) throws -> Ran {
        try run(
            shell: "lob " + arguments.map { "'\($0.replacing("'", with: "'\\''"))'" }.joined(separator: " "))
    }
}

/// Three events of one symbol behind a snapshot, as the venue sends them, and their book.
enum Session {
    static let digest = "c2c9de988555edde"
    static let snapshot = body(
        100, [("50000.10", "1.50000"), ("50000.00", "2.00000"), ("49999.90", "0.25000")])
    static let events = [event(0), event(1), event(2)]
    static let futures = [event(0, pu: 98), event(1, pu: 102), event(2, pu: 105)]

    private static let changes:
        [(first: Int, last: Int, bids: [(String, String)], asks: [(String, String)])] = [
            (99, 102, [("50000.10", "1.75000")], []),
            (103, 105, [("50000.00", "0.00000")], [("50000.30", "2.50000")]),
            (106, 106, [], [("50000.20", "0.00000")]),
        ]

    static func event(_ index: Int, pu: Int? = nil, symbol: String = "BTCUSDT", shift: Int = 0) -> String {
        let change = changes[index]
        return event(
            change.first + shift, change.last + shift, pu: pu, change.bids, change.asks, symbol: symbol,
            timeMs: 1_790_000_000_100 + 100 * index)
    }

    static func event(
        _ first: Int, _ last: Int, pu: Int? = nil, _ bids: [(String, String)], _ asks: [(String, String)],
        symbol: String = "BTCUSDT", timeMs: Int
    ) -> String {
        let time = pu == nil ? "" : "\"T\":\(timeMs - 3),"
        let link = pu.map { "\"pu\":\($0)," } ?? ""
        return
            "{\"e\":\"depthUpdate\",\"E\":\(timeMs),\(time)\"s\":\"\(symbol)\",\"U\":\(first),\"u\":\(last),"
            + "\(link)\"b\":\(levels(bids)),\"a\":\(levels(asks))}"
    }

    static func body(
        _ id: Int, _ bids: [(String, String)],
        _ asks: [(String, String)] = [
            ("50000.20", "0.75000"), ("50000.30", "3.00000"), ("50000.40", "1.00000"),
        ]
    ) -> String { "{\"lastUpdateId\":\(id),\"bids\":\(levels(bids)),\"asks\":\(levels(asks))}" }

    static func levels(_ levels: [(String, String)]) -> String {
        "[" + levels.map { "[\"\($0.0)\",\"\($0.1)\"]" }.joined(separator: ",") + "]"
    }
}

/// Expects a live book of the session.
func expectSession(_ ran: Ran, sourceLocation: SourceLocation = #_sourceLocation) {
    let isRight =
        ran.status == 0 && ran.member("state") == "live" && ran.member("lastUpdateId") == "106"
        && ran.member("digest") == Session.digest
    #expect(isRight, "status \(ran.status): \(ran.all)", sourceLocation: sourceLocation)
}

/// Expects a refusal of one line with these words in it.
func expectRefusal(_ ran: Ran, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    let isRight =
        ran.status == 1 && ran.out.isEmpty && ran.err.split(separator: "\n").count == 1
        && words.allSatisfy(ran.err.contains)
    #expect(isRight, "status \(ran.status): \(ran.all)", sourceLocation: sourceLocation)
}
