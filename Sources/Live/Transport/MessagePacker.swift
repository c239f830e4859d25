// Compresses and decompresses messages for permessage-deflate, each independently: one compressed frame
// serves every client.
//
// Bounds: some 300 KB of memory, whatever the number of clients; a message is decompressed into at most as
// many bytes as its reader accepts.
//
// SAFETY: the object owns the C side's memory and frees it once; buffers are lent for the call.

import CLobTransport

/// A packer. Thread: that of its loop.
@safe
package final class MessagePacker {
    private let packer: OpaquePointer

    /// Shorter messages are sent uncompressed: compression would hardly shorten them.
    package static let bytesMin = 256
    /// Ends every compressed message, and is omitted on the wire.
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    /// Nil without memory.
    package init?() {
        guard let made = unsafe ct_packer_create() else { return nil }
        unsafe packer = made
    }

    deinit { unsafe ct_packer_destroy(packer) }

    /// The frame of a compressed text message; nil if that is not shorter.
    package func frame(_ message: [UInt8]) -> [UInt8]? {
        if message.count < MessagePacker.bytesMin { return nil }
        var room = [UInt8](repeating: 0, count: message.count)
        let length = unsafe room.withUnsafeMutableBufferPointer { room in
            unsafe message.withUnsafeBufferPointer { bytes in
                unsafe ct_pack(packer, bytes.baseAddress!, bytes.count, room.baseAddress!, room.count)
            }
        }
        if length == 0 || length > room.count { return nil }
        // The final frame of a message: compressed, text.
        var frame: [UInt8] = [0x80 | 0x40 | 0x01]
        if length <= 125 {
            frame.append(UInt8(length))
        } else {
            let lengthBytes = length <= 0xFFFF ? 2 : 8
            frame.append(lengthBytes == 2 ? 126 : 127)
            for place in (0..<lengthBytes).reversed() {
                frame.append(UInt8(truncatingIfNeeded: length >> (8 * place)))
            }
        }
        frame += room.prefix(length)
        return frame
    }

    /// Result of decompressing a message.
    enum Unpacked: Equatable {
        case message([UInt8])
        case tooLong
        case unreadable
    }

    /// Decompresses a message into at most this many bytes.
    func unpack(_ packed: [UInt8], bytesMax: Int) -> Unpacked {
        let whole = packed + MessagePacker.tail
        var room = [UInt8](repeating: 0, count: bytesMax + 1)
        let length = unsafe room.withUnsafeMutableBufferPointer { room in
            unsafe whole.withUnsafeBufferPointer { bytes in
                unsafe Int(ct_unpack(packer, bytes.baseAddress!, bytes.count, room.baseAddress!, room.count))
            }
        }
        if length == Int(CT_UNPACK_TOO_LONG) || length > bytesMax { return .tooLong }
        if length < 0 { return .unreadable }
        room.removeLast(room.count - length)
        return .message(room)
    }
}
