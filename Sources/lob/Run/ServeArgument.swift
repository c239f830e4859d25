// Where `lob run --serve` listens.

import ArgumentParser
import BookServer

/// An address and a port, or a port alone, as an argument. A port alone means loopback.
struct ServeArgument: ExpressibleByArgument {
    var address = "127.0.0.1"
    var port = 0

    /// A free port on loopback.
    init() {}

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last, let port = Int(last), (0...65535).contains(port) else { return nil }
        self.port = port
        if parts.count == 1 { return }
        address = String(argument.dropLast(last.count + 1))
        if address.hasPrefix("[") && address.hasSuffix("]") {
            address = String(address.dropFirst().dropLast())
        }
    }

    var defaultValueDescription: String { "\(address):\(port)" }

    /// Whether only this machine can connect.
    var isLoopback: Bool { address == "::1" || address.hasPrefix("127.") }

    func validate() throws {
        if !isLoopback { throw ValidationError("--serve \(address): only loopback addresses are served.") }
    }

    /// The same as server options.
    var options: BookServer.Options {
        var options = BookServer.Options()
        // Every address, and therefore every host name.
        let isEvery = ["0.0.0.0", "::", "*"].contains(address)
        (options.address, options.port) = (isEvery ? nil : address, port)
        return options
    }
}
