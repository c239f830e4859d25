// Access by token. If a server has tokens, every request and every upgrade must carry one of them:
//
//     Authorization: Bearer TOKEN     any client
//     X-MBX-APIKEY: TOKEN             clients of the venue, as their API key
//     ?token=TOKEN                    where a client cannot set headers
//
// Tokens are compared in constant time.

/// The tokens of a server.
struct AccessRules {
    private let tokens: [[UInt8]]

    init(_ tokens: [String]) { self.tokens = tokens.map { Array($0.utf8) } }

    /// Whether a request with these values is admitted.
    ///
    /// - Parameters:
    ///   - authorization: the `Authorization` header.
    ///   - key: the header `X-MBX-APIKEY`.
    ///   - token: the query parameter.
    func admits(authorization: String?, key: String?, token: String?) -> Bool {
        if tokens.isEmpty { return true }
        var offered: [String] = []
        if let authorization, authorization.lowercased().hasPrefix("bearer ") {
            offered.append(String(authorization.dropFirst("bearer ".count)))
        }
        if let key { offered.append(key) }
        if let token { offered.append(token) }
        var isKnown = false
        for text in offered where text.utf8.count <= BookServer.Options.tokenBytesMax {
            for own in tokens where AccessRules.areEqual(own, Array(text.utf8)) { isKnown = true }
        }
        return isKnown
    }

    /// Examines every byte of the first, whatever the second is.
    private static func areEqual(_ own: [UInt8], _ other: [UInt8]) -> Bool {
        var difference = own.count ^ other.count
        for index in own.indices {
            difference |= Int(own[index] ^ (other.isEmpty ? 0 : other[index % other.count]))
        }
        return difference == 0
    }
}
