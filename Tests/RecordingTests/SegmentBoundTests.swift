import LobHandoff
import Testing

@testable import LobRecording

/// Numbers and times that nobody writes and anybody may forge: counting on and subtracting never overflow.
@Suite struct SegmentBoundTests {
    private static let times: [Int64] = [.min, -1, SegmentLayout.timesNs.upperBound + 1, .max]
    private static let numbers: [UInt64] = [SegmentLayout.numberMax + 1, .max]

    @Test func headersOfSegments() throws {
        #expect(try SegmentHeader(SampleSegment.header.bytes) == SampleSegment.header)
        func expectRefused(_ change: (inout SegmentHeader) -> Void) {
            var header = SampleSegment.header
            change(&header)
            #expect(throws: SegmentHeader.Refusal.notASegment) { _ = try SegmentHeader(header.bytes) }
        }
        for ns in SegmentBoundTests.times {
            expectRefused { $0.startedAtNs = ns }
            expectRefused { $0.createdAtNs = ns }
        }
        for number in SegmentBoundTests.numbers {
            expectRefused { $0.number = number }
            expectRefused { $0.firstSequence = number }
        }
    }

    @Test func headersOfBlocks() {
        func header(_ sequence: UInt64, _ firstAtNs: Int64, _ lastAtNs: Int64) -> BlockHeader? {
            let header = BlockHeader(
                kindNumber: 1, packing: 0, sequence: sequence, firstAtNs: firstAtNs, lastAtNs: lastAtNs,
                frameCount: 0, rawLength: 0, storedLength: 0)
            return BlockHeader(header.block([]))
        }
        #expect(header(SegmentLayout.numberMax, 0, SegmentLayout.timesNs.upperBound) != nil)
        for number in SegmentBoundTests.numbers { #expect(header(number, 1, 1) == nil) }
        for ns in SegmentBoundTests.times { #expect(header(1, ns, 1) == nil && header(1, 1, ns) == nil) }
    }

    @Test func gapsIndexesAndFrames() {
        func gap(_ fromNs: Int64, _ toNs: Int64) -> RecordedGap {
            var gap = RecordedGap(.stall, fromNs: fromNs)
            gap.toNs = toNs
            return gap
        }
        func isRead(_ gap: RecordedGap) -> Bool {
            var cursor = ByteCursor(gap.bytes)
            return RecordedGap(&cursor) == gap
        }
        func isRead(_ entry: SegmentIndex.Entry) -> Bool {
            var index = SegmentIndex()
            index.blocks = [entry]
            return SegmentIndex(index.bytes) == index
        }
        func entry(_ sequence: UInt64, _ firstAtNs: Int64, _ lastAtNs: Int64) -> SegmentIndex.Entry {
            SegmentIndex.Entry(
                offset: 64, sequence: sequence, firstAtNs: firstAtNs, lastAtNs: lastAtNs, frameCount: 1,
                isBase: true, symbols: [])
        }
        func frames(_ atNs: Int64) -> Int? {
            var block = FrameBlock(symbolCount: 0)
            block.add(plain: PlainFrame(kind: 250, source: 1, atNs: atNs, body: [1]))
            return FrameBlock.forEach(in: block.raw) { _ in true }
        }
        #expect(isRead(gap(0, 7)) && isRead(entry(1, 2, 3)) && frames(5) == 1)
        for ns in SegmentBoundTests.times {
            #expect(!isRead(gap(ns, 7)) && !isRead(gap(7, ns)) && frames(ns) == nil)
            #expect(!isRead(entry(1, ns, 3)) && !isRead(entry(1, 2, ns)))
        }
        for number in SegmentBoundTests.numbers { #expect(!isRead(entry(number, 2, 3))) }
    }
}
