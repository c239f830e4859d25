// Ids that no stream can have reached: from a damaged message, or a venue that counts differently than
// before.

import MarketData

/// Which update ids a symbol can have reached, and how many in a row were not among them.
///
/// ```
/// input               effect                             verdict
/// isPlausible         –                                  within what can be used up since the last update
/// refused             one more in a row                  at the third the venue counts differently
/// accepted            none in a row
/// ```
struct PlausibleIDs {
    /// This many in a row are believed.
    private static let runMax = 3
    /// How long a stream may have been counting before its first update came.
    private static let graceSeconds: Int64 = 60

    private let perSecondMax: Int64
    private var run = 0

    /// - Parameter perSecondMax: ids that a symbol may use up in a second.
    init(perSecondMax: Int64) { self.perSecondMax = perSecondMax }

    /// Whether a stream can have come this far since it was heard last.
    ///
    /// - Parameter known: the last id that is known of the symbol; nil if none is.
    @inline(__always)
    func isPlausible(_ id: UpdateID, after known: UpdateID?, heardNs: Int64, nowNs: Int64) -> Bool {
        guard let known else { return true }
        let (beyond, isHuge) = id.value.subtractingReportingOverflow(known.value)
        if !isHuge && beyond <= perSecondMax { return true }
        let seconds = PlausibleIDs.graceSeconds + max(nowNs &- heardNs, 0) / 1_000_000_000
        let (budget, isUnlimited) = seconds.multipliedReportingOverflow(by: perSecondMax)
        return isUnlimited || (!isHuge && beyond <= budget)
    }

    /// An update had ids that no stream can have reached: it may stand for a real one.
    ///
    /// - Returns: whether enough came in a row that they are the venue's.
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
