// Numbers that two threads with a CPU each measured together, and how to tell whether they had the CPUs.
//
// A thread that has to wait for a CPU while a message is on its way adds the time slice of somebody else, a
// millisecond or more, to a latency of microseconds. The kernel counts how long each thread waited
// (`RunDelay`), so nobody has to guess: the share of the time that the two waited is about the share of
// messages that were late. A tenth of them moves a median to the 55th percentile at most; a hundredth is all
// that a 99th percentile bears. A round beyond that limit is disturbed. The number of a contender is the
// median over its rounds that were left alone; where these are fewer than half, there is nothing clean to
// report: it is the median over all rounds, and is marked.

/// One number of a contender, round by round.
struct Rounds {
    /// The waits that means and medians bear, as a share of the time.
    static let waitedShareMax = 0.1
    /// The same for 99th percentiles.
    static let waitedShareMaxOfP99 = 0.01

    private let waitedShareMax: Double
    private(set) var values: [Double] = []
    /// How long both threads waited, as a share of the time; nil where the kernel does not tell.
    private var waitedShares: [Double?] = []

    init(waitedShareMax: Double = Rounds.waitedShareMax) { self.waitedShareMax = waitedShareMax }

    mutating func append(_ value: Double, waitedShare: Double?) {
        values.append(value)
        waitedShares.append(waitedShare)
    }

    private func isDisturbed(_ round: Int) -> Bool {
        waitedShares[round].map { $0 > waitedShareMax } ?? false
    }

    var disturbedCount: Int { values.indices.reduce(0) { $0 + (isDisturbed($1) ? 1 : 0) } }
    /// Whether more than half of the rounds are disturbed.
    var isDisturbed: Bool { 2 * disturbedCount > values.count }
    /// The rounds that the number is of: those left alone, or all of them.
    var counted: [Int] { values.indices.filter { isDisturbed || !isDisturbed($0) } }
    /// The number.
    var value: Double { median(counted.map { values[$0] }) }
    /// The lowest and the highest of the rounds that the number is of.
    var low: Double { counted.map { values[$0] }.min() ?? 0 }
    var high: Double { counted.map { values[$0] }.max() ?? 0 }
    /// The median over all rounds; nil where the kernel does not tell.
    var waitedShare: Double? {
        let shares = waitedShares.compactMap(\.self)
        return shares.isEmpty ? nil : median(shares)
    }
}

/// One-way latency of a contender.
struct LatencyRounds {
    private(set) var p50Ns = Rounds()
    private(set) var p99Ns = Rounds(waitedShareMax: Rounds.waitedShareMaxOfP99)

    /// Adds the latencies of the messages of one round.
    mutating func append(_ latenciesNs: [Double], waitedShare: Double?) {
        p50Ns.append(quantile(latenciesNs, 0.5), waitedShare: waitedShare)
        p99Ns.append(quantile(latenciesNs, 0.99), waitedShare: waitedShare)
    }
}
