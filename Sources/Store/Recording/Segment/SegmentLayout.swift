// The layout of a segment of a recording, version 1. Little endian, no padding.
//
//     segment   header, blocks, then an index block and a trailer if it was closed
//
//     header    64 bytes
//        0  "LOBSEGMT"
//        8  u32 version (1)               12  u32 length of the header
//       16  i64 when the recording began  24  i64 when the segment began, both ns since 1970
//       32  u64 number of the segment     40  u64 sequence number of its first block
//       48  u16 shard                     50  u16 number of shards
//       52  u64 zero                      60  u32 CRC-32C of bytes 0 ..< 60
//
//     block     48 bytes, then the stored bytes
//        0  "LBLK"                         4  u8 kind: 1 frames, 2 index
//        5  u8 packing: 0 none, 1 zstd
//        6  u8 1: a base begins it         7  u8 zero
//        8  u64 sequence number           16  i64 time of the first frame   24  i64 of the last
//       32  u32 frames                    36  u32 length unpacked           40  u32 length stored
//       44  u32 CRC-32C of bytes 0 ..< 44 and of the stored bytes
//
//     frame     16 bytes, then the body: u32 length, u16 source, u8 kind, u8 zero, i64 receivedAtNs
//
//     trailer   16 bytes: u64 offset of the index block, "LEND", u32 CRC-32C of bytes 0 ..< 12
//
// Compatibility: a reader rejects unknown versions. Within a version only things that old readers skip are
// added: kinds of frames, kinds of blocks, and fields after the known ones of the header, whose length says
// where they end. The number of a kind is never reused.
//
// A block is written by one call and is complete or absent: its CRC covers header and bytes. Its number
// counts every block ever filled, written or not: a missing number is a gap, listed or not.
//
// Every length, number and time is bounded here before it is trusted.

/// Lengths, markers and bounds of a segment.
package enum SegmentLayout {
    static let magic = Array("LOBSEGMT".utf8)
    /// The version written.
    package static let version: UInt32 = 1
    /// Length of a header as written.
    package static let headerLength = 64
    static let headerLengthMax = 4096
    static let blockMagic = Array("LBLK".utf8)
    /// Bytes before the stored bytes of a block.
    package static let blockHeaderLength = 48
    static let frameHeaderLength = 16
    static let trailerMagic = Array("LEND".utf8)
    /// Bytes of the trailer.
    package static let trailerLength = 16
    /// A block is closed before it grows beyond this; only a single longer frame gets a longer block of its
    /// own.
    package static let blockBytes = 1 << 18
    /// Largest uncompressed block, and so the largest frame.
    package static let blockBytesMax = 1 << 24
    /// Largest stored block.
    package static let storedBytesMax = blockBytesMax + (1 << 17)
    /// Highest number of a segment or block: one more can always be counted.
    package static let numberMax: UInt64 = 1 << 62
    /// Times of segments, blocks, frames and gaps: a hundred years from 1970, so that the difference of any
    /// two is a time as well.
    package static let timesNs: ClosedRange<Int64> = 0...(1 << 62)
    /// Suffix of segment names.
    package static let suffix = ".lobrec"
    /// Suffix of a segment's name until its header is on the disk.
    package static let hiddenSuffix = ".new"
}
