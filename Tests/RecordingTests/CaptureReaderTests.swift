import Glibc
import MarketData
import Testing

@testable import LobRecording

/// Writes bytes to a temporary file, hands its path to `body` and removes it.
func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
    var template = Array("/tmp/lob-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    try #require(descriptor >= 0)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unlink(path) }
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes {
            write(descriptor, $0.baseAddress! + written, bytes.count - written)
        }
        try #require(count > 0)
        written += count
    }
    close(descriptor)
    return try body(path)
}

private struct Line: Equatable {
    var number: Int
    var offset: Int
    var time: Int64?
    var text: String
}

private func lines(_ path: String) throws -> [Line] {
    var reader = try CaptureReader(path: path)
    var lines: [Line] = []
    while let line = try reader.next() {
        lines.append(
            Line(
                number: line.number, offset: line.byteOffset, time: line.receivedAtNs,
                text: line.isTooLong ? "too long" : String(decoding: line.message, as: UTF8.self)))
    }
    return lines
}

@Suite struct CaptureReaderTests {
    @Test func bareAndTimedLines() throws {
        let text = "{\"a\":1}\n\n1723161253937085768 {\"b\":2}\r\n1617565407.25: [3]\n1617565407250 x\nlast"
        let found = try withFile(Array(text.utf8)) { try lines($0) }
        #expect(
            found == [
                Line(number: 1, offset: 0, time: nil, text: "{\"a\":1}"),
                Line(number: 3, offset: 9, time: 1_723_161_253_937_085_768, text: "{\"b\":2}"),
                Line(number: 4, offset: 38, time: 1_617_565_407_250_000_000, text: "[3]"),
                Line(number: 5, offset: 57, time: 1_617_565_407_250_000_000, text: "x"),
                Line(number: 6, offset: 73, time: nil, text: "last"),
            ])
    }

    @Test(arguments: [
        ("1723161253 x", 1_723_161_253_000_000_000), ("1723161253937 x", 1_723_161_253_937_000_000),
        ("1723161253937085 x", 1_723_161_253_937_085_000), ("1723161253.5 x", 1_723_161_253_500_000_000),
    ]) func timesByMagnitude(_ text: String, _ time: Int) throws {
        let found = try withFile(Array(text.utf8)) { try lines($0) }
        #expect(found.first?.time == Int64(time))
        #expect(found.first?.text == "x")
    }

    @Test(arguments: [
        "123 x", "1723161253x", "1723161253", "99999999999999999999 x", "9223372036854775808 x",
        "9223372036.9 x", "-1723161253 x",
    ])
    func whatIsNoTimeStaysInTheLine(_ text: String) throws {
        let found = try withFile(Array(text.utf8)) { try lines($0) }
        #expect(found.first?.time == nil)
        #expect(found.first?.text == text)
    }

    @Test func emptyAndMissingFiles() throws {
        #expect(try withFile([]) { try lines($0) } == [])
        #expect(throws: ReadingError.self) { try lines("/nonexistent/capture") }
        #expect(throws: ReadingError.self) { try lines("/tmp") }
    }

    /// Lines of blanks and tabs are no messages, and what trails behind one is no part of it.
    @Test func blankLines() throws {
        let found = try withFile(Array("\n  \n\t\n \t \r\nx\t\r\n\t".utf8)) { try lines($0) }
        #expect(found.map(\.text) == ["x"])
        #expect(found.map(\.number) == [5])
    }

    /// A line longer than the buffer grows it; one beyond the limit is skipped and the next is whole.
    @Test func longLines() throws {
        var bytes = [UInt8](repeating: 0x61, count: 3 << 20)
        bytes.append(0x0A)
        bytes += [UInt8](repeating: 0x62, count: CaptureReader.lineBytesMax + 5)
        bytes += Array("\nnext\n".utf8)
        let found = try withFile(bytes) { try lines($0) }
        #expect(found.map(\.number) == [1, 2, 3])
        #expect(found.map { $0.text.utf8.count } == [3 << 20, 8, 4])
        #expect(found[1].text == "too long")
        #expect(found[2].offset == bytes.count - 5)
    }

    /// Half a gzip gives its whole lines and then says that it is damaged.
    @Test func halfAGzip() throws {
        let text = (0..<20_000).map { "line \($0) \($0 &* 2_654_435_761)" }.joined(separator: "\n")
        let whole = try withFile(Array(text.utf8)) { path -> [UInt8] in
            let pipe = popen("gzip -c \(path)", "r")!
            defer { pclose(pipe) }
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while case let got = fread(&chunk, 1, chunk.count, pipe), got > 0 { bytes += chunk[..<got] }
            return bytes
        }
        #expect(try withFile(whole) { try lines($0) }.count == 20_000)
        try withFile(Array(whole[..<(whole.count / 2)])) { path in
            var reader = try CaptureReader(path: path)
            var count = 0
            #expect(throws: ReadingError.self) {
                while let line = try reader.next() {
                    count += 1
                    #expect(String(decoding: line.message, as: UTF8.self).hasPrefix("line \(count - 1) "))
                }
            }
            #expect(count > 1_000 && count < 20_000)
        }
    }
}

@Suite struct GzipTests {
    /// `{"a":1}` and an end of line, packed; and the same of `{"b":2}`.
    private static let first: [UInt8] = packed("{\"a\":1}\n")
    private static let second: [UInt8] = packed("{\"b\":2}\n")

    /// A member of one stored block.
    private static func packed(_ text: String) -> [UInt8] {
        let raw = Array(text.utf8)
        var bytes: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1]
        bytes.append(little: UInt16(raw.count))
        bytes.append(little: ~UInt16(raw.count))
        bytes += raw
        bytes.append(little: CRC32.value(of: raw.span, .ieee))
        bytes.append(little: UInt32(raw.count))
        return bytes
    }

    private static func read(_ bytes: [UInt8]) throws -> (texts: [String], error: ReadingError?) {
        try withFile(bytes) { path in
            var texts: [String] = []
            do throws(ReadingError) {
                var reader = try CaptureReader(path: path)
                while let line = try reader.next() {
                    texts.append(String(decoding: unsafe line.message, as: UTF8.self))
                }
            } catch {
                return (texts, error)
            }
            return (texts, nil)
        }
    }

    @Test func membersAndPadding() throws {
        let both = try GzipTests.read(GzipTests.first + GzipTests.second)
        #expect(both.texts == ["{\"a\":1}", "{\"b\":2}"] && both.error == nil)
        let padded = try GzipTests.read(GzipTests.first + [UInt8](repeating: 0, count: 600))
        #expect(padded.texts == ["{\"a\":1}"] && padded.error == nil)
    }

    /// zlib's own reader leaves out what follows; so would a day of lines that were appended unpacked.
    @Test func whatFollowsAGzipIsTold() throws {
        for tail in ["{\"b\":2}\n", "\u{1F}", "\u{1F}{\"b\":2}\n", "\u{0}\u{0}{\"b\":2}\n"] {
            let found = try GzipTests.read(GzipTests.first + Array(tail.utf8))
            #expect(found.texts == ["{\"a\":1}"])
            guard case .damaged = found.error else {
                Issue.record("not told: \(tail.utf8.count) bytes")
                return
            }
        }
    }

    @Test func cutsAndFlips() throws {
        let whole = GzipTests.first + GzipTests.second
        for length in 2..<whole.count where length != GzipTests.first.count {
            #expect(try GzipTests.read(Array(whole[..<length])).error != nil, "cut at \(length)")
        }
        for bit in 16..<(8 * whole.count) {
            var bytes = whole
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            let found = try GzipTests.read(bytes)
            // Times, flags of compression and the system's number are in no check.
            #expect(found.error != nil || found.texts == ["{\"a\":1}", "{\"b\":2}"], "bit \(bit)")
        }
    }
}
