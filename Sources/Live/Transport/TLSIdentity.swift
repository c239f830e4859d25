// Identity of a server.

import CLobTransport

/// Certificate chain and key of a server as PEM files, and which clients it admits.
package struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by the chain to the authority.
    package let certificatePath: String
    /// The private key.
    package let keyPath: String
    /// The authorities of which every client must present a certificate; nil: no client certificates.
    package var clientAuthorityPath: String?

    /// An identity of two files; no client certificates.
    package init(certificatePath: String, keyPath: String) {
        (self.certificatePath, self.keyPath) = (certificatePath, keyPath)
    }
}
