// What goes wrong at the simulated venue, and how often. All faults combine freely.
//
// A rate is always a probability per opportunity: of a frame being lost, of a request failing, of a second in
// the life of a connection being its last. Rates are integers, parts in 10^9, so that a plan is the same on
// every machine.
//
// Damage to bytes is of a kind that a strict reader can notice: a frame is cut short, a structural byte is
// replaced, or a run of bytes becomes garbage that no JSON text contains. A flipped digit that still reads as
// another number is not offered: TCP and TLS do not deliver such bytes, and no protocol without checksums
// could notice them.
//
// The subtle faults damage nothing on the way: the venue, one of its nodes or the client's own machine says
// something false, or says nothing where it should. Each case describes its fault.

/// One kind of fault.
package enum Fault: Int, CaseIterable, Sendable {
    /// A frame never arrives.
    case lost
    /// A frame arrives twice.
    case duplicate
    /// A frame arrives after frames that were sent after it.
    case reorder
    /// A frame ends early.
    case truncate
    /// Some bytes of a frame are overwritten.
    case corrupt
    /// A frame arrives under the name of a symbol that nobody asked for; its own symbol does not get it.
    case foreign
    /// A connection is lost: with a close frame or without, but the client is told.
    case cut
    /// A connection is lost silently: neither data nor pings nor a close.
    case vanish
    /// A connection reaches the end of its 24 hours early.
    case expire
    /// The server announces its shutdown (spot) and closes a little later.
    case shutdown
    /// A connection delivers nothing for a while, then everything at once.
    case stall
    /// A subscription is accepted and never delivers.
    case mute
    /// The consumer of the frames stands still for a while, so that what lies between may overflow.
    case pause
    /// A snapshot is seconds older than the stream.
    case stale
    /// A symbol's snapshots show one old state for several requests in a row.
    case frozen
    /// A request fails: no answer, a server error, a body cut short or empty.
    case fail
    /// An answer takes seconds.
    case slow
    /// Tick size and printed decimals of a symbol change, or change back.
    case rescale
    /// The book thins out: levels near the best vanish and none replace them.
    case thin
    /// The price walks far away in one direction.
    case walk
    /// One message changes 2,300 levels.
    case burst
    /// A symbol is halted for a while.
    case halt
    /// Subscriptions of a symbol's depth stream that have delivered stop delivering.
    case fade
    /// A message breaks the format but still names its symbol: a third element in a level, or a number with
    /// too many digits.
    case unreadable
    /// A message is destroyed together with the name of its symbol.
    case garbled
    /// Some numbers of a message have one decimal more than others; their values are unchanged.
    case mixed
    /// The last id of a message is near 2^63, or beyond it.
    case absurd
    /// A message is lost between socket and ring, and its symbol is silent for a while.
    case drop
    /// A link is slower than its stream for a while: data arrives later and later.
    case lag
    /// A subscription on an additional connection, next to one that delivers, is accepted and never delivers.
    case idle
    /// The client's wall clock is set forwards or back.
    case clock
    /// A snapshot comes from a node that lags by up to three seconds.
    case tardy
    /// A snapshot holds a few levels with a wrong quantity.
    case contradict
    /// The best bid of a snapshot lies above its best ask.
    case crossed
    /// A snapshot shows the end of an update. Without this fault nearly all show a state inside one.
    case whole
    /// The address is banned for minutes: 418.
    case ban
    /// All subscriptions of a symbol that have delivered stop delivering.
    case dark
    /// New prices of a symbol have one decimal fewer than those of old orders, until the fault ends.
    case coarse
    /// The venue starts over: all connections are cut, all books differ, and all ids start again, at a small
    /// number or a little below the old ones.
    case restart
    /// A depth stream is unsubscribed, and the reply waits for the next update, which the client does not
    /// get; then the symbol is silent for a while.
    case between
    /// The server behind a connection is gone, but what stands before it goes on: pings are answered, and
    /// nothing else comes.
    case hollow
    /// A message says that it is of another type than before, and is otherwise unchanged.
    case renamed
    /// The venue refuses to subscribe a symbol's depth stream for a while.
    case refuse
    /// A message names one symbol for its stream and another for itself, which is wrong in one of them.
    case swapped

    /// What a rate counts.
    package enum Opportunity: Sendable {
        /// Each data frame of each connection.
        case frame
        /// Each second of each connection.
        case connectionSecond
        /// Each subscription, or each end of one.
        case subscription
        /// Each second of the consumer.
        case consumerSecond
        /// Each request; for faults of a snapshot's content, each snapshot of a symbol.
        case request
        /// Each second of each symbol.
        case symbolSecond
        /// Each second.
        case venueSecond
    }

    /// What this fault's rate counts.
    package var opportunity: Opportunity {
        switch self {
        case .lost, .duplicate, .reorder, .truncate, .corrupt, .foreign: .frame
        case .unreadable, .garbled, .mixed, .absurd, .drop, .renamed, .swapped: .frame
        case .cut, .vanish, .expire, .shutdown, .stall, .lag, .hollow: .connectionSecond
        case .mute, .idle, .between, .refuse: .subscription
        case .pause, .clock: .consumerSecond
        case .stale, .frozen, .fail, .slow, .tardy, .contradict, .crossed, .whole, .ban: .request
        case .rescale, .thin, .walk, .burst, .halt, .fade, .dark, .coarse: .symbolSecond
        case .restart: .venueSecond
        }
    }

    /// The rate of `everything` and of a fault named without a rate, in parts of 10^9.
    package var usualRate: Int64 {
        switch self {
        case .lost, .duplicate, .reorder: 1_000_000
        case .truncate, .corrupt, .foreign: 300_000
        case .cut, .stall: 2_000_000
        case .vanish, .expire, .shutdown: 500_000
        case .mute: 20_000_000
        case .pause: 2_000_000
        case .stale, .fail, .slow: 50_000_000
        case .frozen: 20_000_000
        case .rescale, .fade: 500_000
        case .thin, .walk, .halt: 1_000_000
        case .burst: 2_000_000
        case .unreadable, .mixed: 300_000
        case .garbled, .absurd, .drop, .renamed, .swapped: 100_000
        case .lag, .clock: 2_000_000
        case .idle: 30_000_000
        case .tardy: 100_000_000
        case .contradict, .crossed: 20_000_000
        case .whole: 15_000_000
        case .ban: 2_000_000
        case .dark, .coarse, .hollow: 500_000
        case .restart: 1_000_000
        case .between: 100_000_000
        case .refuse: 20_000_000
        }
    }

    /// Whether it is part of the plan `everything` only: nothing is lost or damaged on the way.
    package var isSubtle: Bool { rawValue >= Fault.unreadable.rawValue }

    /// Whether it changes what books hold or what snapshots show of them.
    package var isOfBooks: Bool {
        switch opportunity {
        case .symbolSecond, .venueSecond: true
        case .request: [.stale, .frozen, .tardy, .contradict, .crossed, .whole].contains(self)
        case .frame, .connectionSecond, .subscription, .consumerSecond: false
        }
    }

    /// The name in the text of a plan.
    package var name: String { "\(self)" }
}

/// A rate for every fault.
package struct FaultPlan: Hashable, Sendable {
    /// A rate of 1: at every opportunity.
    package static let certain: Int64 = 1_000_000_000

    private var rates: [Int64]

    /// No fault at all.
    package static let none = FaultPlan(rates: Fault.allCases.map { _ in 0 })
    /// Every fault at its usual rate, except the subtle ones.
    package static let all = FaultPlan(rates: Fault.allCases.map { $0.isSubtle ? 0 : $0.usualRate })
    /// Every fault at its usual rate.
    package static let everything = FaultPlan(rates: Fault.allCases.map(\.usualRate))
    /// What a real venue does and the network lets through, at the usual rates: TCP and TLS deliver no frame
    /// that is damaged, repeated, or without those before it.
    package static let venue = FaultPlan(
        rates: Fault.allCases.map { venueFaults.contains($0) ? $0.usualRate : 0 })
    /// The faults of `venue`.
    package static let venueFaults: [Fault] = [
        .cut, .vanish, .expire, .shutdown, .stall, .stale, .fail, .slow,
    ]

    /// What becomes of messages and connections on the way, at its usual rate, while the venue is honest and
    /// answers.
    package static let network = FaultPlan(
        rates: Fault.allCases.map { networkFaults.contains($0) ? $0.usualRate : 0 })
    /// The faults of `network`.
    package static let networkFaults: [Fault] = [
        .lost, .duplicate, .reorder, .cut, .vanish, .expire, .shutdown, .stall, .unreadable, .garbled, .drop,
    ]

    private init(rates: [Int64]) { self.rates = rates }

    /// The rate of a fault in parts of 10^9, 0 … `certain`; values outside are clamped.
    package subscript(fault: Fault) -> Int64 {
        get { rates[fault.rawValue] }
        set { rates[fault.rawValue] = min(max(newValue, 0), FaultPlan.certain) }
    }

    /// Whether nothing ever strikes.
    var isNone: Bool { rates.allSatisfy { $0 == 0 } }

    /// The faults of this plan that change what books hold or what snapshots show of them, rather than
    /// messages, connections or requests. They need an order flow.
    package var faultsOfBooks: [Fault] {
        Fault.allCases.filter { self[$0] > 0 && $0.isOfBooks }
    }

    /// Whether a fault happens at this opportunity; draws nothing if its rate is zero.
    func strikes(_ fault: Fault, _ random: inout SeededRandom) -> Bool {
        let rate = rates[fault.rawValue]
        return rate > 0 && random.below(Int(FaultPlan.certain)) < rate
    }
}
