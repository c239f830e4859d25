// The messages in a packet capture, in the order of the packets that complete them.
//
// A conversation that cannot be read to its end loses what follows the break, and others lose nothing; the
// first such problem is reported at the end of the file.
//
// Bounds: `conversationCountMax` conversations, `keptBytesMax` bytes in all of them together; a conversation
// that would need more is abandoned.
//
// SAFETY: owns `room`, which holds the message handed out last and `CaptureLine.readableAfter` more bytes.

/// Extracts messages from packets.
@safe
final class PacketMessages {
    private static let conversationCountMax = 4096
    private static let keptBytesMax = 1 << 26
    /// The port of an unencrypted server, where nothing else shows which end is the server.
    private static let serverPort: UInt16 = 80

    private struct Key: Hashable {
        var (a, b): (PacketSegment.End, PacketSegment.End)

        static func == (x: Key, y: Key) -> Bool { x.a == y.a && x.b == y.b }

        func hash(into hasher: inout Hasher) {
            hasher.combine(a)
            hasher.combine(b)
        }
    }

    /// The header of the file.
    let file: PacketFile
    private var conversations: [Key: PacketConversation] = [:]
    private var keptBytes = 0
    private var ready: [PacketMessage] = []
    private var readyAt = 0
    /// The first thing that could not be read; nil if everything could.
    private(set) var trouble: (reason: String, offset: Int)?
    /// Messages found so far.
    private(set) var count = 0
    private var packetCount = 0
    private var room: UnsafeMutablePointer<UInt8>
    private var roomBytes = 1 << 12

    /// - Parameter file: the header of the file.
    init(_ file: PacketFile) {
        self.file = file
        unsafe room = .allocate(capacity: roomBytes + CaptureLine.readableAfter)
        unsafe room.initialize(repeating: 0, count: roomBytes + CaptureLine.readableAfter)
    }

    deinit { unsafe room.deallocate() }

    /// Takes a record of the file.
    ///
    /// - Parameters:
    ///   - header: its 16 bytes, which include a time.
    ///   - packet: the part of the packet that was kept.
    ///   - offset: offset of the record in the file.
    func take(_ header: [UInt8], _ packet: [UInt8], offset: Int) {
        packetCount += 1
        let seconds = Int64(PacketFile.number(header[0..<4], isBigEndian: file.isBigEndian))
        let rest = Int64(PacketFile.number(header[4..<8], isBigEndian: file.isBigEndian))
        let place = PacketPlace(
            atNs: seconds * 1_000_000_000 + rest * file.unitNs, number: packetCount, offset: offset)
        do throws(PacketSegment.Refusal) {
            take(try PacketSegment(packet, link: file.link), packet, place)
        } catch {
            if case .malformed(let what) = error { note("packet \(packetCount): \(what)", offset) }
        }
    }

    private func note(_ reason: String, _ offset: Int) {
        if trouble == nil { trouble = (reason, offset) }
    }

    private func take(_ segment: PacketSegment, _ packet: [UInt8], _ place: PacketPlace) {
        let isFirst = (segment.from.address, segment.from.port) < (segment.to.address, segment.to.port)
        let key = Key(
            a: isFirst ? segment.from : segment.to, b: isFirst ? segment.to : segment.from)
        // A reused port opens another conversation.
        let isOpened = segment.isOpening && !segment.isAnswer
        if isOpened, let old = conversations.removeValue(forKey: key) { keptBytes -= old.keptBytes }
        if conversations[key] == nil {
            if segment.payload.isEmpty && !segment.isOpening { return }
            if conversations.count >= PacketMessages.conversationCountMax {
                return note("more than \(PacketMessages.conversationCountMax) conversations", place.offset)
            }
            let isAnswer = segment.isOpening && segment.isAnswer
            let isOfServer = isAnswer || !isOpened && segment.from.port == PacketMessages.serverPort
            conversations[key] = PacketConversation(client: isOfServer ? segment.to : segment.from)
        }
        guard var conversation = conversations.removeValue(forKey: key) else { return }
        keptBytes -= conversation.keptBytes
        let hadTrouble = conversation.trouble != nil
        let before = ready.count
        conversation.take(segment, packet, place, &ready)
        count += ready.count - before
        if !hadTrouble, let why = conversation.trouble { note(why, place.offset) }
        if conversation.endCount >= 2 { return }
        if keptBytes + conversation.keptBytes > PacketMessages.keptBytesMax {
            return note("conversations of more than \(PacketMessages.keptBytesMax) bytes", place.offset)
        }
        keptBytes += conversation.keptBytes
        conversations[key] = conversation
    }

    /// The next complete message, as a line; nil if more packets are needed.
    func next() -> CaptureLine? {
        if readyAt == ready.count {
            ready.removeAll(keepingCapacity: true)
            readyAt = 0
            return nil
        }
        let message = ready[readyAt]
        ready[readyAt].bytes = []
        readyAt += 1
        let count = message.bytes.count
        if count > roomBytes {
            unsafe room.deallocate()
            roomBytes = max(count, 2 * roomBytes)
            unsafe room = .allocate(capacity: roomBytes + CaptureLine.readableAfter)
            unsafe room.initialize(repeating: 0, count: roomBytes + CaptureLine.readableAfter)
        }
        unsafe message.bytes.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { unsafe room.update(from: base, count: count) }
        }
        return unsafe CaptureLine(
            number: message.packet, byteOffset: message.offset, receivedAtNs: message.atNs,
            message: UnsafeBufferPointer(start: room, count: count), isTooLong: false)
    }
}
