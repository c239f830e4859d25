// The few URLs this package connects to, parsed by hand: Foundation is not imported below the executables.
//
//     url = ( "ws" / "wss" / "http" / "https" ) "://" host [ ":" port ] [ "/" … ]

/// Address of a service: scheme, host, port and path with query.
package struct ServiceURL: Hashable, Sendable {
    /// Whether TLS is used (`wss`, `https`).
    package let isSecure: Bool
    /// Name or numeric address; an IPv6 address without its brackets.
    package let host: String
    /// Port; 80 or 443 if not given.
    package let port: Int
    /// Path and query, starting with `/`; sent unchanged.
    package let path: String

    /// The longest name the library accepts; a longer one would be truncated, and the truncated name
    /// verified.
    static let hostBytesMax = 120
    /// Request line and headers are sent in one write.
    static let pathBytesMax = 7168

    /// Parses a text.
    ///
    /// - Throws: `TransportError.invalidURL`.
    package init(_ text: String) throws(TransportError) {
        guard let schemeEnd = text.firstRange(of: "://") else {
            throw .invalidURL(
                "no scheme in \(text.prefix(80)): it begins with wss://, ws://, https:// or http://")
        }
        switch text[..<schemeEnd.lowerBound].lowercased() {
        case "ws", "http": isSecure = false
        case "wss", "https": isSecure = true
        case let scheme: throw .invalidURL("unknown scheme \(scheme.prefix(80))")
        }
        let rest = text[schemeEnd.upperBound...]
        let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        (host, port) = try Self.split(rest[..<authorityEnd], defaultPort: isSecure ? 443 : 80)
        let tail = String(rest[authorityEnd...])
        path = tail.hasPrefix("/") ? tail : "/" + tail
        if path.utf8.count > Self.pathBytesMax { throw .invalidURL("path over \(Self.pathBytesMax) bytes") }
        if !path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            throw .invalidURL("blank or control in the path")
        }
    }

    /// Host and port as in the `Host` header: IPv6 in brackets, no port if it is the scheme's default.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    private static func split(
        _ authority: Substring, defaultPort: Int
    ) throws(TransportError) -> (host: String, port: Int) {
        if authority.contains("@") { throw .invalidURL("user names are not supported") }
        var host = authority
        var port: Substring?
        var isNumeric = false
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            let behind = authority[authority.index(after: end)...]
            isNumeric = true
            if !behind.isEmpty && !behind.hasPrefix(":") { throw .invalidURL("text behind ]") }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = authority.lastIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        if !isNumeric && host.contains(":") {
            throw .invalidURL("an IPv6 address stands in brackets: [\(authority.prefix(80))]")
        }
        if isNumeric && addressFamily(String(host)) != 6 {
            throw .invalidURL("no IPv6 address in [\(host.prefix(80))]")
        }
        let isName = host.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"@[]\\^`{}|\"<>#%".utf8.contains(byte)
        }
        if host.isEmpty { throw .invalidURL("no host") }
        if !isName { throw .invalidURL("no usable host in \(authority.prefix(80))") }
        if host.utf8.count > hostBytesMax { throw .invalidURL("host over \(hostBytesMax) bytes") }
        guard let port else { return (host.lowercased(), defaultPort) }
        if port.isEmpty { throw .invalidURL("no port behind the colon") }
        guard let number = Int(port), number > 0, number < 65536,
            port.utf8.allSatisfy({ $0 < 0x3A && $0 > 0x2F })
        else { throw .invalidURL("port \(port.prefix(80)) is not 1 … 65535") }
        return (host.lowercased(), number)
    }
}
