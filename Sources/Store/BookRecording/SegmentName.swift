// The name of a segment: `shard000-00000012-20261129T151305Z.lobrec`. Only files with such a name are closed,
// counted or removed by a recorder; whatever else lies in its folder is somebody's.

import LobRecording

/// What the name of a segment says.
struct SegmentName: Hashable {
    /// Its shard.
    var shard: Int
    /// Its number, the last eight digits of it.
    var number: UInt64

    private static let pattern = Array("shard###-########-########T######Z\(SegmentLayout.suffix)".utf8)

    /// The name of a segment with this header.
    static func text(_ header: SegmentHeader) -> String {
        let shard = String("\(1000 + Int(header.shard))".dropFirst())
        let number = String("\(100_000_000 + header.number % 100_000_000)".dropFirst())
        return "shard\(shard)-\(number)-\(UTCStamp(ns: header.createdAtNs).name)\(SegmentLayout.suffix)"
    }

    /// What the name of a file says; nil if it is not exactly one of a segment.
    ///
    /// - Parameter path: of the file, with or without its folder.
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
