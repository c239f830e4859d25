// A request about streams, as sent to the venue.

/// A request to the venue, to be sent as one text message.
public struct StreamRequest: Hashable, Sendable {
    /// What is requested.
    public enum Method: String, Sendable {
        /// Deliver these streams.
        case subscribe = "SUBSCRIBE"
        /// Stop delivering them.
        case unsubscribe = "UNSUBSCRIBE"
    }

    /// Identifies the request in its reply; increasing on a connection.
    public var id: Int64
    /// What is requested.
    public var method: Method
    /// For which streams; UTF-8, not percent-encoded.
    public var streams: [String]

    /// A request with these contents.
    public init(id: Int64, method: Method, streams: [String]) {
        (self.id, self.method, self.streams) = (id, method, streams)
    }

    /// The message.
    public var text: String {
        let names = streams.map { "\"\(StreamRequest.escaped($0))\"" }.joined(separator: ",")
        return "{\"method\":\"\(method.rawValue)\",\"params\":[\(names)],\"id\":\(id)}"
    }

    /// The first few streams, for display.
    public var names: String {
        streams.prefix(3).joined(separator: " ") + (streams.count > 3 ? " and \(streams.count - 3) more" : "")
    }

    private static func escaped(_ name: String) -> String {
        let hex = Array("0123456789abcdef".unicodeScalars)
        var text = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                text.append("\\")
                text.append(scalar)
            } else if scalar.value < 0x20 {
                text.append(contentsOf: "\\u00".unicodeScalars)
                text.append(hex[Int(scalar.value >> 4)])
                text.append(hex[Int(scalar.value & 15)])
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }
}
