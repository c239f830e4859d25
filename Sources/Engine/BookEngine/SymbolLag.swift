// How late the updates of one symbol arrive, by the event times in them.

/// The lag of a symbol's last update, and when it was found.
///
/// ```
/// input                             effect
/// update with an event time         lag measured, found now
/// update whose time does not move   –: a time that does not move is no time
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

    /// Records the event time of an update that arrives now.
    ///
    /// - Returns: whether the lag was measured.
    @inline(__always)
    mutating func note(eventTimeUs: Int64, nowNs: Int64, _ meter: inout LagMeter) -> Bool {
        if eventTimeUs <= 0 || eventTimeUs == lastEventTimeUs { return false }
        lastEventTimeUs = eventTimeUs
        lagNs = meter.lagNs(eventTimeUs: eventTimeUs, nowNs: nowNs)
        notedNs = nowNs
        return true
    }

    /// At this time the symbol was where the venue was.
    mutating func caughtUp(atNs: Int64) { (lagNs, notedNs) = (0, atNs) }
}
