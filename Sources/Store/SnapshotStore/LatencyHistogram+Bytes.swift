// A day's lags in bytes: i64 sum · i64 longest, -1 for none · for each non-empty bucket its number as u8 and
// its count in seven bits a byte.

import LobMetrics
import LobRecording

extension LatencyHistogram {
    /// The histogram in bytes.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: sumNs)
        bytes.append(little: worstNs ?? -1)
        for (index, count) in buckets.enumerated() where count > 0 {
            bytes.append(UInt8(clamping: index))
            bytes.append(varying: UInt64(count))
        }
        return bytes
    }

    /// Parses a histogram; nil if invalid.
    init?(bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard let sumNs = cursor.next(Int64.self), let worstNs = cursor.next(Int64.self), worstNs >= -1 else {
            return nil
        }
        var buckets = [Int](repeating: 0, count: LatencyHistogram().buckets.count)
        while cursor.remaining > 0 {
            guard let index = cursor.next(UInt8.self).map(Int.init), buckets.indices.contains(index),
                let count = cursor.nextVarying(), count <= UInt64(Int.max)
            else { return nil }
            buckets[index] = Int(count)
        }
        self.init(buckets: buckets, sumNs: sumNs, worstNs: worstNs < 0 ? nil : worstNs)
    }
}
