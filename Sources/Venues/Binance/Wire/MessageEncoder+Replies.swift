// The venue's messages other than books: replies to control messages, errors in both shapes, the shutdown
// notice.

import FeedPlan

/// The result of a successful control message.
package enum ControlResult: Hashable, Sendable {
    /// `null`: the request was not a query.
    case done
    /// A property's value.
    case flag(Bool)
    /// The names of the subscriptions.
    case streams([String])
}

/// The two shapes in which the venue reports a refused control message.
package enum ErrorShape: Hashable, Sendable, CaseIterable {
    /// `{"code":…,"msg":…,"id":…}`, as documented.
    case flat
    /// `{"error":{"code":…,"msg":…},"id":…}`, as observed.
    case nested
}

extension MessageEncoder {
    /// Appends the reply to a control message.
    package mutating func append(_ result: ControlResult, id: RequestID) throws(EncoderError) {
        var lengthMax = 64 + length(id)
        if case .streams(let names) = result {
            for name in names { lengthMax += 3 + 6 * name.utf8.count }
        }
        try reserve(lengthMax)
        put("{\"result\":")
        switch result {
        case .done: put("null")
        case .flag(let value): put(value ? "true" : "false")
        case .streams(let names):
            putByte(0x5B)
            for index in names.indices {
                if index > 0 { putByte(0x2C) }
                putQuoted(names[index])
            }
            putByte(0x5D)
        }
        putID(id)
    }

    /// Appends a refusal of a control message.
    ///
    /// - Parameters:
    ///   - errorCode: the error code.
    ///   - message: its text.
    ///   - id: the refused request.
    ///   - shape: where to put the error.
    ///   - data: the offending stream, which the nested shape sometimes names.
    package mutating func append(
        errorCode: Int, message: String, id: RequestID, shape: ErrorShape, data: String? = nil
    ) throws(EncoderError) {
        try reserve(96 + 6 * (message.utf8.count + (data?.utf8.count ?? 0)) + length(id))
        if shape == .nested { put("{\"error\":") }
        putError(errorCode, message)
        if shape == .nested {
            if let data {
                put(",\"data\":")
                putQuoted(data)
            }
            putByte(0x7D)
        }
        putID(id)
    }

    /// Appends the body of a refused REST request.
    package mutating func append(errorCode: Int, message: String) throws(EncoderError) {
        try reserve(64 + 6 * message.utf8.count)
        putError(errorCode, message)
        putByte(0x7D)
    }

    /// Appends the notice that the server is about to close the connection; spot only.
    ///
    /// - Parameters:
    ///   - timeUs: the time of the notice.
    ///   - isCombined: whether the connection wraps its messages.
    package mutating func appendServerShutdown(atUs timeUs: Int64, isCombined: Bool) throws(EncoderError) {
        try reserve(128)
        let stream = isCombined ? "!serverShutdown" : nil
        openWrapper(stream)
        put("{\"e\":\"serverShutdown\",\"E\":")
        putTime(timeUs)
        putByte(0x7D)
        closeWrapper(stream)
    }

    private mutating func putError(_ code: Int, _ message: String) {
        put("{\"code\":")
        putInteger(Int64(code))
        put(",\"msg\":")
        putQuoted(message)
    }

    private func length(_ id: RequestID) -> Int {
        guard case .text(let text) = id else { return MessageEncoder.numberLengthMax }
        return 2 + 6 * text.utf8.count
    }

    private mutating func putID(_ id: RequestID) {
        put(",\"id\":")
        switch id {
        case .integer(let value): putInteger(value)
        case .text(let text): putQuoted(text)
        case .null: put("null")
        }
        putByte(0x7D)
    }
}
