// Captures as written by public collectors: a file of lines, plain or compressed, each a bare message or a
// receive time and a message. Nothing here knows what a message means.
//
// One line is in memory at a time, in one buffer with 128 readable bytes after it, so that it can be parsed
// in place. A line longer than `lineBytesMax` is skipped and reported; the rest of the file is still read.
//
// A packet capture is read as well: its lines are its WebSocket messages, and the REST depth bodies with
// their symbols (`PacketMessages`).
//
// SAFETY: `buffer` is owned by the struct; `start <= end <= capacity`, and 128 more bytes are allocated after
// it.

import Glibc

/// A line of a capture. Its bytes are valid until the next call of the reader.
@safe
public struct CaptureLine {
    /// Bytes after a message that may be read; their values are meaningless.
    public static var readableAfter: Int { 128 }

    /// Number of the line, from 1.
    public let number: Int
    /// Offset of its first byte in the uncompressed file.
    public let byteOffset: Int
    /// Receive time in nanoseconds since 1970, nil if the line carries none.
    public let receivedAtNs: Int64?
    /// The message; `readableAfter` bytes after it may be read.
    public let message: UnsafeBufferPointer<UInt8>
    /// Whether the line was too long, so that `message` is empty.
    public let isTooLong: Bool
}

/// Reads a capture line by line. Not copyable.
@safe
public struct CaptureReader: ~Copyable {
    /// The longest line delivered, in bytes.
    public static var lineBytesMax: Int { 1 << 24 }
    private static var slack: Int { CaptureLine.readableAfter }

    private var source: ByteSource
    private var buffer: UnsafeMutablePointer<UInt8>
    private var capacity = 1 << 20
    private var start = 0
    private var end = 0
    private var atEnd = false
    private var lineNumber = 0
    private var byteOffset = 0
    private var failure: ReadingError?
    private var isBegun = false
    /// What makes lines of packets; nil for text.
    private var packets: PacketMessages?

    /// Opens a capture.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - name: its name for display, if not the path.
    public init(path: String, name: String? = nil) throws(ReadingError) {
        let opened = try ByteSource(path: path, name: name)
        source = opened
        unsafe buffer = .allocate(capacity: capacity + CaptureReader.slack)
        unsafe buffer.initialize(repeating: 0, count: capacity + CaptureReader.slack)
    }

    deinit { unsafe buffer.deallocate() }

    /// Fraction of the file on disk read so far, 0 … 1.
    public var progress: Double {
        source.fileBytes == 0 ? 1 : min(Double(source.consumedFileBytes) / Double(source.fileBytes), 1)
    }

    /// Time spent reading and decompressing so far, in nanoseconds.
    public var readingNs: Int64 { source.readingNs }

    /// The next non-empty line; nil at the end.
    ///
    /// - Throws: if the file is damaged, after every whole line before the damage was delivered; at the first
    ///   line if it is not text.
    public mutating func next() throws(ReadingError) -> CaptureLine? {
        if !isBegun { try begin() }
        if let packets { return try next(of: packets) }
        while true {
            guard let length = try lineLength() else { return nil }
            let line = take(length)
            if unsafe line.isTooLong || !line.message.isEmpty { return line }
        }
    }

    /// Reads the first bytes: skips a UTF-8 byte order mark, and names a format that is not text.
    private mutating func begin() throws(ReadingError) {
        isBegun = true
        try fill()
        let head = unsafe Array(UnsafeBufferPointer(start: buffer, count: min(end, FileFormat.headBytes)))
        if PacketFile.begins(head) { return try beginPackets(head) }
        if head.starts(with: [0xEF, 0xBB, 0xBF]) {
            start = 3
            byteOffset = 3
        } else if let format = FileFormat(head: head, name: source.name) {
            throw .foreign(path: source.name, format: format.name, advice: format.advice)
        }
    }

    private mutating func beginPackets(_ head: [UInt8]) throws(ReadingError) {
        guard let file = PacketFile(head) else {
            throw failure ?? .damaged(path: source.name, atByte: 0, reason: "ends inside its header")
        }
        if file.link != PacketFile.ethernet && file.link != PacketFile.rawIP {
            throw .foreign(
                path: source.name, format: "a packet capture of links of kind \(file.link)",
                advice: "lob reads those of Ethernet (1) and of IP (101)")
        }
        packets = PacketMessages(file)
        start = PacketFile.headerLength
        byteOffset = start
    }

    /// The next message of a packet capture.
    private mutating func next(of packets: PacketMessages) throws(ReadingError) -> CaptureLine? {
        while true {
            if let line = packets.next() { return line }
            if try !takeRecord(packets) { break }
        }
        if let (reason, offset) = packets.trouble {
            throw .damaged(path: source.name, atByte: offset, reason: reason)
        }
        if packets.count == 0 {
            throw .foreign(
                path: source.name, format: "a packet capture (pcap)",
                advice: "no WebSocket message in the clear is in it")
        }
        return nil
    }

    /// Hands on the next record; false at the end.
    private mutating func takeRecord(_ packets: PacketMessages) throws(ReadingError) -> Bool {
        func damaged(_ reason: String) -> ReadingError {
            failure ?? .damaged(path: source.name, atByte: byteOffset, reason: reason)
        }
        if try !have(1) {
            if let failure { throw failure }
            return false
        }
        if try !have(PacketFile.recordHeaderLength) { throw damaged("ends inside the header of a packet") }
        let header = unsafe Array(
            UnsafeBufferPointer(start: buffer + start, count: PacketFile.recordHeaderLength))
        let isBig = packets.file.isBigEndian
        let kept = Int(PacketFile.number(header[8..<12], isBigEndian: isBig))
        if kept > PacketFile.packetBytesMax { throw damaged("a packet of \(kept) bytes") }
        let length = PacketFile.recordHeaderLength + kept
        if try !have(length) { throw damaged("ends inside a packet") }
        let packet = unsafe Array(
            UnsafeBufferPointer(start: buffer + start + PacketFile.recordHeaderLength, count: kept))
        packets.take(header, packet, offset: byteOffset)
        start += length
        byteOffset += length
        return true
    }

    /// Whether so many bytes are unread; reads more if there are fewer.
    private mutating func have(_ count: Int) throws(ReadingError) -> Bool {
        while end - start < count && !atEnd { try fill() }
        return end - start >= count
    }

    /// Length of the next line without its newline, nil at the end; -1 if it is too long and was skipped.
    private mutating func lineLength() throws(ReadingError) -> Int? {
        var searched = 0
        while true {
            if let found = unsafe memchr(buffer + start + searched, 0x0A, end - start - searched) {
                return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(buffer + start)
            }
            searched = end - start
            if searched >= CaptureReader.lineBytesMax { return try skipLine() }
            if atEnd {
                if let failure { throw failure }
                return searched == 0 ? nil : searched
            }
            try fill()
            searched = min(searched, end - start)
        }
    }

    /// Makes room after the unread bytes and reads more. A failure is kept until the unread bytes are
    /// consumed.
    private mutating func fill() throws(ReadingError) {
        let unread = end - start
        if start > 0 {
            unsafe memmove(buffer, buffer + start, unread)
            start = 0
            end = unread
        } else if unread == capacity {
            let larger = capacity * 2
            let room: UnsafeMutablePointer<UInt8> = .allocate(capacity: larger + CaptureReader.slack)
            unsafe room.initialize(repeating: 0, count: larger + CaptureReader.slack)
            unsafe memcpy(room, buffer, unread)
            unsafe buffer.deallocate()
            unsafe buffer = unsafe room
            capacity = larger
        }
        do throws(ReadingError) {
            let got = try unsafe source.read(into: buffer + end, count: capacity - end)
            end += got
            if got == 0 { atEnd = true }
        } catch {
            // The rest is half a line, useless without its end.
            failure = error
            atEnd = true
            end = start
        }
    }

    private mutating func skipLine() throws(ReadingError) -> Int {
        while true {
            byteOffset += end - start
            start = 0
            end = 0
            if atEnd { return -1 }
            try fill()
            if let found = unsafe memchr(buffer, 0x0A, end) {
                let length = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(buffer)
                start = length
                byteOffset += length
                return -1
            }
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private mutating func take(_ length: Int) -> CaptureLine {
        lineNumber += 1
        let offset = byteOffset
        let bytes = unsafe UnsafeBufferPointer(start: buffer + start, count: max(length, 0))
        let advance = min(max(length, 0) + 1, end - start)
        start += advance
        byteOffset += advance
        if length < 0 {
            return unsafe CaptureLine(
                number: lineNumber, byteOffset: offset, receivedAtNs: nil,
                message: UnsafeBufferPointer(rebasing: bytes[0..<0]), isTooLong: true)
        }
        let (time, first) = unsafe receiveTime(bytes.span)
        var last = bytes.count
        while last > first, unsafe CaptureReader.isBlank(bytes[last - 1]) { last -= 1 }
        return unsafe CaptureLine(
            number: lineNumber, byteOffset: offset, receivedAtNs: time,
            message: UnsafeBufferPointer(rebasing: bytes[first..<last]), isTooLong: false)
    }
}
