import Glibc
import LobRecording
import Testing

@testable import BookRecording

/// A folder that holds more than a recorder's own closed segments.
@Suite struct RecordingPlaceTests {
    private static let header = SegmentHeader(
        startedAtNs: 1_700_000_000_000_000_000, createdAtNs: 1_700_000_000_000_000_000, number: 7,
        firstSequence: 0, shard: 0, shardCount: 1)

    private static func name(_ number: UInt64) -> String {
        var header = header
        header.number = number
        return SegmentName.text(header)
    }

    /// Prepares a folder for one shard: the number to begin with, and what was reported.
    private static func prepare(_ folder: RecordFolder) throws -> (number: UInt64, events: [String]) {
        var events: [String] = []
        let (_, places) = try RecordingPlace.prepare(folder.path, shardCount: 1) {
            events.append($0.description)
        }
        return (places[0].header.number, events)
    }

    /// Writes a segment that is not closed, with some bytes of a block that was not finished.
    private static func leaveOpen(_ path: String) throws {
        let writer = try SegmentWriter(path: path, header, symbols: [])
        try withExtendedLifetime(writer) { try SegmentFile(appending: path).append([1, 2, 3]) }
    }

    private static func length(_ path: String) throws -> Int { try SegmentFile(reading: path).length }

    @Test func names() {
        let name = SegmentName.text(RecordingPlaceTests.header)
        #expect(name == "shard000-00000007-20231114T221320Z.lobrec")
        #expect(SegmentName("a/b/" + name)?.number == 7 && SegmentName(name)?.shard == 0)
        for other in [
            "", "shard000-copy.lobrec", "shard000-00000007-20231114T221320Z-copy.lobrec", "x" + name,
            "shard000-0000000a-20231114T221320Z.lobrec", "shard###-00000007-20231114T221320Z.lobrec",
            String(name.dropLast()), "shard0000-0000007-20231114T221320Z.lobrec",
        ] { #expect(SegmentName(other) == nil, "\(other)") }
    }

    /// Only an own segment is closed: not a copy under another name, not what a link leads to.
    @Test func onlyOwnSegmentsAreClosed() throws {
        let (folder, elsewhere) = (RecordFolder(), RecordFolder())
        let own = folder.path + "/" + RecordingPlaceTests.name(7)
        let copy = folder.path + "/shard000-copy.lobrec"
        let target = elsewhere.path + "/target.lobrec"
        for path in [own, copy, target] { try RecordingPlaceTests.leaveOpen(path) }
        symlink(target, folder.path + "/" + RecordingPlaceTests.name(8))
        let (number, events) = try RecordingPlaceTests.prepare(folder)
        #expect(try RecordingPlaceTests.length(copy) == 67 && RecordingPlaceTests.length(target) == 67)
        #expect(try SegmentReader(path: own).isClosed && number == 9)
        #expect(events.count == 2 && events[1].contains("left alone"), "\(events)")
    }

    /// Whatever has the name of a segment and is none keeps nobody from recording; a new one is behind it.
    @Test func whatCannotBeReadIsLeftAlone() throws {
        let folder = RecordFolder()
        let paths = (20...23).map { folder.path + "/" + RecordingPlaceTests.name($0) }
        symlink("/nowhere", paths[0])
        mkdir(paths[1], 0o755)
        mkfifo(paths[2], 0o644)
        try SegmentFile(creating: paths[3]).append([UInt8](repeating: 1, count: 100))
        let (number, events) = try RecordingPlaceTests.prepare(folder)
        #expect(number == 24 && events.count == 4 && events.allSatisfy { $0.contains("left alone") })
        rmdir(paths[1])
    }

    /// A file without a whole header has nothing in it, and goes.
    @Test func anEmptySegmentGoes() throws {
        let folder = RecordFolder()
        _ = try SegmentFile(creating: folder.path + "/" + RecordingPlaceTests.name(3))
        let (number, events) = try RecordingPlaceTests.prepare(folder)
        #expect(number == 4 && events.count == 1 && events[0].contains("0 whole blocks"))
        #expect(try RecordingFolder.segments(in: folder.path).isEmpty)
    }
}
