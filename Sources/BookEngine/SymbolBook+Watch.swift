// What silence means, judged whenever a tick says that time has passed. No tick, no judgement: a replay of
// frames without ticks is what it was.
//
// A stream can die alone: the venue acknowledges a subscription and never delivers, or stops delivering on a
// connection that lives. No id tells, because the next event never comes. Two things do: a symbol is silent
// for far longer than is usual for it, or a snapshot shows that the venue has gone on.

import BinanceDepth
import DepthBook

extension SymbolBook {
    /// Time passed.
    func tick(atNs: Int64, _ wishes: inout [EngineWish]) {
        if source != nil {
            if isProvenBehind(atNs) {
                counters.behind += 1
                restart(.behind, &wishes)
                resubscribe(atNs: atNs, &wishes)
            } else if silence.isTooLong(atNs: atNs, usualIntervalNs, configuration) {
                resubscribe(atNs: atNs, &wishes)
            }
        }
        startWhatIsDue(atNs: atNs, &wishes)
    }

    /// Whether the book in the shadow stands at a snapshot ahead of the served one, and no event led there in
    /// time.
    private func isProvenBehind(_ atNs: Int64) -> Bool {
        guard let shadow, case .joining(let ahead, _) = shadow.sync.state, let own = main.sync.lastID else {
            return false
        }
        return ahead > own && atNs &- shadow.loadedAtNs > configuration.snapshotAheadNsMax
    }

    private func resubscribe(atNs: Int64, _ wishes: inout [EngineWish]) {
        counters.resubscriptions += 1
        silence.resubscribed(atNs: atNs)
        wishes.append(.resubscribe(name))
    }
}

/// For how long a symbol has been silent, and for how long it may be.
///
/// ```
/// state      input          next       isTooLong
/// new        subscribed     new        no; the next tick begins to count
///            isTooLong      waiting    no
///            heard          hearing
/// waiting    isTooLong      –          after firstEventNsMax, doubled for every fruitless resubscription
/// hearing    isTooLong      –          after silenceNsMin and thirty usual intervals, doubled likewise
/// waiting,   heard          hearing    counts anew, and nothing was fruitless
/// hearing    subscribed     new
///            resubscribed   –          counts anew, and is fruitless until something is heard
/// ```
/// Doubling ends at `silenceNsMax`.
struct SilenceWatch {
    /// 0 until a tick tells the time of a new subscription.
    private var sinceNs: Int64 = 0
    private var fruitless = 0
    /// Whether an event of this subscription has come.
    private(set) var isHeard = false

    mutating func subscribed() {
        sinceNs = 0
        isHeard = false
    }

    mutating func heard(atNs: Int64) {
        sinceNs = atNs
        fruitless = 0
        isHeard = true
    }

    mutating func resubscribed(atNs: Int64) {
        sinceNs = atNs
        fruitless += 1
    }

    mutating func isTooLong(atNs: Int64, _ usualIntervalNs: Int64, _ limits: EngineConfiguration) -> Bool {
        if sinceNs == 0 {
            sinceNs = atNs
            return false
        }
        let unusualNs = min(usualIntervalNs, .max / 30) * 30
        var limitNs = isHeard ? max(limits.silenceNsMin, unusualNs) : limits.firstEventNsMax
        var doublings = fruitless
        while doublings > 0 && limitNs < limits.silenceNsMax {
            limitNs = min(limitNs * 2, limits.silenceNsMax)
            doublings -= 1
        }
        return atNs &- sinceNs > limitNs
    }
}
