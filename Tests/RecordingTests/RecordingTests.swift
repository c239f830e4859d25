import Glibc
import LobHandoff
import Testing

@testable import LobRecording

/// A folder for one test; it goes with everything in it.
private final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/lob-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in names { unlink(path + "/" + name) }
        rmdir(path)
    }

    subscript(name: String) -> String { path + "/" + name }

    var names: [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try #require(fopen(self[name], "wb"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        let file = try #require(fopen(self[name], "rb"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    /// Records messages of these lengths.
    func record(_ name: String, _ lengths: [Int], inputs: [String] = []) throws {
        var writer = try RecordingWriter(path: self[name], inputs: inputs)
        for (index, length) in lengths.enumerated() { put(length, Int64(index), &writer) }
        try writer.finish()
    }

    func put(_ length: Int, _ time: Int64, _ writer: inout RecordingWriter) {
        [UInt8](repeating: UInt8(length & 0xFF), count: length).withUnsafeBufferPointer {
            writer.write(Frame(kind: .message, source: 7, receivedAtNs: time, bytes: $0))
        }
    }
}

/// Lengths of the whole frames, and what stopped the reader.
private func frames(_ path: String) throws -> (lengths: [Int], damage: ReadingError?) {
    var reader = try RecordingReader(path: path)
    var lengths: [Int] = []
    do throws(ReadingError) {
        while let frame = try reader.next() {
            #expect(frame.source == 7 && frame.receivedAtNs == lengths.count)
            #expect(frame.bytes.allSatisfy { Int($0) == frame.bytes.count & 0xFF })
            lengths.append(frame.bytes.count)
        }
        return (lengths, nil)
    } catch {
        return (lengths, error)
    }
}

@Suite struct RecordingTests {
    @Test func whatIsWrittenIsRead() throws {
        let folder = try Folder()
        try folder.record("r", [0, 3, 70_000, 1])
        #expect(try frames(folder["r"]) == ([0, 3, 70_000, 1], nil))
        #expect(folder.names == ["r"])
    }

    @Test func aRecordingHasItsNameWhenItIsWhole() throws {
        let folder = try Folder()
        try folder.record("r", [5])
        do {
            var writer = try RecordingWriter(path: folder["r"])
            folder.put(9, 0, &writer)
            #expect(folder.names == ["r", "r.tmp"])
        }
        #expect(folder.names == ["r"], "given up: the one before stays")
        #expect(try frames(folder["r"]).lengths == [5])
        try folder.record("r", [6, 7])
        #expect(try frames(folder["r"]).lengths == [6, 7])
    }

    @Test func whatIsNoRecordingIsNotReplaced() throws {
        let folder = try Folder()
        let text = Array("1700000000 {}\n".utf8)
        try folder.write("capture", text)
        #expect(throws: WritingError.isOther(path: folder["capture"])) { try folder.record("capture", [1]) }
        try folder.write("r.tmp", text)
        #expect(throws: WritingError.isOther(path: folder["r.tmp"])) { try folder.record("r", [1]) }
        for path in ["/dev/null", folder.path] {
            #expect(throws: WritingError.isOther(path: path)) { _ = try RecordingWriter(path: path) }
        }
        #expect(folder.names == ["capture", "r.tmp"])
        #expect(try folder.bytes("capture") == text && folder.bytes("r.tmp") == text)
    }

    /// An input under any of its names is refused and stays as it is.
    @Test func anInputIsNotReplaced() throws {
        let folder = try Folder()
        try folder.record("r", [4, 2])
        try #require(link(folder["r"], folder["hard"]) == 0 && symlink(folder["r"], folder["soft"]) == 0)
        for name in ["r", "hard", "soft"] {
            #expect(throws: WritingError.self) { try folder.record(name, [1], inputs: [folder["r"]]) }
        }
        #expect(try frames(folder["r"]).lengths == [4, 2])
        // Without it as an input the file behind the link is the one to replace.
        try folder.record("soft", [8])
        #expect(try frames(folder["r"]).lengths == [8])
        #expect(folder.names == ["hard", "r", "soft"])
    }

    @Test func aFolderThatIsNotThere() throws {
        #expect(throws: WritingError.self) { _ = try RecordingWriter(path: "/nonexistent/r") }
    }

    /// Cut anywhere, a recording delivers every whole frame and then says where it ends.
    @Test func tornAnywhere() throws {
        let folder = try Folder()
        let lengths = [3, 0, 20]
        try folder.record("r", lengths)
        let whole = try folder.bytes("r")
        var ends = [FrameFile.headerLength]
        for length in lengths { ends.append(ends.last! + FrameFile.frameHeaderLength + length) }
        #expect(whole.count == ends.last)
        for count in FrameFile.headerLength..<whole.count {
            try folder.write("torn", Array(whole[..<count]))
            let (found, damage) = try frames(folder["torn"])
            let frameCount = ends.lastIndex { $0 <= count }!
            #expect(found == Array(lengths[..<frameCount]))
            guard case .damaged(_, let at, _)? = damage else {
                #expect(damage == nil && ends.contains(count))
                continue
            }
            #expect(at == ends[frameCount] && !ends.contains(count))
        }
    }

    /// A frame is given room as its bytes come, whatever length it announces.
    @Test func announcedLengthsCostNothing() throws {
        let folder = try Folder()
        try folder.record("r", [])
        for (announced, came) in [(1 << 28, 0), (1 << 28, 100), (1 << 27, 300_000), (1 << 28 + 1, 0)] {
            var bytes = try folder.bytes("r")
            for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: announced >> (8 * place))) }
            bytes += [7, 0, 1, 0] + [UInt8](repeating: 0, count: 8 + came)
            try folder.write("torn", bytes)
            var reader = try RecordingReader(path: folder["torn"])
            var isDamaged = false
            do throws(ReadingError) { _ = try reader.next() } catch { isDamaged = true }
            #expect(isDamaged && reader.bufferBytes <= max(1 << 16, 4 * came), "\(announced), \(came)")
        }
    }
}
