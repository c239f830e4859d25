// The layout of a frame ring, as plain arithmetic; the code that moves bytes is elsewhere.
//
// A record is a header, the body, a guard and padding to a multiple of 64 bytes. `position` is the absolute
// count of bytes since the ring was created, so it only grows; the record lies at `position & (capacity -
// 1)`.
//
//      0                   1                   2                   3
//      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//     +---------------------------------------------------------------+  0
//     |                      length of the body                       |
//     +-------------------------------+---------------+---------------+  4
//     |            source             |     kind      |   always 0    |
//     +-------------------------------+---------------+---------------+  8
//     |                          receivedAtNs                         |
//     |                           (64 bits)                           |
//     +---------------------------------------------------------------+ 16
//     |                            body ...                           |
//     +---------------------------------------------------------------+ 16 + length
//     |       guard: at least 128 bytes that the ring never writes    |
//     +---------------------------------------------------------------+ a multiple of 64
//
// Why a guard and not just the next record: vector code reads up to 128 bytes past a body. Mapped memory
// makes that legal for the processor, but those bytes would belong to the record the producer is currently
// writing: a data race, and a cache line taken from the producer at the worst moment. The guard is never
// touched, so it costs capacity but no bandwidth.
//
// Control block, 512 bytes aligned to 128. The two positions and the two private parts lie 128 bytes apart,
// because processors fetch cache lines in pairs.
//
//       0  producer position       written by the producer, read by the consumer and gauges
//     128  producer private        cached consumer position, open frame, counters (gauges read the counters)
//     256  consumer position       written by the consumer, read by the producer and gauges
//     384  consumer private        cached producer position

/// Offsets and lengths of a record, in bytes.
enum RecordLayout {
    static let lengthOffset = 0
    static let sourceOffset = 4
    static let kindOffset = 6
    static let zeroOffset = 7
    static let receivedAtOffset = 8
    static let headerLength = 16
    static let guardLength = 128
    static let alignment = 64
    /// How far ahead of its position the producer takes cache lines from the consumer's cache. Nineteen of
    /// twenty depth messages are shorter; as measured, 8 KiB ahead is no better than none.
    static let aheadLength = 4096
    /// Frames received within this time of each other are a burst.
    static let burstNs: Int64 = 2_000

    /// Length of the whole record of a frame whose body has `bodyLength` bytes.
    static func recordLength(_ bodyLength: Int) -> Int {
        (headerLength &+ bodyLength &+ guardLength &+ alignment &- 1) & ~(alignment &- 1)
    }

    /// The longest body that a ring of this capacity can hold; its record fills the ring.
    ///
    /// Records begin at multiples of 64 below `capacity` and end at most `capacity` later, so even this one
    /// lies, guard included, inside the `2 × capacity` bytes of the double mapping.
    static func bodyLengthMax(_ capacity: Int) -> Int { capacity - headerLength - guardLength }
}

/// Offsets in the control block, in bytes.
enum ControlLayout {
    static let producerPosition = 0
    static let producerPrivate = 128
    static let consumerPosition = 256
    static let consumerPrivate = 384
    static let length = 512
    static let alignment = 128
}
