// Who may read the books that `lob run` serves, and over what kind of connection.

import ArgumentParser
import BookServer
import LobTransport

extension BookServer.Deflation: ExpressibleByArgument {}

/// Arguments that go with `--serve`.
struct ServeOptions: ParsableArguments {
    @Flag(help: "Serve on an address that other machines can reach; needs a token or --no-auth.")
    var servePublic = false

    @Option(
        help: ArgumentHelp(
            "Tokens, one per line; every request must carry one: as bearer, as API key or as ?token=.",
            valueName: "file"))
    var serveTokens: String?

    @Flag(help: "Require no token, even on an address that other machines can reach.")
    var noAuth = false

    @Option(
        help: ArgumentHelp("Serve over TLS with this certificate chain; PEM.", valueName: "file"))
    var serveCert: String?

    @Option(help: ArgumentHelp("The key of that certificate; PEM.", valueName: "file"))
    var serveKey: String?

    @Option(
        help: ArgumentHelp(
            "Admit only clients with a certificate of one of these authorities; PEM.", valueName: "file"))
    var serveClientCa: String?

    @Option(help: "Which clients get compressed messages, if they offer it: never, remote or always.")
    var serveDeflate = BookServer.Deflation.remote

    @Flag(help: "Also show books that are not live, with a header that says so.")
    var serveStale = false

    @Flag(help: "Pass on gaps in the streams instead of bridging them.")
    var passGaps = false

    @Option(
        help: ArgumentHelp(
            "Most WebSocket clients at once; a quarter more is kept for requests.", valueName: "count"
        ))
    var serveClients: Int?

    @Option(
        help: ArgumentHelp("Most requests per address and second; more get 429.", valueName: "count"))
    var serveRequests: Int?

    private static let tokenBytesMin = 16

    /// The options for the server.
    ///
    /// - Throws: `ValidationError` if they would be reckless or contradict each other.
    func options(_ serve: ServeArgument) throws -> BookServer.Options {
        var options = serve.options
        if let serveTokens { options.tokens = try ServeOptions.tokens(of: serveTokens) }
        if noAuth && serveTokens != nil {
            throw ValidationError("--no-auth and --serve-tokens exclude each other.")
        }
        if !serve.isLoopback {
            if !servePublic {
                throw ValidationError(
                    "--serve \(serve.address): other machines can reach it; say --serve-public if they may.")
            }
            if serveTokens == nil && serveClientCa == nil && !noAuth {
                throw ValidationError(
                    "--serve-public needs --serve-tokens FILE, --serve-client-ca FILE or --no-auth.")
            }
        }
        if (serveCert == nil) != (serveKey == nil) {
            throw ValidationError("--serve-cert and --serve-key belong together.")
        }
        if serveClientCa != nil && serveCert == nil {
            throw ValidationError("--serve-client-ca needs --serve-cert.")
        }
        if let serveCert, let serveKey {
            var identity = TLSIdentity(certificatePath: serveCert, keyPath: serveKey)
            identity.clientAuthorityPath = serveClientCa
            options.tls = identity
        }
        options.deflate = serveDeflate
        if let serveClients {
            try ServeOptions.check("--serve-clients", serveClients)
            options.clientCountMax = serveClients
            options.connectionCountMax = max(options.connectionCountMax, serveClients + serveClients / 4)
        }
        if let serveRequests {
            try ServeOptions.check("--serve-requests", serveRequests)
            options.requestsPerSecondMax = serveRequests
        }
        options.servesStale = serveStale
        options.passesGaps = passGaps
        return options
    }

    private static func check(_ name: String, _ count: Int) throws {
        if !(1...1_000_000).contains(count) { throw ValidationError("\(name) \(count): 1 to 1000000.") }
    }

    private static func tokens(of path: String) throws -> [String] {
        guard let bytes = contents(ofFile: path, bytesMax: 1 << 16) else {
            throw ValidationError("--serve-tokens \(path): cannot be read.")
        }
        let tokens = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }.map(String.init)
        let (least, most) = (tokenBytesMin, BookServer.Options.tokenBytesMax)
        if tokens.isEmpty || !tokens.allSatisfy({ (least...most).contains($0.utf8.count) }) {
            throw ValidationError(
                "--serve-tokens \(path): needs tokens of \(least) to \(most) bytes."
            )
        }
        return tokens
    }
}
