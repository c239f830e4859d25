// Whether a book kept across a lost connection must prove itself before it is trusted.
//
// Its ids alone do not tell (see `ReconnectTrial`): it is proven by a snapshot, or believed because other
// books of its venue were proven.

/// The doubt that a reconnect casts on one book.
///
/// ```
/// state      input     next       meaning
/// settled    kept      doubted    in doubt since this trial; its update count is recorded
/// doubted,   kept      doubted    what came since the last reconnect is as doubtful as the book itself
/// believed,
/// early
/// doubted    believe   believed   other books proved that the venue's ids continue
/// doubted,   proved-   early      a snapshot agreed that may predate the connection: enough for the book
/// believed   Early                for a while, not for others
/// believed,  refuted   doubted    it turned out that they do not
/// early
/// any        proved    settled    a snapshot agreed
/// any        forget    settled    the book is given up
/// ```
struct ReconnectDoubt {
    private enum State: Hashable {
        case settled, doubted, believed, early
    }

    private var state = State.settled
    /// Updates in the kept book since its snapshot: they distinguish it from a book of another id epoch.
    private var keptUpdates = 0
    /// The trial since which it has been in doubt.
    private(set) var sinceTrial = 0
    /// The trial in which it last requested a proof.
    private var askedInTrial = 0

    /// Whether it must prove itself before it is trusted.
    var needsProof: Bool { state == .doubted }

    /// Whether it is believed without having been proven beyond doubt.
    var isBelievedUnproven: Bool { state == .believed || state == .early }

    /// Whether it is believed because of a snapshot that may predate the connection.
    var isEarly: Bool { state == .early }

    /// Whether its agreement with the venue says something about the other books of a trial.
    func isTelling(of trial: ReconnectTrial) -> Bool { keptUpdates > 0 && trial.isOld(since: sinceTrial) }

    /// Its connection was lost, and the book is kept.
    ///
    /// - Parameters:
    ///   - former: the doubt before the loss.
    ///   - updates: updates applied since its snapshot.
    ///   - trial: number of the trial that starts.
    mutating func kept(after former: ReconnectDoubt, updates: Int, trial: Int) {
        if former.state == .settled { (keptUpdates, sinceTrial) = (updates, trial) }
        state = .doubted
    }

    /// Other books of its venue were proven.
    mutating func believe() { state = .believed }

    /// The venue's ids turned out not to continue.
    ///
    /// - Returns: whether that puts the book in doubt again.
    mutating func refuted() -> Bool {
        if !isBelievedUnproven { return false }
        state = .doubted
        return true
    }

    /// A snapshot agreed with the book that may predate the connection.
    ///
    /// - Returns: whether that ended a doubt.
    mutating func provedEarly() -> Bool {
        if state == .settled { return false }
        defer { state = .early }
        return needsProof
    }

    /// A snapshot agreed with the book.
    mutating func proved() { state = .settled }

    /// The book is given up.
    mutating func forget() { state = .settled }

    /// Whether it may request a proof of its own now.
    mutating func mayAsk(_ trial: inout ReconnectTrial, nowNs: Int64) -> Bool {
        trial.mayAsk(&askedInTrial, nowNs: nowNs)
    }
}
