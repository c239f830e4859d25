// The layout of a packet capture (pcap), and of the packets in it that carry messages in the clear.
//
//     header   24 bytes: u32 magic, u16 version 2, u16 4, i32 0, u32 0, u32 longest packet, u32 kind of link
//     record   16 bytes: u32 seconds, u32 nanoseconds or microseconds, u32 bytes kept, u32 bytes sent; then
//              the bytes that were kept
//
// The magic number gives the byte order and the unit of times: A1B23C4D nanoseconds, A1B2C3D4 microseconds.
// Files are written with nanoseconds, little endian, on Ethernet links: the layout of cryptofeed's recorder.

/// The header of a packet capture.
struct PacketFile: Equatable {
    static let headerLength = 24
    static let recordHeaderLength = 16
    /// No packet is longer than this, in the file or on the wire.
    static let packetBytesMax = 1 << 18
    private static let nanoseconds: UInt32 = 0xA1B2_3C4D
    private static let microseconds: UInt32 = 0xA1B2_C3D4
    static let ethernet: UInt32 = 1
    /// Packets that begin with their IP header.
    static let rawIP: UInt32 = 101

    /// Whether numbers in the file are big endian.
    var isBigEndian: Bool
    /// Nanoseconds per unit of the fraction of a second.
    var unitNs: Int64
    /// Kind of link.
    var link: UInt32

    /// Whether these bytes begin a packet capture.
    static func begins(_ head: some Collection<UInt8>) -> Bool {
        let magic = Array(head.prefix(4))
        return magic.count == 4
            && [nanoseconds, microseconds].contains {
                $0 == number(magic[...], isBigEndian: true)
                    || $0 == number(magic[...], isBigEndian: false)
            }
    }

    /// A number of up to four bytes.
    static func number(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> UInt32 {
        var value: UInt32 = 0
        for (index, byte) in bytes.enumerated() {
            value |= UInt32(byte) << UInt32(8 * (isBigEndian ? bytes.count - 1 - index : index))
        }
        return value
    }

    /// The header at the front of these bytes; nil if it is none.
    init?(_ bytes: [UInt8]) {
        if bytes.count < PacketFile.headerLength || !PacketFile.begins(bytes) { return nil }
        let magic = PacketFile.number(bytes[0..<4], isBigEndian: true)
        isBigEndian = magic == PacketFile.nanoseconds || magic == PacketFile.microseconds
        let own = PacketFile.number(bytes[0..<4], isBigEndian: isBigEndian)
        unitNs = own == PacketFile.nanoseconds ? 1 : 1000
        // The upper bits may give the length of a checksum after each packet.
        link = PacketFile.number(bytes[20..<24], isBigEndian: isBigEndian) & 0xFFFF
    }

    /// The header as it is written.
    static var header: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(little: nanoseconds)
        bytes.append(little: UInt16(2))
        bytes.append(little: UInt16(4))
        bytes.append(little: UInt64(0))
        bytes.append(little: UInt32(packetBytesMax))
        bytes.append(little: ethernet)
        return bytes
    }
}

/// The checksum of the internet protocols: the complement of the sum of all 16-bit words.
struct InternetCheck {
    private var sum: UInt64 = 0
    private var isOdd = false

    /// Adds bytes after the previous ones.
    mutating func add(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            sum += isOdd ? UInt64(byte) : UInt64(byte) << 8
            isOdd.toggle()
        }
    }

    /// Adds a number of 16 bits.
    mutating func add(_ number: Int) { sum += UInt64(UInt16(truncatingIfNeeded: number)) }

    /// The checksum; 0 for bytes that include their own.
    var value: UInt16 {
        var rest = sum
        while rest >> 16 != 0 { rest = (rest & 0xFFFF) + rest >> 16 }
        return ~UInt16(rest)
    }
}
