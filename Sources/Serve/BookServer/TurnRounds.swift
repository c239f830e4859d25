// How often a turn of the server looks for news, and what it does then. Each look comes behind the arming of
// the wake switches: what it does not see wakes the loop.
//
//     look             | found   | next
//     -----------------|---------|---------------------------------------------------------
//     first            | nothing | serve (a socket or a time has woken the loop), then sleep
//     first            | some    | serve, look again
//     further          | nothing | sleep
//     further          | some    | serve, look again
//     the last allowed | some    | serve, then the sockets have their turn, without a wait
//
// So the turn that a wake has caused finds out by itself that it is done: no empty one follows it.

/// The looks of one turn.
struct TurnRounds {
    /// What is to be done.
    enum Next: Hashable {
        /// Serve what was found, and look again.
        case serveAndLook
        /// Serve what is due; then the loop may sleep.
        case serveAndSleep
        /// Serve what was found; the loop must turn again without sleeping.
        case serveAndYield
        /// The loop may sleep.
        case sleep
    }

    /// Most looks of a turn.
    static let countMax = 4
    private var count = 0

    /// A look has found something, or nothing.
    mutating func looked(hasFound: Bool) -> Next {
        count += 1
        if !hasFound { return count == 1 ? .serveAndSleep : .sleep }
        return count == TurnRounds.countMax ? .serveAndYield : .serveAndLook
    }
}
