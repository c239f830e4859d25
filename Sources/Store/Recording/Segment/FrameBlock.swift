// The frames of a block: collected, or read one by one.
//
// SAFETY: the bytes of an added frame are read during the call; those of a delivered frame lie inside the
// array, with `readableAfter` more bytes after the last one, and are valid during the call.

import LobHandoff

/// A frame of a recording. Valid only during the call it is passed to.
@safe
package struct RecordedFrame {
    /// Number of its kind: a `FrameKind`, a `RecordKind`, or one that is skipped.
    package let kindNumber: UInt8
    /// Its source.
    package let source: UInt16
    /// When it was received.
    package let receivedAtNs: Int64
    /// Its body.
    package let bytes: UnsafeBufferPointer<UInt8>

    /// The same for an engine; nil if it is not a frame of a feed.
    package var frame: Frame? {
        guard let kind = FrameKind(rawValue: kindNumber) else { return nil }
        return unsafe Frame(
            kind: kind, source: source, receivedAtNs: receivedAtNs, bytes: bytes,
            readableAfter: FrameBlock.readableAfter)
    }

    /// The same for a recording; nil if it is a frame of a feed.
    package var record: RecordKind? { RecordKind(rawValue: kindNumber) }

    /// A copy of its body.
    package var body: [UInt8] { unsafe Array(bytes) }
}

/// Frames to become a block.
package struct FrameBlock: Sendable {
    /// Bytes that may be read after a body.
    static let readableAfter = 128

    /// The frames in bytes.
    package private(set) var raw: [UInt8] = []
    /// Number of frames.
    package private(set) var frameCount = 0
    /// Time of the first frame; 0 if there is none.
    package private(set) var firstAtNs: Int64 = 0
    /// Time of the last frame.
    package private(set) var lastAtNs: Int64 = 0
    /// Whether it starts with a base; see `SegmentIndex.Entry`.
    package let isBase: Bool
    /// A bit for each symbol that occurs in the frames.
    package private(set) var symbols: [UInt8]
    private let bytesMax: Int

    /// An empty block.
    ///
    /// - Parameters:
    ///   - symbolCount: number of symbols in the recording.
    ///   - isBase: whether it starts with a base.
    ///   - bytesMax: length at which it is full.
    package init(symbolCount: Int, isBase: Bool = false, bytesMax: Int = SegmentLayout.blockBytes) {
        (self.isBase, self.bytesMax) = (isBase, bytesMax)
        symbols = [UInt8](repeating: 0, count: SegmentIndex.bitmapLength(symbolCount))
    }

    /// Whether a frame with a body of this length must start a new block.
    package func isFull(for bodyLength: Int) -> Bool {
        frameCount > 0
            && raw.count + SegmentLayout.frameHeaderLength + bodyLength > bytesMax
    }

    /// Whether a body is too long for any block.
    package static func isTooLong(_ bodyLength: Int) -> Bool {
        bodyLength > SegmentLayout.blockBytesMax - SegmentLayout.frameHeaderLength
    }

    /// Adds a frame of a feed; check `isFull` and `isTooLong` first.
    package mutating func add(_ frame: Frame) {
        addHeader(unsafe frame.bytes.count, frame.source, frame.kind.rawValue, frame.receivedAtNs)
        unsafe raw.append(contentsOf: frame.bytes)
    }

    /// Adds a frame of the recorder; likewise.
    ///
    /// - Parameters:
    ///   - kind: its kind.
    ///   - atNs: its time.
    ///   - body: its body.
    package mutating func add(_ kind: RecordKind, atNs: Int64, _ body: [UInt8]) {
        add(kind.rawValue, source: 0, atNs: atNs, body)
    }

    /// Adds a frame of any kind, even one unknown to this build.
    mutating func add(_ kindNumber: UInt8, source: UInt16, atNs: Int64, _ body: [UInt8]) {
        addHeader(body.count, source, kindNumber, atNs)
        raw += body
    }

    /// Marks that a symbol occurs in the frames.
    package mutating func note(symbol: Int) {
        if symbol >> 3 < symbols.count { symbols[symbol >> 3] |= 1 << UInt8(symbol & 7) }
    }

    private mutating func addHeader(_ length: Int, _ source: UInt16, _ kind: UInt8, _ atNs: Int64) {
        if frameCount == 0 { firstAtNs = atNs }
        lastAtNs = atNs
        frameCount += 1
        raw.append(little: UInt32(length))
        raw.append(little: source)
        raw.append(kind)
        raw.append(0)
        raw.append(little: atNs)
    }

    /// Delivers the frames of a decompressed block, unknown kinds included.
    ///
    /// - Parameters:
    ///   - raw: the decompressed block.
    ///   - body: returns false to stop.
    /// - Returns: number of frames delivered; nil if the bytes do not end with a frame, or a time is
    ///   impossible.
    package static func forEach(in raw: [UInt8], _ body: (RecordedFrame) -> Bool) -> Int? {
        var cursor = FrameCursor(raw)
        var count = 0
        while !cursor.isAtEnd {
            var goesOn = true
            if !cursor.next({ goesOn = body($0) }) { return nil }
            count += 1
            if !goesOn { return count }
        }
        return count
    }
}

/// A place between the frames of an unpacked block.
package struct FrameCursor {
    private let padded: [UInt8]
    private let end: Int
    private var offset = 0

    /// The place before the first frame.
    ///
    /// - Parameter raw: the unpacked block.
    package init(_ raw: [UInt8]) {
        self.init(padded: raw + [UInt8](repeating: 0, count: FrameBlock.readableAfter))
    }

    /// The same.
    ///
    /// - Parameter padded: the unpacked block, and as many zeros as may be read after a body.
    init(padded: [UInt8]) {
        self.padded = padded
        end = padded.count - FrameBlock.readableAfter
    }

    /// Whether no bytes are left.
    package var isAtEnd: Bool { offset >= end }

    /// Time of the next frame; nil if there is none.
    package var nextAtNs: Int64? {
        var time: Int64?
        _ = look { frame in time = frame.receivedAtNs }
        return time
    }

    /// Hands out the next frame.
    ///
    /// - Returns: false if the bytes are no frame, or one with a time that cannot be.
    package mutating func next(_ body: (RecordedFrame) -> Void) -> Bool {
        guard let length = look(body) else { return false }
        offset += length
        return true
    }

    private func look(_ body: (RecordedFrame) -> Void) -> Int? {
        if end - offset < SegmentLayout.frameHeaderLength { return nil }
        return unsafe padded.withUnsafeBufferPointer { bytes in
            let header = unsafe UnsafeRawPointer(bytes.baseAddress! + offset)
            let length = unsafe Int(
                UInt32(littleEndian: header.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
            let begin = offset + SegmentLayout.frameHeaderLength
            if length > end - begin { return nil }
            let frame = unsafe RecordedFrame(
                kindNumber: header.load(fromByteOffset: 6, as: UInt8.self),
                source: UInt16(littleEndian: header.loadUnaligned(fromByteOffset: 4, as: UInt16.self)),
                receivedAtNs: Int64(
                    littleEndian: header.loadUnaligned(fromByteOffset: 8, as: Int64.self)),
                bytes: UnsafeBufferPointer(rebasing: bytes[begin..<(begin + length)]))
            if !SegmentLayout.timesNs.contains(frame.receivedAtNs) { return nil }
            body(frame)
            return SegmentLayout.frameHeaderLength + length
        }
    }
}

extension FrameBlock {
    /// The block as it is written.
    ///
    /// - Parameters:
    ///   - sequence: its number.
    ///   - packer: compresses it; if that does not shorten it, it is stored uncompressed.
    package func sealed(sequence: UInt64, _ packer: ZstdBlock) -> [UInt8] {
        let packed = packer.pack(raw).flatMap { $0.count < raw.count ? $0 : nil }
        return BlockHeader(
            kindNumber: BlockHeader.Kind.frames.rawValue, packing: packed == nil ? 0 : 1, sequence: sequence,
            firstAtNs: firstAtNs, lastAtNs: lastAtNs, frameCount: frameCount, rawLength: raw.count,
            storedLength: (packed ?? raw).count, isBase: isBase
        ).block(packed ?? raw)
    }
}
