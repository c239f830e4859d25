// The first bytes of a segment; `SegmentLayout` defines the fields.

import MarketData

/// The header of a segment.
package struct SegmentHeader: Hashable, Sendable {
    /// When its recording began, in nanoseconds since 1970; with the shard it identifies the recording.
    package var startedAtNs: Int64
    /// When the segment began.
    package var createdAtNs: Int64
    /// Its number in the folder, from 1.
    package var number: UInt64
    /// Sequence number of its first block.
    package var firstSequence: UInt64
    /// Number of the shard, from 0.
    package var shard: UInt16
    /// Number of shards.
    package var shardCount: UInt16
    /// Length of the header; the first block follows.
    package var length = SegmentLayout.headerLength

    /// A header with these values.
    ///
    /// - Parameters:
    ///   - startedAtNs: when the recording began.
    ///   - createdAtNs: when the segment began.
    ///   - number: number of the segment.
    ///   - firstSequence: sequence number of its first block.
    ///   - shard: number of the shard.
    ///   - shardCount: number of shards.
    package init(
        startedAtNs: Int64, createdAtNs: Int64, number: UInt64, firstSequence: UInt64, shard: UInt16,
        shardCount: UInt16
    ) {
        (self.startedAtNs, self.createdAtNs, self.number) = (startedAtNs, createdAtNs, number)
        (self.firstSequence, self.shard, self.shardCount) = (firstSequence, shard, shardCount)
    }

    /// The header in bytes.
    package var bytes: [UInt8] {
        var bytes = SegmentLayout.magic
        bytes.append(little: SegmentLayout.version)
        bytes.append(little: UInt32(SegmentLayout.headerLength))
        bytes.append(little: startedAtNs)
        bytes.append(little: createdAtNs)
        bytes.append(little: number)
        bytes.append(little: firstSequence)
        bytes.append(little: shard)
        bytes.append(little: shardCount)
        bytes.append(little: UInt64(0))
        bytes.append(little: CRC32.value(of: bytes.span, .castagnoli))
        return bytes
    }

    /// Why a file does not start with a header.
    package enum Refusal: Error, Hashable, Sendable {
        /// Something else, too short, or damaged.
        case notASegment
        /// A version unknown to this build.
        case unknownVersion(UInt32)
    }

    /// Parses the header at the front of these bytes.
    package init(_ bytes: [UInt8]) throws(Refusal) {
        guard bytes.count >= SegmentLayout.headerLength, bytes.starts(with: SegmentLayout.magic) else {
            throw .notASegment
        }
        var cursor = ByteCursor(bytes, at: 8)
        guard let version = cursor.next(UInt32.self) else { throw .notASegment }
        // A damaged version number is not an unknown version.
        guard CRC32.value(of: bytes.span.extracting(first: 60), .castagnoli) == SegmentHeader.check(bytes)
        else {
            throw .notASegment
        }
        if version != SegmentLayout.version { throw .unknownVersion(version) }
        guard let length = cursor.next(UInt32.self).map(Int.init),
            (SegmentLayout.headerLength...SegmentLayout.headerLengthMax).contains(length),
            let startedAtNs = cursor.next(Int64.self), let createdAtNs = cursor.next(Int64.self),
            let number = cursor.next(UInt64.self), let firstSequence = cursor.next(UInt64.self),
            let shard = cursor.next(UInt16.self), let shardCount = cursor.next(UInt16.self),
            number <= SegmentLayout.numberMax, firstSequence <= SegmentLayout.numberMax,
            SegmentLayout.timesNs.contains(startedAtNs), SegmentLayout.timesNs.contains(createdAtNs)
        else { throw .notASegment }
        self.init(
            startedAtNs: startedAtNs, createdAtNs: createdAtNs, number: number, firstSequence: firstSequence,
            shard: shard, shardCount: shardCount)
        self.length = length
    }

    private static func check(_ bytes: [UInt8]) -> UInt32? {
        var cursor = ByteCursor(bytes, at: 60)
        return cursor.next()
    }

    /// Whether these bytes start a segment of any version.
    static func begins(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: SegmentLayout.magic) }
}
