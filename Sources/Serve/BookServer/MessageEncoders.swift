// The two encoders of a server: for clients that request times in milliseconds, and for those that request
// microseconds.

import BinanceVenue

/// Encoders of one dialect in both time units. Not copyable.
struct MessageEncoders: ~Copyable {
    private var milliseconds: MessageEncoder
    private var microseconds: MessageEncoder

    init(_ dialect: WireDialect) {
        var dialect = dialect
        dialect.writesMicroseconds = false
        milliseconds = MessageEncoder(dialect)
        dialect.writesMicroseconds = dialect.market == .spot
        microseconds = MessageEncoder(dialect, capacity: 1)
    }

    /// The bytes of one message; nil if it cannot be printed.
    mutating func bytes(
        isMicroseconds: Bool, _ append: (inout MessageEncoder) throws(EncoderError) -> Void
    ) -> [UInt8]? {
        isMicroseconds
            ? MessageEncoders.bytes(of: &microseconds, append)
            : MessageEncoders.bytes(of: &milliseconds, append)
    }

    private static func bytes(
        of encoder: inout MessageEncoder, _ append: (inout MessageEncoder) throws(EncoderError) -> Void
    ) -> [UInt8]? {
        encoder.removeAll()
        do { try append(&encoder) } catch { return nil }
        var bytes: [UInt8] = []
        encoder.append(to: &bytes)
        return bytes
    }
}
