// The configuration's times as durations. They are stored in milliseconds, rounded up, so that no time
// becomes "never".

import MarketData

extension ServiceConfiguration {
    /// Time between two audits of a book; zero disables them.
    public var auditEvery: Duration {
        get { .milliseconds(auditEveryMs) }
        set { auditEveryMs = TimeLimit.ms(newValue) }
    }

    /// A book whose updates arrive this much later than usual is stale; zero: never.
    public var lagMax: Duration {
        get { .milliseconds(lagMsMax) }
        set { lagMsMax = TimeLimit.ms(newValue) }
    }

    /// Silence after which a symbol's streams are resubscribed.
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
