// What a connection supervisor reports to the user, and how it is worded.

extension ConnectionSupervisor {
    /// Why a connection is being replaced.
    public enum Reason: Hashable, Sendable {
        /// It approaches the age at which the venue ends it.
        case age
        /// The venue announced that it will close it.
        case shutdown
        /// Too many of its streams stay silent despite resubscription.
        case lostStreams(count: Int)
        /// The venue refused to resubscribe streams.
        case refused
        /// A request was not answered in time.
        case unanswered
        /// It was busy and went silent; even a ping goes unanswered.
        case silent
    }

    /// Reportable facts.
    public enum Report: Hashable, Sendable {
        /// All streams of this connection are acknowledged, this long after dialling.
        case subscribed(UInt16, streamCount: Int, afterMs: Int64)
        /// The venue refused a request for these names; `isFinal` if it is not retried.
        case refused(UInt16, StreamRequest, code: Int64, text: String, isFinal: Bool)
        /// A request was not answered in time.
        case unanswered(UInt16, StreamRequest)
        /// It did not open in time.
        case notOpened(UInt16)
        /// A replacement is needed.
        case replacing(UInt16, Reason)
        /// These streams are being unsubscribed and subscribed again.
        case resubscribing(UInt16, streamCount: Int)
        /// The next connection is dialled after this time at the earliest, following this many consecutive
        /// failures.
        case waiting(forMs: Int64, failures: Int)
    }
}

extension ConnectionSupervisor.Report: CustomStringConvertible {
    /// One line.
    public var description: String {
        switch self {
        case .subscribed(let id, let streamCount, let afterMs):
            "connection \(id): \(streamCount) streams subscribed \(afterMs) ms after dialling"
        case .refused(let id, let request, let code, let text, let isFinal):
            "connection \(id): \(request.method.rawValue) refused\(isFinal ? " for good" : "") with \(code), "
                + "\(text): \(request.names)"
        case .unanswered(let id, let request):
            "connection \(id): \(request.method.rawValue) of \(request.streams.count) streams unanswered"
        case .notOpened(let id): "connection \(id): not open in time"
        case .replacing(let id, let reason): "connection \(id): to be replaced: \(reason)"
        case .resubscribing(let id, let streamCount):
            "connection \(id): \(streamCount) silent streams are subscribed anew"
        case .waiting(let forMs, let failures):
            "next connection in \(forMs) ms after \(failures) failures"
        }
    }
}

extension ConnectionSupervisor.Reason: CustomStringConvertible {
    /// A few words.
    public var description: String {
        switch self {
        case .age: "it nears the end of its life"
        case .shutdown: "the venue will close it"
        case .lostStreams(let count): "\(count) of its streams stay silent"
        case .refused: "the venue refused to resubscribe"
        case .unanswered: "a request was not answered"
        case .silent: "it was busy and has fallen silent"
        }
    }
}
