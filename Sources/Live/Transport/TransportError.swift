// Every way a connection can fail, as facts. One enum for clients and servers: callers act on the case,
// people read the text.

/// Why something failed on the wire.
@nonexhaustive
public enum TransportError: Error, Hashable, Sendable {
    /// The text is not a URL with scheme ws, wss, http or https, or a part of it is too long; says which.
    case invalidURL(String)
    /// The name has no address; the resolver's words.
    case unresolved(host: String, reason: String)
    /// Nothing listens at the address, or something in between blocks the connection.
    case refused(address: String)
    /// The address could not be reached; the system's words.
    case unreachable(address: String, reason: String)
    /// Not open in time: connecting, TLS and handshake together.
    case timedOut(afterMs: Int)
    /// The process has run out of file descriptors.
    case descriptorsExhausted
    /// The server's certificate was rejected: wrong host, expired, unknown authority.
    case certificateRefused(host: String, reason: String)
    /// TLS could not be established.
    case tlsFailed(String)
    /// The server answers, but not with TLS.
    case noTLS(address: String)
    /// The server closed the connection without answering the request.
    case unanswered
    /// The same on a connection without TLS: typical of a server that expects TLS.
    case unansweredInPlain
    /// The connection was open and the request sent, but the complete answer did not arrive in time.
    case answerLate(afterMs: Int)
    /// The answer was not HTTP, or violated it.
    case badAnswer(String)
    /// The upgrade was answered with a status other than 101, perhaps with a time to wait.
    case upgradeRefused(status: Int, retryAfterSeconds: Int? = nil)
    /// The upgrade was answered with 101 but against the rules; says which.
    case handshakeInvalid(HandshakeFault)
    /// The peer broke the framing rules.
    case violation(FrameViolation)
    /// An open connection ended without a close frame.
    case lost
    /// Nothing arrived for this long: the peer or the path to it is gone.
    case silent(forMs: Int)
    /// The body ended early.
    case truncated
    /// The peer stated an impossible length; none of the data was used.
    case lengthOutOfBounds
    /// The body is longer than the limit.
    case bodyTooLong(bytesMax: Int)
    /// The server could not listen; the system's words.
    case cannotListen(port: Int, reason: String)
    /// The event loop could not be created.
    case noLoop(String)
    /// Ended by its owner before it was done.
    case cancelled
}

extension TransportError: CustomStringConvertible {
    /// One line for a log.
    public var description: String {
        switch self {
        case .invalidURL(let what): "invalid URL: \(what)"
        case .unresolved(let host, let reason): "cannot resolve \(host): \(reason)"
        case .refused(let address): "connection to \(address) refused"
        case .unreachable(let address, let reason): "cannot reach \(address): \(reason)"
        case .timedOut(let afterMs): "not open after \(afterMs) ms"
        case .descriptorsExhausted: "no file descriptor left"
        case .certificateRefused(let host, let reason): "certificate of \(host) refused: \(reason)"
        case .tlsFailed(let reason): "TLS failed: \(reason)"
        case .noTLS(let address): "the server at \(address) does not speak TLS"
        case .unanswered: "the server hung up without an answer"
        case .unansweredInPlain:
            "the server hung up without an answer; if it speaks TLS, the URL begins with wss:// or https://"
        case .answerLate(let afterMs): "no whole answer after \(afterMs) ms"
        case .badAnswer(let reason): "bad answer: \(reason)"
        case .upgradeRefused(let status, nil): "upgrade refused with status \(status)"
        case .upgradeRefused(let status, let seconds?):
            "upgrade refused with status \(status), again after \(seconds) s"
        case .handshakeInvalid(let fault): "invalid handshake: \(fault.rawValue)"
        case .violation(let violation): "framing violated at byte \(violation.offset): \(violation.fault)"
        case .lost: "connection lost"
        case .silent(let forMs): "nothing received for \(forMs) ms"
        case .truncated: "the body ended early"
        case .lengthOutOfBounds: "the peer sent a length that cannot be"
        case .bodyTooLong(let bytesMax): "the body is longer than \(bytesMax) bytes"
        case .cannotListen(let port, let reason): "cannot listen on port \(port): \(reason)"
        case .noLoop(let reason): "no event loop: \(reason)"
        case .cancelled: "cancelled"
        }
    }
}
