// Who a server is.

import CLobTransport

/// Certificate chain and key of a server, PEM files, and whom it lets in.
package struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by the chain to the authority.
    package let certificatePath: String
    /// The private key.
    package let keyPath: String
    /// The authorities of which every client has to bring a certificate; nil: no client is asked for one.
    package var clientAuthorityPath: String?

    /// An identity of two files; no client is asked who it is.
    package init(certificatePath: String, keyPath: String) {
        (self.certificatePath, self.keyPath) = (certificatePath, keyPath)
    }
}
