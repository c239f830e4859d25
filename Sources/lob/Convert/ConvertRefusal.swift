// Why something cannot be converted.
//
// SAFETY: the system's text is copied during the call.

import Glibc

/// What is wrong, in words.
struct ConvertRefusal: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ path: String, errno number: Int32) {
        description = unsafe "\(path): cannot write: \(String(cString: strerror(number)))"
    }
}
