// The `lob` command as a shell runs it: a process of its own, its output in files, and an end in any case.

import Foundation
import Testing

/// One run of the command.
final class Command {
    private let process = Process()
    private let folder: URL
    /// Where standard output goes instead of a file.
    let outputPath: String

    /// The command beside the tests; nil if only tests were built.
    static let path: String? = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folders = [bundle.deletingLastPathComponent()]
        for argument in CommandLine.arguments where argument.hasSuffix(".xctest") {
            folders.append(URL(fileURLWithPath: argument).deletingLastPathComponent())
        }
        folders.append(URL(fileURLWithPath: ".build/debug"))
        let paths = folders.map { $0.appendingPathComponent("lob").path }
        return paths.first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    init(_ arguments: [String], output: String? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("lob-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        outputPath = output ?? folder.appendingPathComponent("out").path
        let errorPath = folder.appendingPathComponent("err").path
        for path in [outputPath, errorPath] where !path.hasPrefix("/dev/") {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        process.executableURL = URL(fileURLWithPath: try #require(Command.path))
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// What it wrote to standard error so far.
    var errors: String { text("err") }
    /// What it wrote to standard output so far.
    var output: String { text("out") }

    private func text(_ name: String) -> String {
        (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Its exit status; nil, and an end by force, if it does not come in time. A signal counts as 128 and its
    /// number.
    func wait(atMostSeconds: Double = 20) -> Int32? {
        let end = Date(timeIntervalSinceNow: atMostSeconds)
        while process.isRunning {
            if Date() > end {
                signal(SIGKILL)
                return nil
            }
            usleep(10_000)
        }
        process.waitUntilExit()
        let status = process.terminationStatus
        return process.terminationReason == .uncaughtSignal ? 128 + status : status
    }
}
