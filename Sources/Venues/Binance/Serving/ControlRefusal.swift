// Refusals of control messages, and the messages that answer control messages.

import BinanceVenue
import FeedPlan

/// A refused control message, in the venue's words.
package struct ControlRefusal: Error, Hashable, Sendable {
    /// The venue's code.
    package var code: Int
    /// The venue's text.
    package var message: String
    /// The request's `id`; null if it has none that can be echoed.
    package var id: RequestID

    /// A refusal.
    init(code: Int, message: String, id: RequestID) {
        (self.code, self.message, self.id) = (code, message, id)
    }

    /// The 1025th stream; `ConnectionClose.tooManyStreams` follows.
    package static func tooManyStreams(_ id: RequestID) -> ControlRefusal {
        ControlRefusal(code: 4, message: "Too many subscriptions", id: id)
    }

    /// A stream that cannot be subscribed at the moment.
    package static func refused(_ id: RequestID) -> ControlRefusal {
        ControlRefusal(code: 2, message: "Invalid request: unknown stream", id: id)
    }

    /// The stream name is longer than any that exists.
    package static func nameTooLong(_ id: RequestID) -> ControlRefusal {
        ControlRefusal(code: 2, message: "Invalid request: stream name too long", id: id)
    }

    /// The reply; nil if it would take megabytes.
    package func reply(_ shape: ErrorShape) -> [UInt8]? {
        var encoder = MessageEncoder(.classic(.spot), capacity: 256)
        // The shape is the same on all markets.
        let encoded: Void? = try? encoder.append(errorCode: code, message: message, id: id, shape: shape)
        return encoded.map { encoder.bytes }
    }
}

extension ControlResult {
    /// The reply to a request with this id; nil if it would take megabytes.
    package func reply(to id: RequestID) -> [UInt8]? {
        var encoder = MessageEncoder(.classic(.spot), capacity: 256)
        let encoded: Void? = try? encoder.append(self, id: id)
        return encoded.map { encoder.bytes }
    }
}

extension MessageEncoder {
    /// All bytes held.
    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}
