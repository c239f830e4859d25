// Memory asked for before it is needed.

import CLobKernels

/// The processor's cache.
package enum CacheLines {
    /// Asks for the lines of some bytes, which are to be written soon.
    ///
    /// - Parameters:
    ///   - address: where they begin; it is not read through, so there may be nothing.
    ///   - byteCount: how many.
    @inlinable
    @inline(__always)
    package static func prefetch(_ address: UInt, _ byteCount: Int) {
        lob_prefetch_lines(address, Int64(byteCount))
    }
}
