// How a connection ended, in a feed's terms.

import FeedPlan

/// How a connection ended.
public struct LinkEnd: Hashable, Sendable {
    /// What went wrong, in a few words; nil after a close handshake.
    public var error: String?
    /// The peer's close code; 1005 if its close frame had none, nil if there was no close frame.
    public var peerCode: UInt16?
    /// The peer's reason, as text.
    public var peerReason: String
    /// Status of the answer that refused the connection, if any.
    public var refusedStatus: Int?
    /// `Retry-After` of that answer.
    public var retryAfterSeconds: Int?

    /// An end.
    public init(
        error: String? = nil, peerCode: UInt16? = nil, peerReason: String = "", refusedStatus: Int? = nil,
        retryAfterSeconds: Int? = nil
    ) {
        (self.error, self.peerCode, self.peerReason) = (error, peerCode, peerReason)
        (self.refusedStatus, self.retryAfterSeconds) = (refusedStatus, retryAfterSeconds)
    }

    /// One line.
    var line: String {
        if let error { return error }
        guard let peerCode else { return "closed" }
        return "closed by the venue with \(peerCode)\(peerReason.isEmpty ? "" : " \(peerReason)")"
    }

    /// What it means for the next connection.
    var loss: ConnectionSupervisor.Loss {
        // The venue also closes with 1008 if we read too slowly or miss a pong; that is not a refusal.
        if peerCode == 1008 && peerReason.lowercased().contains("too many") { return .refused }
        guard let refusedStatus else { return .lost }
        return RefusalWait.isRefusal(status: refusedStatus) ? .refused : .lost
    }
}
