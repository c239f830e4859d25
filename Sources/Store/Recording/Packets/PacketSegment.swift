// One packet: the TCP segment in it, if it has one over IPv4.
//
// Bytes from outside: every length is compared with the available bytes before it is used.

/// A segment of a TCP conversation.
struct PacketSegment {
    /// An end of a conversation.
    struct End: Hashable {
        var address: UInt32
        var port: UInt16
    }

    /// Why a packet that should be usable is not.
    enum Refusal: Error {
        /// It belongs to another protocol.
        case other
        /// It is invalid.
        case malformed(String)
    }

    var from: End
    var to: End
    /// Sequence number of the first byte of its payload.
    var sequence: UInt32
    /// Whether it opens, ends or resets the conversation, and whether it acknowledges anything.
    var (isOpening, isEnding, isReset, isAnswer) = (false, false, false, false)
    /// The range of its payload in the packet, as far as it was kept.
    var payload: Range<Int>
    /// Whether the checksums of the packet are right; nil if the packet was not kept completely.
    var isRight: Bool?

    /// The segment in a packet.
    ///
    /// - Parameters:
    ///   - packet: the part of it that was kept.
    ///   - link: kind of link.
    init(_ packet: [UInt8], link: UInt32) throws(Refusal) {
        var ip = 0
        if link == PacketFile.ethernet {
            // One VLAN tag may precede the protocol.
            ip = PacketSegment.number(packet, 12) == 0x8100 ? 18 : 14
            if PacketSegment.number(packet, ip - 2) != 0x0800 { throw .other }
        }
        guard packet.count >= ip + 20, packet[ip] >> 4 == 4 else { throw .other }
        let headerLength = Int(packet[ip] & 15) * 4
        if packet[ip + 9] != 6 { throw .other }
        let length = PacketSegment.number(packet, ip + 2)
        let tcp = ip + headerLength
        if headerLength < 20 || length < headerLength + 20 { throw .malformed("its IP header cannot be") }
        if PacketSegment.number(packet, ip + 6) & 0x3FFF != 0 { throw .malformed("it is a fragment") }
        if packet.count < tcp + 20 { throw .malformed("its headers were cut") }
        let dataAt = tcp + Int(packet[tcp + 12] >> 4) * 4
        let end = ip + length
        if dataAt < tcp + 20 || dataAt > end { throw .malformed("its TCP header cannot be") }
        let kept = min(end, packet.count)
        payload = min(dataAt, kept)..<kept
        from = End(
            address: PacketSegment.long(packet, ip + 12), port: UInt16(PacketSegment.number(packet, tcp)))
        to = End(
            address: PacketSegment.long(packet, ip + 16), port: UInt16(PacketSegment.number(packet, tcp + 2)))
        sequence = PacketSegment.long(packet, tcp + 4)
        let bits = packet[tcp + 13]
        (isEnding, isOpening) = (bits & 1 != 0, bits & 2 != 0)
        (isReset, isAnswer) = (bits & 4 != 0, bits & 16 != 0)
        if kept < end { return }
        var (own, all) = (InternetCheck(), InternetCheck())
        own.add(packet[ip..<tcp])
        all.add(packet[(ip + 12)..<(ip + 20)])
        all.add(6)
        all.add(end - tcp)
        all.add(packet[tcp..<end])
        isRight = own.value == 0 && all.value == 0
    }

    private static func number(_ bytes: [UInt8], _ at: Int) -> Int {
        at + 2 > bytes.count ? 0 : Int(bytes[at]) << 8 | Int(bytes[at + 1])
    }

    private static func long(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        PacketFile.number(bytes[at..<(at + 4)], isBigEndian: true)
    }
}
