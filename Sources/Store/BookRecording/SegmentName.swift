// The name of a segment: `shard000-00000012-20261129T151305Z.lobrec`. A recorder closes, counts and removes
// only files named like this; anything else in its folder is left alone.

import LobRecording

/// The parts of a segment's name.
struct SegmentName: Hashable {
    /// Its shard.
    var shard: Int
    /// The last eight digits of its number.
    var number: UInt64

    private static let pattern = Array("shard###-########-########T######Z\(SegmentLayout.suffix)".utf8)

    /// The name of a segment with this header.
    static func text(_ header: SegmentHeader) -> String {
        let shard = String("\(1000 + Int(header.shard))".dropFirst())
        let number = String("\(100_000_000 + header.number % 100_000_000)".dropFirst())
        return "shard\(shard)-\(number)-\(UTCStamp(ns: header.createdAtNs).name)\(SegmentLayout.suffix)"
    }

    /// Parses a file name; nil if it is not exactly a segment's.
    ///
    /// - Parameter path: the file, with or without its folder.
    init?(_ path: String) {
        let name = Array(path.utf8.split(separator: 0x2F).last ?? [])
        guard name.count == SegmentName.pattern.count else { return nil }
        var digits: [UInt64] = []
        for (byte, wanted) in zip(name, SegmentName.pattern) {
            if wanted != 0x23 {
                if byte != wanted { return nil }
                continue
            }
            guard (0x30...0x39).contains(byte) else { return nil }
            digits.append(UInt64(byte - 0x30))
        }
        func value(_ part: ArraySlice<UInt64>) -> UInt64 { part.reduce(0) { 10 * $0 + $1 } }
        (shard, number) = (Int(value(digits[..<3])), value(digits[3..<11]))
    }
}
