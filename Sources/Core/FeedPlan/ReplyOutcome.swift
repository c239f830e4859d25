// What the answer to a request amounts to.

/// What an answer says.
public enum ReplyOutcome: Hashable, Sendable {
    /// The venue did what was asked.
    case accepted(ReplyResult)
    /// The venue refused. The code is the venue's; the text is cut to `textBytesMax` bytes, escapes in it are
    /// left as they stand, and it ends with the offending stream where the venue names one.
    case refused(code: Int64, text: String)

    /// Most bytes kept of a text.
    public static var textBytesMax: Int { 200 }
}
