// What goes wrong at the simulated venue, and how often. All faults combine freely.
//
// A rate is always a probability per opportunity: of a frame to be lost, of a request to fail, of a second in
// the life of a connection to be its last. Rates are integers, parts in 10^9, so a plan is the same plan on
// every machine.
//
// Damage to bytes is of the kind a strict reader can notice: a frame is cut short, a structural byte is
// replaced, or a run of bytes becomes garbage that no JSON text holds. A flipped digit that still reads as
// another number is not offered: TCP and TLS do not deliver such bytes, and no protocol without checksums
// could notice them.

/// One kind of fault.
public enum Fault: Int, CaseIterable, Sendable {
    /// A frame never arrives.
    case lost
    /// A frame arrives twice.
    case duplicate
    /// A frame arrives after frames that were sent after it.
    case reorder
    /// A frame ends early.
    case truncate
    /// Some bytes of a frame are destroyed.
    case corrupt
    /// A frame arrives under the name of a symbol that nobody asked for; it is lost to its own symbol.
    case foreign
    /// A connection is lost: with a close frame or without, but the client is told.
    case cut
    /// A connection is lost without a word: neither data nor pings nor a close.
    case vanish
    /// A connection reaches the end of its 24 hours early.
    case expire
    /// The server announces its shutdown (spot) and closes a little later.
    case shutdown
    /// A connection delivers nothing for a while, then everything at once.
    case stall
    /// A subscription is accepted and never delivers.
    case mute
    /// The consumer of the frames stands still for a while, so that what is between may overflow.
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
    /// The book thins out: levels near the best go and none come.
    case thin
    /// The price walks far away in one direction.
    case walk
    /// One message changes 2,300 levels.
    case burst
    /// A symbol is halted for a while.
    case halt
    /// Subscriptions of a symbol's depth stream that have delivered deliver no more.
    case fade

    /// What a rate counts.
    public enum Opportunity: Sendable {
        /// Each data frame of each connection.
        case frame
        /// Each second of each connection.
        case connectionSecond
        /// Each subscription.
        case subscription
        /// Each second of the consumer.
        case consumerSecond
        /// Each request; `stale` and `frozen` each snapshot of a symbol.
        case request
        /// Each second of each symbol.
        case symbolSecond
    }

    /// What this fault's rate counts.
    public var opportunity: Opportunity {
        switch self {
        case .lost, .duplicate, .reorder, .truncate, .corrupt, .foreign: .frame
        case .cut, .vanish, .expire, .shutdown, .stall: .connectionSecond
        case .mute: .subscription
        case .pause: .consumerSecond
        case .stale, .frozen, .fail, .slow: .request
        case .rescale, .thin, .walk, .burst, .halt, .fade: .symbolSecond
        }
    }

    /// The rate of `all` and of a fault named without a rate, in parts of 10^9.
    public var usualRate: Int64 {
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
        }
    }

    /// The name in the text of a plan.
    public var name: String { "\(self)" }
}

/// A rate for every fault.
public struct FaultPlan: Hashable, Sendable {
    /// A rate of 1: at every opportunity.
    public static let certain: Int64 = 1_000_000_000

    private var rates: [Int64]

    /// No fault at all.
    public static let none = FaultPlan(rates: Fault.allCases.map { _ in 0 })
    /// Every fault at its usual rate.
    public static let all = FaultPlan(rates: Fault.allCases.map(\.usualRate))
    /// What a real venue does and the network lets through, at its usual rate: TCP and TLS deliver no frame
    /// damaged, twice, or without those before it.
    public static let venue = FaultPlan(
        rates: Fault.allCases.map { venueFaults.contains($0) ? $0.usualRate : 0 })
    /// The faults of `venue`.
    public static let venueFaults: [Fault] = [
        .cut, .vanish, .expire, .shutdown, .stall, .stale, .fail, .slow,
    ]

    private init(rates: [Int64]) { self.rates = rates }

    /// The rate of a fault in parts of 10^9, 0 … `certain`; values outside are clamped.
    public subscript(fault: Fault) -> Int64 {
        get { rates[fault.rawValue] }
        set { rates[fault.rawValue] = min(max(newValue, 0), FaultPlan.certain) }
    }

    /// The faults of this plan that change what books hold or what snapshots show of them, rather than what
    /// becomes of a message, a connection or a request. They need an order flow.
    public var faultsOfBooks: [Fault] {
        Fault.allCases.filter { fault in
            self[fault] > 0 && (fault.opportunity == .symbolSecond || [.stale, .frozen].contains(fault))
        }
    }

    /// Whether a fault happens at this opportunity; draws nothing if its rate is zero.
    func strikes(_ fault: Fault, _ random: inout SeededRandom) -> Bool {
        let rate = rates[fault.rawValue]
        return rate > 0 && random.below(Int(FaultPlan.certain)) < rate
    }
}
