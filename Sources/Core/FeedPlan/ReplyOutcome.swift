// The answer to a request.

/// The content of an answer.
public enum ReplyOutcome: Hashable, Sendable {
    /// The venue did what was requested.
    case accepted(ReplyResult)
    /// The venue refused. The code is the venue's; the text is truncated to `textBytesMax` bytes, its escapes
    /// are kept as they are, and it ends with the offending stream if the venue names one.
    case refused(code: Int64, text: String)

    /// Most bytes kept of a text.
    public static var textBytesMax: Int { 200 }
}
