// Who a server is.

import CLobTransport

/// Certificate chain and key of a server, PEM files.
package struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by the chain to the authority.
    package let certificatePath: String
    /// The private key.
    package let keyPath: String

    /// An identity of two files.
    package init(certificatePath: String, keyPath: String) {
        (self.certificatePath, self.keyPath) = (certificatePath, keyPath)
    }
}
