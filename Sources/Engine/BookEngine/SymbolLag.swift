// How late one symbol's updates arrive, by their event times.

import MarketData

/// The lag of a symbol's last update, and when it was measured.
///
/// ```
/// input                             effect
/// update with an event time         lag measured now
/// another with the same time        –: a time that does not advance says nothing
/// the same one again                lag measured: on a new connection, it is as late as it is
/// update without a time             –
/// caughtUp                          no lag as of then: nothing was missing
/// ```
struct SymbolLag {
    /// How much later than usual its last update came, in nanoseconds.
    private(set) var lagNs: Int64 = 0
    /// When that was established, on the engine's clock: by an update, or by a snapshot showing that none was
    /// missing.
    private(set) var notedNs: Int64 = 0
    /// Whether it was measured on the last update.
    private var isOfLast = false
    /// Whether the last update lies before its predecessor by id and after it by time: no duplicate and no
    /// straggler does, so the venue's ids have gone back.
    private(set) var idsWentBack = false
    private var lastEventTimeUs: Int64 = 0
    private var lastID = UpdateID(0)
    /// The meter's floor when that update arrived.
    private var floorNs: Int64 = .max

    /// Records the event time of an update arriving now.
    ///
    /// - Parameters:
    ///   - eventTimeUs: the venue's; 0 if there is none.
    ///   - id: its last id.
    ///   - source: the connection on which it arrives.
    ///   - nowNs: the time.
    ///   - meter: the shard's.
    /// - Returns: whether the lag was measured.
    @inline(__always)
    mutating func note(
        eventTimeUs: Int64, id: UpdateID, on source: UInt16, nowNs: Int64, _ meter: inout LagMeter
    ) -> Bool {
        isOfLast = eventTimeUs > 0 && (eventTimeUs != lastEventTimeUs || id == lastID)
        idsWentBack = false
        if !isOfLast { return false }
        if id < lastID { idsWentBack = lastEventTimeUs > 0 && eventTimeUs > lastEventTimeUs }
        if id > lastID { meter.wentBack(byUs: lastEventTimeUs &- eventTimeUs, sinceFloorNs: floorNs) }
        (lastEventTimeUs, lastID) = (eventTimeUs, id)
        lagNs = meter.lagNs(eventTimeUs: eventTimeUs, on: source, nowNs: nowNs)
        floorNs = meter.floorNs
        notedNs = nowNs
        return true
    }

    /// When the last update, which arrived at this time, was sent, apart from the shortest transit time; the
    /// arrival time if the lag is unknown.
    func sentNs(arrivedNs: Int64) -> Int64 { isOfLast ? arrivedNs &- lagNs : arrivedNs }

    /// The symbol was level with the venue at this time.
    mutating func caughtUp(atNs: Int64) { (lagNs, notedNs) = (0, atNs) }
}
