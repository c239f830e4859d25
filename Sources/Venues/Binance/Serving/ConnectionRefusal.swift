// Why a connection or a stream on it is refused.

/// A refused connection or subscription.
package enum ConnectionRefusal: Error, Hashable, Sendable {
    /// More connection attempts in five minutes than the venue allows: 300.
    case tooManyAttempts(retryAtUs: Int64)
    /// More streams than one connection may carry: 1024.
    case tooManyStreams
    /// The stream name is longer than any that exists.
    case nameTooLong
    /// More simultaneous connections than the server has room for.
    case tooManyConnections
    /// No such connection, or no longer.
    case notConnected

    /// The answer to an upgrade refused at a time in microseconds since 1970.
    package func answer(atUs timeUs: Int64) -> ServingAnswer {
        switch self {
        case .tooManyAttempts(let retryAtUs):
            let seconds = (retryAtUs - timeUs + 999_999) / 1_000_000
            return ServingAnswer(
                status: 429, headers: [(name: "Retry-After", value: "\(seconds)")],
                json: #"{"code":-1003,"msg":"Too many connection attempts."}"#)
        case .tooManyStreams:
            return ServingAnswer(status: 400, json: #"{"code":4,"msg":"Too many subscriptions"}"#)
        case .nameTooLong:
            return ServingAnswer(
                status: 400, json: #"{"code":2,"msg":"Invalid request: stream name too long"}"#)
        case .tooManyConnections, .notConnected: return .overloaded
        }
    }
}
