import Glibc
import Testing

@testable import LobRecording

/// How segments come to be there, and what it costs to read one that was made to be read for ever.
@Suite struct SegmentFileTests {
    /// Nobody ever finds a segment without its header.
    @Test func aSegmentHasNoNameBeforeItsHeader() throws {
        let folder = try SegmentFolder()
        var seen: [[String]] = []
        _ = try SegmentWriter(path: folder["s"], SampleSegment.header, symbols: []) {
            seen.append((try? RecordingFolder.segments(in: folder.path)) ?? ["?"])
        }
        #expect(seen == [[]])
        #expect(try SegmentReader(path: folder["s"]).header == SampleSegment.header)
        #expect(try RecordingFolder.files(in: folder.path, suffix: SegmentLayout.hiddenSuffix).isEmpty)
        // What is there stays, and what could not be begun leaves nothing.
        #expect(throws: DiskError(path: folder["s"], errno: EEXIST)) {
            _ = try SegmentWriter(path: folder["s"], SampleSegment.header, symbols: [])
        }
        #expect(throws: DiskError.self) {
            _ = try SegmentWriter(path: folder["t"], SampleSegment.header, symbols: []) {
                () throws(DiskError) in throw DiskError(path: "t", errno: ENOSPC)
            }
        }
        #expect(
            try RecordingFolder.files(in: folder.path, suffix: "").filter {
                !$0.hasSuffix("/.") && !$0.hasSuffix("/..")
            } == [folder["s"]])
    }

    /// A folder that is new has its name on the disk; one that is there needs nothing.
    @Test func theNameOfANewFolderIsSynced() throws {
        let folder = try SegmentFolder()
        for (path, parent) in [("/a", folder.path + "/"), ("/b///", folder.path + "/")] {
            var synced: [String] = []
            for _ in 0..<2 { try RecordingFolder.make(folder.path + path) { synced.append($0) } }
            #expect(synced == [parent])
            rmdir(folder.path + path)
        }
    }

    /// Marks of blocks that are none, each with a length to be checked: the file is read a few times, not
    /// once for each mark.
    @Test(arguments: [48, 4]) func aFileOfMarksIsReadInLinearTime(_ distance: Int) throws {
        let folder = try SegmentFolder()
        var bytes = SampleSegment.header.bytes
        let length = 1 << 19
        while bytes.count < length {
            let left = length - bytes.count
            let header = BlockHeader(
                kindNumber: 1, packing: 0, sequence: 1, firstAtNs: 0, lastAtNs: 0, frameCount: 0,
                rawLength: 1 << 20, storedLength: left / 2)
            bytes += header.block([]).prefix(distance)
        }
        try folder.write("s", bytes)
        let reader = try SegmentReader(path: folder["s"])
        #expect(reader.index.blocks.isEmpty && reader.damages.count == 1)
        #expect(reader.damages[0].offset + reader.damages[0].length == bytes.count)
        #expect(reader.file.readBytes < 8 << 20, "\(reader.file.readBytes) bytes")
    }

    /// Ending gaps costs what is open, not what has been.
    @Test func endedGapsAreNotLookedAtAgain() {
        var list = GapList()
        for number in Int64(0)..<1000 { list.add(RecordedGap(.stall, of: [1], fromNs: number)) }
        list.endAll(atNs: 5000)
        var (late, early) = (
            RecordedGap(.stall, of: [1], fromNs: 7), RecordedGap(.resync, of: [1], fromNs: 7)
        )
        late.toNs = 9000
        early.toNs = 8
        list.add(late)
        list.add(early)
        list.add(RecordedGap(.stall, of: [2], fromNs: 7))
        list.endAll(atNs: 10_000)
        #expect(list.gaps.count == 1002 && list.gaps.allSatisfy { $0.toNs > 0 })
        #expect(list.gaps[7].toNs == 9000 && list.gaps[8].toNs == 5000 && list.gaps[1001].toNs == 10_000)
    }
}
