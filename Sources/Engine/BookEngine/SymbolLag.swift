// How late the updates of one symbol arrive, by the event times in them.

import MarketData

/// The lag of a symbol's last update, and when it was found.
///
/// ```
/// input                             effect
/// update with an event time         lag measured, found now
/// another with the same time        –: a time that does not move is no time
/// the same one again                lag measured: it comes as late as it comes, on a new connection
/// update without a time             –
/// caughtUp                          no lag, found then: nothing was missing
/// ```
struct SymbolLag {
    /// How much later than usual its last update came, in nanoseconds.
    private(set) var lagNs: Int64 = 0
    /// When that was found, on the engine's clock: by an update, or by a snapshot that showed that none was
    /// missing.
    private(set) var notedNs: Int64 = 0
    private var lastEventTimeUs: Int64 = 0
    private var lastID = UpdateID(0)
    /// The meter's floor when that update came.
    private var floorNs: Int64 = .max

    /// Records the event time of an update that arrives now.
    ///
    /// - Parameters:
    ///   - eventTimeUs: the venue's; 0 if it has none.
    ///   - id: its last id.
    /// - Returns: whether the lag was measured.
    @inline(__always)
    mutating func note(
        eventTimeUs: Int64, id: UpdateID, nowNs: Int64, _ meter: inout LagMeter
    ) -> Bool {
        if eventTimeUs <= 0 || (eventTimeUs == lastEventTimeUs && id != lastID) { return false }
        if id > lastID { meter.wentBack(byUs: lastEventTimeUs &- eventTimeUs, sinceFloorNs: floorNs) }
        (lastEventTimeUs, lastID) = (eventTimeUs, id)
        lagNs = meter.lagNs(eventTimeUs: eventTimeUs, nowNs: nowNs)
        floorNs = meter.floorNs
        notedNs = nowNs
        return true
    }

    /// At this time the symbol was where the venue was.
    mutating func caughtUp(atNs: Int64) { (lagNs, notedNs) = (0, atNs) }
}
