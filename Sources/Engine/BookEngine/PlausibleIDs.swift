// Ids that no stream can have reached: from a damaged message, or a venue that has changed its numbering.

import MarketData

/// Which update ids a symbol can have reached, and how many consecutive ones it cannot.
///
/// ```
/// input               effect                             verdict
/// isPlausible         –                                  within what can be used since the last update
/// refused             one more in a row                  at the third the venue has changed its numbering
/// accepted            none in a row
/// ```
struct PlausibleIDs {
    /// This many in a row are believed.
    private static let runMax = 3
    /// How long a stream may have been numbering before its first update arrived.
    private static let graceSeconds: Int64 = 60

    private let perSecondMax: Int64
    private var run = 0

    /// - Parameter perSecondMax: ids a symbol may use per second.
    init(perSecondMax: Int64) { self.perSecondMax = perSecondMax }

    /// Whether a stream can have come this far since it was last heard.
    ///
    /// - Parameter known: the symbol's last known id; nil if none is.
    @inline(__always)
    func isPlausible(_ id: UpdateID, after known: UpdateID?, heardNs: Int64, nowNs: Int64) -> Bool {
        guard let known else { return true }
        let (beyond, isHuge) = id.value.subtractingReportingOverflow(known.value)
        if !isHuge && beyond <= perSecondMax { return true }
        let seconds = PlausibleIDs.graceSeconds + max(nowNs &- heardNs, 0) / 1_000_000_000
        let (budget, isUnlimited) = seconds.multipliedReportingOverflow(by: perSecondMax)
        return isUnlimited || (!isHuge && beyond <= budget)
    }

    /// An update had ids that no stream can have reached: it may stand in for a real one.
    ///
    /// - Returns: whether enough came in a row that they must be the venue's.
    mutating func refused() -> Bool {
        run += 1
        if run < PlausibleIDs.runMax { return false }
        run = 0
        return true
    }

    /// An update was applied.
    @inline(__always)
    mutating func accepted() { run = 0 }
}
