// When to use an HTTP proxy. The library itself reads `http_proxy` for every scheme, even for loopback, and
// knows no exceptions; so it never gets to see the environment, and the decision is made here.

/// An HTTP proxy (used with CONNECT) and the hosts that bypass it.
public struct ProxyRules: Hashable, Sendable {
    /// Name or address of the proxy; nil: always connect directly.
    public let host: String?
    /// Its port.
    public let port: Int
    /// `user:password`, or nil.
    let credentials: String?
    private let exceptions: [String]

    /// The environment's rules: `http_proxy` and `no_proxy`, lower case first.
    public static var environment: ProxyRules {
        func value(_ name: String) -> String? {
            for spelling in [name, name.uppercased()] {
                if let text = environmentVariable(spelling), !text.isEmpty { return text }
            }
            return nil
        }
        return ProxyRules(proxy: value("http_proxy"), exceptions: value("no_proxy"))
    }

    /// - Parameters:
    ///   - proxy: `[http://][user:password@]host:port`; nil or invalid: no proxy.
    ///   - exceptions: comma-separated names; a name also covers its subdomains, `*` everything.
    public init(proxy: String?, exceptions: String?) {
        self.exceptions = (exceptions ?? "").lowercased().split(separator: ",").map { entry in
            let name = entry.trimmed
            return String(
                name.hasPrefix("*.") ? name.dropFirst(2) : name.hasPrefix(".") ? name.dropFirst() : name)
        }
        var text = proxy ?? ""
        if text.hasPrefix("http://") { text.removeFirst(7) }
        while text.hasSuffix("/") { text.removeLast() }
        var credentials: String?
        if let at = text.lastIndex(of: "@") {
            credentials = String(text[..<at])
            text = String(text[text.index(after: at)...])
        }
        self.credentials = credentials
        let url = try? ServiceURL("http://" + text)
        host = url?.host
        port = url?.port ?? 0
    }

    /// Whether connections to this host go through the proxy. Loopback never does.
    func applies(to host: String) -> Bool {
        let name = host.lowercased()
        if self.host == nil || name == "localhost" || name == "::1" || name.hasPrefix("127.") { return false }
        return !exceptions.contains { $0 == "*" || name == $0 || (!$0.isEmpty && name.hasSuffix("." + $0)) }
    }
}
