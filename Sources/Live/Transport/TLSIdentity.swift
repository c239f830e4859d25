// Who a server is.

import CLobTransport

/// Certificate chain and key of a server, PEM files.
public struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by the chain to the authority.
    public let certificatePath: String
    /// The private key.
    public let keyPath: String

    /// An identity of two files.
    public init(certificatePath: String, keyPath: String) {
        (self.certificatePath, self.keyPath) = (certificatePath, keyPath)
    }
}
