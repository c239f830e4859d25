// The times of a configuration as durations. They are kept in milliseconds: a part of one counts as a whole
// one, so that no time becomes "never".

import MarketData

extension ServiceConfiguration {
    /// Time between two audits of a book; zero: none.
    public var auditEvery: Duration {
        get { .milliseconds(auditEveryMs) }
        set { auditEveryMs = TimeLimit.ms(newValue) }
    }

    /// A book whose updates arrive this much later than usual is stale; zero: never.
    public var lagMax: Duration {
        get { .milliseconds(lagMsMax) }
        set { lagMsMax = TimeLimit.ms(newValue) }
    }

    /// Silence after which a symbol's streams are subscribed again.
    public var silence: Duration {
        get { .milliseconds(silenceMs) }
        set { silenceMs = TimeLimit.ms(newValue) }
    }

    /// Time between two ticks of the engine.
    public var tickInterval: Duration {
        get { .milliseconds(tickIntervalMs) }
        set { tickIntervalMs = Int(TimeLimit.ms(newValue)) }
    }
}
