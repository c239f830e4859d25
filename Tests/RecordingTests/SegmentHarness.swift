import Glibc
import LobHandoff
import Testing

@testable import LobRecording

/// A frame as a value.
struct PlainFrame: Hashable {
    var kind: UInt8
    var source: UInt16
    var atNs: Int64
    var body: [UInt8]
}

/// A folder for one test; it goes with everything in it.
final class SegmentFolder {
    let path: String

    init() throws {
        var template = Array("/tmp/lob-segment-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        guard let folder = opendir(path) else { return }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            unlink(path + "/" + name)
        }
        closedir(folder)
        rmdir(path)
    }

    subscript(name: String) -> String { path + "/" + name + ".lobrec" }

    /// Writes a file as it is, over one that may be there.
    func write(_ name: String, _ bytes: [UInt8]) throws {
        unlink(self[name])
        try SegmentFile(creating: self[name]).append(bytes)
    }

    func bytes(_ name: String) throws -> [UInt8] {
        let file = try SegmentFile(reading: self[name])
        return try file.read(at: 0, count: file.length)
    }
}

/// A small segment of three blocks, with every kind of frame of a recording in it.
enum SampleSegment {
    static let symbols = ["BTCUSDT", "ETHUSDT", "币安人生USDT"].map { Array($0.utf8) }
    static let header = SegmentHeader(
        startedAtNs: 1_700_000_000_000_000_000, createdAtNs: 1_700_000_000_000_000_001, number: 7,
        firstSequence: 40, shard: 1, shardCount: 3)

    static let gap: RecordedGap = {
        var gap = RecordedGap(.resync, of: symbols[1], fromNs: 1_700_000_000_500_000_000, idBefore: 41)
        (gap.toNs, gap.idAfter, gap.detail) = (1_700_000_001_000_000_000, 44, Array("gap".utf8))
        return gap
    }()

    /// The frames of each block.
    static let blocks: [[PlainFrame]] = (0..<3).map { block in
        let atNs = header.startedAtNs + Int64(block) * 1_000_000_000
        var frames = [
            PlainFrame(
                kind: 128, source: 0, atNs: atNs,
                body: RecordingTerms(market: "spot", symbols: symbols, numbers: ["depth": 5]).bytes)
        ]
        for index in 0..<40 {
            let text = "{\"e\":\"depthUpdate\",\"u\":\(1000 * block + index)}"
            frames.append(PlainFrame(kind: 3, source: 9, atNs: atNs + Int64(index), body: Array(text.utf8)))
        }
        // A kind that no version knows, and one of a recording.
        frames.append(PlainFrame(kind: 250, source: 1, atNs: atNs + 50, body: [1, 2, 3]))
        frames.append(PlainFrame(kind: 132, source: 0, atNs: atNs + 51, body: gap.bytes))
        return frames
    }

    static func block(_ frames: [PlainFrame]) -> FrameBlock {
        var block = FrameBlock(symbolCount: symbols.count)
        for frame in frames { block.add(plain: frame) }
        return block
    }

    /// Writes the segment.
    static func write(_ path: String, isClosed: Bool = true) throws {
        let packer = try #require(ZstdBlock())
        let writer = try SegmentWriter(path: path, header, symbols: symbols)
        for (index, frames) in blocks.enumerated() {
            var block = block(frames)
            block.note(symbol: index)
            let sequence = header.firstSequence + UInt64(index)
            try writer.append(block, block.sealed(sequence: sequence, packer), sequence: sequence)
        }
        if isClosed { try writer.close(gaps: [gap], packer) }
    }
}

extension FrameBlock {
    /// Adds a frame of any kind.
    mutating func add(plain frame: PlainFrame) {
        frame.body.withUnsafeBufferPointer { bytes in
            if let kind = FrameKind(rawValue: frame.kind) {
                add(Frame(kind: kind, source: frame.source, receivedAtNs: frame.atNs, bytes: bytes))
            } else {
                add(frame.kind, source: frame.source, atNs: frame.atNs, frame.body)
            }
        }
    }
}

/// Everything that a segment tells, or why it tells nothing.
struct SegmentReading: Equatable {
    var refusal: SegmentError?
    var blocks: [[PlainFrame]] = []
    var sequences: [UInt64] = []
    /// Blocks that the index or their headers promise, and that are damaged.
    var damagedBlocks = 0
    var damages: [SegmentReader.Damage] = []
    var cutBytes = 0
    var gaps: [RecordedGap] = []
    var isClosed = false

    init(_ path: String, usesIndex: Bool = true) {
        do throws(SegmentError) {
            let reader = try SegmentReader(path: path, usesIndex: usesIndex)
            (damages, cutBytes, isClosed) = (reader.damages, reader.cutBytes, reader.isClosed)
            gaps = reader.index.gaps
            for entry in reader.index.blocks {
                guard let (header, raw) = try reader.block(at: Int(entry.offset)) else {
                    damagedBlocks += 1
                    continue
                }
                var frames: [PlainFrame] = []
                let count = FrameBlock.forEach(in: raw) { frame in
                    frames.append(
                        PlainFrame(
                            kind: frame.kindNumber, source: frame.source, atNs: frame.receivedAtNs,
                            body: frame.body))
                    return true
                }
                if count != header.frameCount { damagedBlocks += 1 }
                blocks.append(frames)
                sequences.append(header.sequence)
            }
        } catch {
            refusal = error
        }
    }

    /// Whether something is said to be wrong with it.
    var isComplaining: Bool {
        refusal != nil || damagedBlocks > 0 || !damages.isEmpty || cutBytes > 0 || !isClosed
    }

    /// Whether every block it tells is one of the sample's, in order.
    var isPartOfSample: Bool {
        var next = SampleSegment.blocks.startIndex
        for (frames, sequence) in zip(blocks, sequences) {
            guard let place = SampleSegment.blocks[next...].firstIndex(of: frames),
                sequence == SampleSegment.header.firstSequence + UInt64(place)
            else { return false }
            next = place + 1
        }
        return true
    }
}
