// A captured session, wherever its parts are: one file of lines, or a folder in the layout of capture sets.
//
//     capture.txt[.gz|.zst]  receive times, messages and REST bodies in one file; if there, it is the session
//     events.jsonl[.gz|.zst] one message a line
//     recv_ts.txt[.gz|.zst]  the receive time of the same line
//     snapshot.json          the REST body of the only symbol
//     snapshots/SYMBOL.json  the REST bodies of many; of SYMBOL.0900.json and such the first in order counts
//
// SAFETY: directory entries are used before the next call of readdir; a line is copied before the reader is
// asked for the next one; a piece of a file is copied before the next one overwrites it.

import Glibc

/// The files of a captured session.
public struct CaptureFiles: Hashable, Sendable {
    /// Its name for display: the given path, or that of the messages inside a folder.
    public var name: String
    /// The messages.
    public var events: String
    /// Their receive times, if in a separate file.
    public var times: String?
    /// REST bodies in separate files.
    public var snapshots: [Snapshot] = []

    /// A REST body in a separate file.
    public struct Snapshot: Hashable, Sendable {
        /// Name of its symbol; nil if the session has only one.
        public var symbol: String?
        /// The file.
        public var path: String
    }

    /// The session at a path: a file, a folder, a pipe, or `-` for standard input. A pipe is read to its end,
    /// at most 4 GiB, and is a file from then on; its path may have changed.
    ///
    /// - Parameters:
    ///   - path: the file, folder or pipe.
    ///   - isStopped: asked at least ten times a second while a pipe is read.
    /// - Throws: `ReadingError.interrupted` if it was stopped.
    public init(path: String, isStopped: () -> Bool = { false }) throws(ReadingError) {
        events = try PipeSpool.file(path, isStopped: isStopped)
        name = path == "-" ? "standard input" : path
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        let entries = CaptureFiles.entries(path)
        guard let entries else { return }
        func first(_ names: [String]) -> String? {
            names.first { entries.contains($0) }.map { path + "/" + $0 }
        }
        if let whole = first(CaptureFiles.packed("capture.txt")) {
            events = whole
            name = whole
            return
        }
        guard let events = first(CaptureFiles.packed("events.jsonl")) else {
            throw .cannotOpen(path: path, reason: "a folder without events.jsonl or capture.txt")
        }
        self.events = events
        name = events
        times = first(CaptureFiles.packed("recv_ts.txt"))
        if let single = first(["snapshot.json"]) { snapshots.append(Snapshot(symbol: nil, path: single)) }
        let folder = path + "/snapshots"
        for name in (CaptureFiles.entries(folder) ?? []).sorted() where name.hasSuffix(".json") {
            let symbol = String(name.prefix { $0 != "." })
            if snapshots.contains(where: { $0.symbol == symbol }) { continue }
            snapshots.append(Snapshot(symbol: symbol, path: folder + "/" + name))
        }
    }

    private static func packed(_ name: String) -> [String] { [name, name + ".gz", name + ".zst"] }

    /// The names in a folder; nil if it is not one.
    private static func entries(_ path: String) -> Set<String>? {
        guard let folder = unsafe opendir(path) else { return nil }
        defer { unsafe closedir(folder) }
        var names = Set<String>()
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            names.insert(name)
        }
        return names
    }
}

/// Receive times in a separate file, one line per message. Not copyable.
public struct ReceiveTimes: ~Copyable {
    private var reader: CaptureReader

    /// Opens the file.
    public init(path: String) throws(ReadingError) { reader = try CaptureReader(path: path) }

    /// The time of the next message in nanoseconds since 1970; nil if its line has none, or at the end.
    public mutating func next() throws(ReadingError) -> Int64? {
        guard let line = try reader.next() else { return nil }
        return unsafe receiveTime((Array(line.message) + [0x20]).span).time
    }
}

/// Reads a captured session message by message. Not copyable.
public struct CaptureSession: ~Copyable {
    private var events: CaptureReader
    private var times: ReceiveTimes?

    /// Opens a session.
    public init(_ files: CaptureFiles) throws(ReadingError) {
        let events = try CaptureReader(path: files.events, name: files.name)
        var times: ReceiveTimes?
        if let path = files.times { times = try ReceiveTimes(path: path) }
        self.events = events
        self.times = times
    }

    /// Reads the next message.
    ///
    /// - Parameter message: replaced by the message; empty if the line was too long.
    /// - Returns: line number and receive time in nanoseconds since 1970 (nil if unknown); nil at the end.
    public mutating func next(
        into message: inout [UInt8]
    ) throws(ReadingError) -> (line: Int, receivedAtNs: Int64?)? {
        guard let line = try events.next() else { return nil }
        message.removeAll(keepingCapacity: true)
        unsafe message.append(contentsOf: line.message)
        let (number, receivedAtNs) = (line.number, line.receivedAtNs)
        return (number, try times?.next() ?? receivedAtNs)
    }

    /// The whole text of a small file, without a leading receive time.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - bytesMax: a larger one is refused.
    ///   - isStopped: asked at least ten times a second while a pipe is read.
    /// - Throws: `ReadingError.interrupted` if it was stopped.
    public static func text(
        of path: String, bytesMax: Int = 1 << 26, isStopped: () -> Bool = { false }
    ) throws(ReadingError) -> [UInt8] {
        let path = try PipeSpool.file(path, isStopped: isStopped)
        var source = try ByteSource(path: path)
        var text: [UInt8] = []
        let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 1 << 16)
        defer { unsafe room.deallocate() }
        while true {
            let got = try unsafe source.read(into: room.baseAddress!, count: room.count)
            if got == 0 { break }
            unsafe text += room[..<got]
            if text.count > bytesMax {
                throw .cannotOpen(path: path, reason: "more than \(bytesMax) bytes")
            }
        }
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { text.removeFirst(3) }
        if let format = FileFormat(head: Array(text.prefix(FileFormat.headBytes)), name: path) {
            throw .foreign(path: path, format: format.name, advice: format.advice)
        }
        text.removeFirst(receiveTime(text.span).first)
        return text
    }
}
