import Glibc
import Testing

@testable import LobRecording

/// Lines of a capture that may be a pipe, read twice.
private func linesTwice(_ path: String) throws -> [[String]] {
    let files = try CaptureFiles(path: path)
    return try (0..<2).map { _ in
        var reader = try CaptureReader(path: files.events)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line.message, as: UTF8.self)) }
        return lines
    }
}

/// Hands the reading end of a pipe that a shell command fills to `body`.
private func withPipe(from command: String, _ body: (Int32) throws -> Void) throws {
    let pipe = try #require(popen(command, "r"))
    defer { pclose(pipe) }
    try body(fileno(pipe))
}

/// Hands the path of a named pipe in a folder of its own to `body`.
private func withNamedPipe(
    _ name: String = "pipe", _ body: (_ folder: String, _ path: String) throws -> Void
) throws {
    var template = Array("/tmp/lob-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let path = folder + "/" + name
    try #require(mkfifo(path, 0o600) == 0)
    defer {
        unlink(path)
        rmdir(folder)
    }
    try body(folder, path)
}

/// Whether the reading of a pipe that delivers nothing ends when it is asked to, for the time after `goOn`.
private func isInterrupted(_ path: String, after goOn: Int) -> Bool {
    var asked = 0
    do throws(ReadingError) {
        _ = try PipeSpool.file(
            path,
            isStopped: {
                asked += 1
                return asked > goOn
            })
        return false
    } catch {
        return error == .interrupted && asked == goOn + 1
    }
}

@Suite struct PipeTests {
    private static let lineCount = 30_000
    private static let lines = (1...lineCount).map { "\($0)" }

    @Test(arguments: ["seq \(lineCount)", "seq \(lineCount) | gzip"], ["/dev/fd/", "/proc/self/fd/"])
    func aDescriptorKeepsItsName(_ command: String, _ folder: String) throws {
        try withPipe(from: command) { pipe in
            let path = "\(folder)\(pipe)"
            let events = try CaptureFiles(path: path).events
            #expect(events == path)
            let found = try linesTwice(path)
            #expect(found == [Self.lines, Self.lines])
        }
    }

    @Test func aPipeWithAName() throws {
        try withNamedPipe { _, path in
            try withPipe(from: "seq \(Self.lineCount) > \(path)") { _ in
                let found = try linesTwice(path)
                #expect(found == [Self.lines, Self.lines])
            }
        }
    }

    /// Without a writer, and with one that says nothing.
    @Test(.timeLimit(.minutes(10))) func aPipeThatDeliversNothing() throws {
        try withNamedPipe { _, path in
            #expect(isInterrupted(path, after: 0) && isInterrupted(path, after: 1))
        }
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(isInterrupted("/dev/fd/\(ends[0])", after: 1))
        let flags = fcntl(ends[0], F_GETFL)
        #expect(flags & O_NONBLOCK == 0)
    }

    /// A part of a folder is no pipe, and a device is nothing to read.
    @Test(.timeLimit(.minutes(10))) func whatIsNeitherFileNorPipe() throws {
        try withNamedPipe("events.jsonl") { folder, path in
            #expect(throws: ReadingError.cannotOpen(path: path, reason: "not a regular file")) {
                _ = try linesTwice(folder)
            }
        }
        for path in ["/dev/null", "/dev/zero"] {
            #expect(throws: ReadingError.cannotOpen(path: path, reason: "neither a file nor a pipe")) {
                _ = try PipeSpool.file(path)
            }
        }
    }

    @Test func whatIsNoPipeStaysWhatItIs() throws {
        for path in ["/tmp", "/nonexistent/capture", "/proc/self/exe"] {
            #expect(try PipeSpool.file(path) == path)
        }
    }

    @Test func aPipeThatDeliversTooMuch() throws {
        try withPipe(from: "head -c 1000 /dev/zero") { pipe in
            let path = "/dev/fd/\(pipe)"
            #expect(throws: ReadingError.self) { _ = try PipeSpool.file(path, bytesMax: 999) }
        }
        try withPipe(from: "head -c 1000 /dev/zero") { pipe in
            _ = try PipeSpool.file("/dev/fd/\(pipe)", bytesMax: 1_000)
        }
    }
}
