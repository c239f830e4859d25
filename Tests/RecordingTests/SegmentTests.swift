import Glibc
import LobHandoff
import MarketData
import Testing

@testable import LobRecording

private func check(_ bytes: [UInt8], _ polynomial: CRC32.Polynomial) -> UInt32 {
    CRC32.value(of: bytes.span, polynomial)
}

extension [UInt8] {
    /// Overwrites a 32-bit number.
    fileprivate mutating func replace(at offset: Int, little value: UInt32) {
        for index in 0..<4 { self[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
    }
}

@Suite struct SegmentTests {
    @Test func checksOfKnownBytes() {
        let digits = Array("123456789".utf8)
        let (ieee, castagnoli) = (check(digits, .ieee), check(digits, .castagnoli))
        #expect(ieee == 0xCBF4_3926 && castagnoli == 0xE306_9283)
        #expect(check([], .castagnoli) == 0)
    }

    /// Eight bytes a step and one bit a step say the same, in any pieces.
    @Test func checksOfAnyLength() {
        var random = UInt64(7)
        var bytes: [UInt8] = []
        for length in 0..<70 {
            for (polynomial, reflected) in [
                (CRC32.Polynomial.ieee, UInt32(0xEDB8_8320)), (.castagnoli, 0x82F6_3B78),
            ] {
                var naive = UInt32.max
                for byte in bytes {
                    naive ^= UInt32(byte)
                    for _ in 0..<8 { naive = naive & 1 == 0 ? naive >> 1 : naive >> 1 ^ reflected }
                }
                #expect(check(bytes, polynomial) == ~naive)
                var pieces = CRC32(polynomial)
                pieces.add(bytes.span.extracting(first: length / 3))
                pieces.add(bytes.span.extracting(length / 3..<length))
                let inPieces = pieces.value
                #expect(inPieces == ~naive)
            }
            random = random &* 6_364_136_223_846_793_005 &+ 1
            bytes.append(UInt8(truncatingIfNeeded: random >> 33))
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        let folder = try SegmentFolder()
        try SampleSegment.write(folder["s"])
        for usesIndex in [true, false] {
            let reading = SegmentReading(folder["s"], usesIndex: usesIndex)
            #expect(reading.blocks == SampleSegment.blocks && reading.refusal == nil)
            #expect(
                reading.sequences == [40, 41, 42] && reading.damagedBlocks == 0 && reading.damages.isEmpty)
            #expect(reading.gaps == (usesIndex ? [SampleSegment.gap] : []))
        }
        let reader = try SegmentReader(path: folder["s"])
        #expect(reader.header == SampleSegment.header && reader.isClosed && reader.cutBytes == 0)
        #expect(reader.index.symbols == SampleSegment.symbols)
        for (index, entry) in reader.index.blocks.enumerated() {
            #expect((0..<3).allSatisfy { entry.holds($0) == ($0 == index) } && !entry.holds(3))
            #expect(entry.frameCount == 43 && entry.firstAtNs == SampleSegment.blocks[index][0].atNs)
        }
    }

    @Test func partsAreReadAsTheyWereWritten() {
        var index = SegmentIndex(symbols: SampleSegment.symbols)
        index.blocks = [
            .init(
                offset: 64, sequence: 1, firstAtNs: 0, lastAtNs: 1 << 62, frameCount: 3, isBase: true,
                symbols: [5])
        ]
        index.gaps = [SampleSegment.gap, RecordedGap(.diskError, fromNs: 5)]
        #expect(SegmentIndex(index.bytes) == index)
        for count in 0..<index.bytes.count { #expect(SegmentIndex(Array(index.bytes.prefix(count))) == nil) }
        let terms = RecordingTerms(
            market: "usdm", symbols: SampleSegment.symbols, numbers: ["a": -1, "b": 2])
        #expect(RecordingTerms(terms.bytes) == terms)
        #expect(RecordingTerms(terms.bytes + Array("later 1 2\nnothing\n".utf8))?.market == "usdm")
        #expect(RecordingTerms([]) == nil && RecordingTerms(Array("symbol A\n".utf8)) == nil)
        // A cause of a later version is a hole all the same.
        var unknown = SampleSegment.gap.bytes
        unknown[0] = 200
        var cursor = ByteCursor(unknown)
        #expect(RecordedGap(&cursor)?.cause == .unknown)
    }

    @Test func aHoleIsListedOnce() {
        var list = GapList()
        var gap = RecordedGap(.stall, of: [65], fromNs: 10)
        list.add(gap)
        gap.toNs = 20
        list.add(gap)
        // The beginning again, as a later segment repeats it.
        list.add(RecordedGap(.stall, of: [65], fromNs: 10))
        list.add(RecordedGap(.stall, of: [66], fromNs: 10))
        #expect(list.gaps == [gap, RecordedGap(.stall, of: [66], fromNs: 10)])
    }

    @Test func otherFilesAreRefused() throws {
        let folder = try SegmentFolder()
        try SampleSegment.write(folder["s"])
        let whole = try folder.bytes("s")
        #expect(throws: SegmentError.disk(DiskError(path: folder["-"], errno: ENOENT))) {
            _ = try SegmentReader(path: folder["-"])
        }
        #expect(throws: SegmentError.disk(DiskError(path: folder.path, errno: EISDIR))) {
            _ = try SegmentReader(path: folder.path)
        }
        // A pipe is refused without opening it, which would wait for its writer.
        try #require(mkfifo(folder["pipe"], 0o600) == 0)
        #expect(throws: SegmentError.disk(DiskError(path: folder["pipe"], errno: DiskError.notRegular))) {
            _ = try SegmentReader(path: folder["pipe"])
        }
        for bytes in [[], Array("LOBFRAME".utf8), Array(whole.prefix(63)), [UInt8](repeating: 0, count: 64)] {
            try folder.write("x", bytes)
            #expect(throws: SegmentError.damagedHeader(path: folder["x"])) {
                _ = try SegmentReader(path: folder["x"])
            }
            #expect(SegmentReader.isMeant(folder["x"]))
        }
        // Under another name only the first bytes can tell.
        let other = folder.path + "/text"
        for (bytes, isMeant) in [(Array("{}".utf8), false), (Array("LOBSEGMT".utf8), true)] {
            try SegmentFile(creating: other).append(bytes)
            #expect(SegmentReader.isMeant(other) == isMeant)
            #expect(throws: isMeant ? SegmentError.damagedHeader(path: other) : .notASegment(path: other)) {
                _ = try SegmentReader(path: other)
            }
            unlink(other)
        }
        // A later version, with the check that belongs to it.
        var later = whole
        later.replace(at: 8, little: 2)
        later.replace(at: 60, little: check(Array(later.prefix(60)), .castagnoli))
        try folder.write("x", later)
        #expect(throws: SegmentError.unknownVersion(path: folder["x"], version: 2)) {
            _ = try SegmentReader(path: folder["x"])
        }
        #expect(throws: DiskError(path: folder["s"], errno: EEXIST)) {
            _ = try SegmentFile(creating: folder["s"])
        }
    }

    /// No length is believed before it is bounded.
    @Test func absurdLengthsAreRefused() {
        let good = BlockHeader(
            kindNumber: 1, packing: 1, sequence: 1, firstAtNs: 0, lastAtNs: 0, frameCount: 1, rawLength: 100,
            storedLength: 10)
        let bytes = good.block([])
        #expect(BlockHeader(bytes)?.storedLength == 10)
        for (offset, value) in [
            (32, UInt32(101)), (36, UInt32(SegmentLayout.blockBytesMax) + 1),
            (40, UInt32(SegmentLayout.storedBytesMax) + 1), (40, .max), (36, .max),
        ] {
            var wrong = bytes
            wrong.replace(at: offset, little: value)
            #expect(BlockHeader(wrong) == nil, "\(offset): \(value)")
        }
        #expect(BlockHeader(Array(bytes.prefix(47))) == nil)
        let packer = ZstdBlock()
        let packed = packer?.pack([UInt8](repeating: 7, count: 1000)) ?? []
        #expect(packer?.unpack(packed, length: 1000)?.count == 1000)
        for length in [-1, 0, 999, 1001, .max] { #expect(packer?.unpack(packed, length: length) == nil) }
        // Frames that end beyond the block.
        for raw in [[UInt8](repeating: 0, count: 15), [1] + [UInt8](repeating: 0, count: 15)] {
            #expect(FrameBlock.forEach(in: raw) { _ in true } == nil)
        }
        #expect(FrameBlock.forEach(in: []) { _ in true } == 0)
    }

    /// Cut at 200 places: every whole block is there, and nothing else is.
    @Test func truncatedAnywhere() throws {
        let folder = try SegmentFolder()
        try SampleSegment.write(folder["s"])
        let whole = try folder.bytes("s")
        let ends = try SegmentReader(path: folder["s"]).index.blocks.map(\.offset).dropFirst().map(Int.init)
        var silent = 0
        for place in 0..<200 {
            let count = place * whole.count / 200
            try folder.write("cut", Array(whole.prefix(count)))
            let reading = SegmentReading(folder["cut"])
            #expect(reading.isPartOfSample, "cut at \(count)")
            #expect(reading.blocks.count >= ends.count { $0 <= count }, "cut at \(count)")
            if !reading.isComplaining { silent += 1 }
            if reading.refusal != nil { continue }
            let packer = try #require(ZstdBlock())
            let repair = try SegmentWriter.repair(path: folder["cut"], packer)
            let mended = SegmentReading(folder["cut"])
            #expect(repair?.blockCount == reading.blocks.count && repair?.cutBytes == reading.cutBytes)
            #expect(mended.blocks == reading.blocks && !mended.isComplaining, "cut at \(count)")
            #expect(mended.gaps == (mended.blocks.isEmpty ? [] : [SampleSegment.gap]))
            #expect(try SegmentWriter.repair(path: folder["cut"], packer) == nil)
        }
        #expect(silent == 0)
    }

    /// 2,000 flipped bits: each is found, or changes nothing of what is read.
    @Test func flippedBits() throws {
        let folder = try SegmentFolder()
        try SampleSegment.write(folder["s"])
        let whole = try folder.bytes("s")
        let good = SegmentReading(folder["s"])
        var random = UInt64(11)
        var (found, harmless) = (0, 0)
        for _ in 0..<2000 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bit = Int(random >> 20) % (whole.count * 8)
            var flipped = whole
            flipped[bit / 8] ^= 1 << UInt8(bit % 8)
            try folder.write("flip", flipped)
            let reading = SegmentReading(folder["flip"])
            #expect(reading.isPartOfSample, "bit \(bit)")
            if reading.isComplaining {
                found += 1
            } else {
                #expect(reading == good, "bit \(bit) changed something without a word")
                harmless += 1
            }
        }
        #expect(found + harmless == 2000 && harmless == 0, "\(found) found, \(harmless) harmless")
    }

    /// A segment of version 1 as it was written when there was no other: it is read for ever.
    @Test func goldenFileOfVersion1() throws {
        let folder = try SegmentFolder()
        try folder.write("golden", GoldenSegment.version1)
        let reading = SegmentReading(folder["golden"])
        #expect(reading.blocks == SampleSegment.blocks && !reading.isComplaining)
        #expect(reading.gaps == [SampleSegment.gap])
        #expect(try SegmentReader(path: folder["golden"]).header == SampleSegment.header)
    }
}
