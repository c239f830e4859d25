// The methods distinguished by a server.

import CLobTransport

/// A request's method.
package enum HTTPMethod: Hashable, Sendable {
    /// GET.
    case get
    /// HEAD.
    case head
    /// POST.
    case post
    /// Any other.
    case other

    /// Its name in HTTP; one word for all methods unknown to our servers.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .other: "OTHER"
        }
    }

    /// From the library's number.
    init(_ number: Int32) {
        switch number {
        case 0: self = .get
        case 1: self = .post
        case 7: self = .head
        default: self = .other
        }
    }
}
