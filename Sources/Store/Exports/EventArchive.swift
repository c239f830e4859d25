// A ZIP archive with one stored member, `data.npy`: an array of rows. Lengths are written as 64 bits, so that
// any number of rows fits; everything before the rows has a constant length, so that it can be written once
// their number is known.

/// The parts of an archive around its rows.
enum EventArchive {
    /// Bytes of a row.
    static let rowBytes = 64
    private static let name = Array("data.npy".utf8)
    private static let arrayHeadBytes = 320
    /// 1 January 1980, so that equal rows make equal files.
    private static let dosTime: [UInt8] = [0, 0, 0x21, 0]

    /// The head of the array: row type and length.
    static func arrayHead(rowCount: Int) -> [UInt8] {
        let fields = [
            ("ev", "<u8"), ("exch_ts", "<i8"), ("local_ts", "<i8"), ("px", "<f8"), ("qty", "<f8"),
            ("order_id", "<u8"), ("ival", "<i8"), ("fval", "<f8"),
        ]
        let row = fields.map { "('\($0.0)', '\($0.1)')" }.joined(separator: ", ")
        let text = "{'descr': [\(row)], 'fortran_order': False, 'shape': (\(rowCount),), }"
        let room = arrayHeadBytes - 10
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(room & 0xFF), UInt8(room >> 8)]
        bytes += Array(text.utf8)
        bytes += [UInt8](repeating: 0x20, count: arrayHeadBytes - 1 - bytes.count) + [0x0A]
        return bytes
    }

    private static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func length(_ rowCount: Int) -> Int { arrayHeadBytes + rowCount * rowBytes }

    /// A header's description of the member: version, flags, compression, time, CRC, lengths that are
    /// elsewhere.
    private static func facts(_ check: UInt32) -> [UInt8] {
        [45, 0, 0, 0, 0, 0] + dosTime + number(Int(check), 4) + [UInt8](repeating: 0xFF, count: 8)
            + number(name.count, 2)
    }

    /// Everything before the rows.
    static func head(rowCount: Int, check: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0x50, 0x4B, 3, 4] + facts(check) + number(20, 2) + name
        bytes += number(1, 2) + number(16, 2) + number(length(rowCount), 8) + number(length(rowCount), 8)
        return bytes + arrayHead(rowCount: rowCount)
    }

    /// Everything after the rows.
    static func tail(rowCount: Int, check: UInt32) -> [UInt8] {
        let directoryAt = head(rowCount: 0, check: 0).count + rowCount * rowBytes
        var directory: [UInt8] = [0x50, 0x4B, 1, 2, 45, 3] + facts(check) + number(20, 2)
        directory += number(0, 2) + number(0, 2) + number(0, 2) + number(0o644 << 16, 4) + number(0, 4) + name
        directory += number(1, 2) + number(16, 2) + number(length(rowCount), 8) + number(length(rowCount), 8)
        var end: [UInt8] = [0x50, 0x4B, 6, 6] + number(44, 8) + number(45, 2) + number(45, 2)
        end += number(0, 4) + number(0, 4) + number(1, 8) + number(1, 8) + number(directory.count, 8)
        end += number(directoryAt, 8)
        let locator =
            [0x50, 0x4B, 6, 7] + number(0, 4) + number(directoryAt + directory.count, 8) + number(1, 4)
        var last: [UInt8] = [0x50, 0x4B, 5, 6] + number(0, 4) + number(1, 2) + number(1, 2)
        last += number(directory.count, 4) + [0xFF, 0xFF, 0xFF, 0xFF] + number(0, 2)
        return directory + end + locator + last
    }
}
