// Whether a book that was kept across a lost connection must prove itself before it is believed.
//
// Its ids alone do not tell (see `ReconnectTrial`): it proves itself by a snapshot, or is believed because
// others of its venue have proven themselves.

/// The doubt that a reconnect has cast on one book.
///
/// ```
/// state      input     next       meaning
/// settled    kept      doubted    in doubt since this trial, with what it had taken in by then
/// doubted,   kept      doubted    what came since the last reconnect is as doubtful as what it was added to
/// believed
/// doubted    believe   believed   others have proven that the ids of the venue go on
/// believed   refuted   doubted    they turned out not to
/// any        proved    settled    a snapshot agreed
/// any        forget    settled    the book is given up
/// ```
struct ReconnectDoubt {
    private enum State: Hashable {
        case settled, doubted, believed
    }

    private var state = State.settled
    /// Updates that the kept book had taken in since its snapshot: they tell it from a book of another time.
    private var keptUpdates = 0
    /// The trial that it has been in doubt since.
    private(set) var sinceTrial = 0
    /// The trial in which it asked for a proof last.
    private var askedInTrial = 0

    /// Whether it is not believed before it has proven itself.
    var needsProof: Bool { state == .doubted }

    /// Whether it is believed though it has not proven itself.
    var isBelievedUnproven: Bool { state == .believed }

    /// Whether its agreement with the venue says something about the other books of a trial.
    func isTelling(of trial: ReconnectTrial) -> Bool { keptUpdates > 0 && trial.isOld(since: sinceTrial) }

    /// Its connection was lost, and the book is kept.
    ///
    /// - Parameters:
    ///   - former: what was doubted before the loss.
    ///   - updates: what it has taken in since its snapshot.
    ///   - trial: the number of the trial that begins.
    mutating func kept(after former: ReconnectDoubt, updates: Int, trial: Int) {
        if former.state == .settled { (keptUpdates, sinceTrial) = (updates, trial) }
        state = .doubted
    }

    /// Others of its venue have proven themselves.
    mutating func believe() { state = .believed }

    /// The ids of the venue turned out not to go on.
    ///
    /// - Returns: whether that puts the book in doubt again.
    mutating func refuted() -> Bool {
        if state != .believed { return false }
        state = .doubted
        return true
    }

    /// A snapshot agreed with the book.
    ///
    /// - Returns: whether that ended a doubt.
    mutating func proved() -> Bool {
        let wasDoubted = needsProof
        state = .settled
        return wasDoubted
    }

    /// The book is given up.
    mutating func forget() { state = .settled }

    /// Whether it may ask for a proof of its own now.
    mutating func mayAsk(_ trial: inout ReconnectTrial, nowNs: Int64) -> Bool {
        trial.mayAsk(&askedInTrial, nowNs: nowNs)
    }
}
