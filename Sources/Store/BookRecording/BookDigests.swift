// Update ids and digests of many books at one point of a recording, as the body of a frame: u32 count, each
// u16 number of the symbol, i64 update id, u64 digest.

import LobRecording
import MarketData

/// The digests of a recording's books at one point.
package struct BookDigests: Hashable, Sendable {
    /// One book.
    package struct Entry: Hashable, Sendable {
        /// Number of its symbol.
        package var symbol: UInt16
        /// Its update id.
        package var lastUpdateID: UpdateID
        /// Digest of all its levels.
        package var digest: UInt64
    }

    /// The books.
    package var entries: [Entry] = []

    /// None.
    package init() {}

    /// The digests in bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: UInt32(entries.count))
        for entry in entries {
            bytes.append(little: entry.symbol)
            bytes.append(little: entry.lastUpdateID.value)
            bytes.append(little: entry.digest)
        }
        return bytes
    }

    /// Parses digests; nil if the bytes are not valid.
    package init?(_ bytes: [UInt8]) {
        var cursor = ByteCursor(bytes)
        guard let count = cursor.next(UInt32.self).map(Int.init), count <= cursor.remaining / 18 else {
            return nil
        }
        for _ in 0..<count {
            guard let symbol = cursor.next(UInt16.self), let id = cursor.next(Int64.self),
                let digest = cursor.next(UInt64.self)
            else { return nil }
            entries.append(Entry(symbol: symbol, lastUpdateID: UpdateID(id), digest: digest))
        }
    }
}

/// The connections that were up, as the body of a frame: u16 count, each u16.
package enum ConnectionList {
    /// The list in bytes.
    package static func bytes(_ sources: [UInt16]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: UInt16(clamping: sources.count))
        for source in sources.prefix(Int(UInt16.max)) { bytes.append(little: source) }
        return bytes
    }

    /// Parses a list; nil if the bytes are not valid.
    package static func sources(_ bytes: [UInt8]) -> [UInt16]? {
        var cursor = ByteCursor(bytes)
        guard let count = cursor.next(UInt16.self) else { return nil }
        var sources: [UInt16] = []
        for _ in 0..<count {
            guard let source = cursor.next(UInt16.self) else { return nil }
            sources.append(source)
        }
        return sources
    }
}
