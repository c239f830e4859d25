// One request of a fetcher in progress, without its carrier: collects the answer and determines its meaning.

import BinanceVenue
import FeedPlan

/// A request in progress. Its bytes are collected after a prefix, so that envelope and body are contiguous.
///
/// The carrier calls `answered` when the head of an answer has arrived, `received` for pieces of the body,
/// and `finished` once, after which nothing follows.
package final class SnapshotFetch {
    /// Base, path and query.
    package let address: String
    /// Longest body accepted.
    package let bodyBytesMax: Int
    /// Time limit for one address of the host.
    package let requestLimitMs: Int
    /// Time limit for all addresses together.
    let limitMs: Int
    /// Header lines to add, by their names.
    package let headers: [String: String]
    var bytes: [UInt8]
    private(set) var status = 0
    private(set) var usedWeight: Int?
    private(set) var retryAfterSeconds: Int?
    /// Levels per side at which the answer was truncated, if the server says so.
    private(set) var levelCountMax: Int?
    private let prefixBytes: Int
    private let clock: any ShellClock
    private var limit: ShellTimer?
    private var isLate = false
    private var cancelling: (() -> Void)?
    private var hasBegun: (SnapshotFetch) -> Void
    private var hasFinished: (SnapshotFetch, String?) -> Void

    /// - Parameters:
    ///   - limitMs: time limit for all addresses together.
    ///   - headers: additional header lines, by name.
    ///   - answered: called when the body starts.
    ///   - finished: called once at the end; nil after a whole body, whatever the status.
    init(
        _ address: String, on clock: any ShellClock, bodyBytesMax: Int, requestLimitMs: Int, limitMs: Int,
        headers: [String: String], prefix: [UInt8], answered: @escaping (SnapshotFetch) -> Void,
        finished: @escaping (SnapshotFetch, String?) -> Void
    ) {
        (self.address, self.clock, self.headers) = (address, clock, headers)
        (self.bodyBytesMax, self.requestLimitMs, self.limitMs) = (bodyBytesMax, requestLimitMs, limitMs)
        bytes = prefix
        prefixBytes = prefix.count
        (hasBegun, hasFinished) = (answered, finished)
    }

    /// The header in which a serving `lob` gives the number of levels per side at which it truncated an
    /// answer: a side of that length continues beyond it.
    static let levelCountHeader = "x-lob-depth-limit"

    /// Replaces the prefix with one of equal length.
    func setPrefix(_ prefix: [UInt8]) { bytes.replaceSubrange(..<prefixBytes, with: prefix) }

    /// Sends the request.
    ///
    /// - Parameter get: starts it; returns a closure that cancels it, or nil if the address is invalid.
    /// - Returns: false if the address is invalid; nothing then follows.
    func begin(_ get: (SnapshotFetch) -> (() -> Void)?) -> Bool {
        guard let cancelling = get(self) else { return false }
        self.cancelling = cancelling
        limit = clock.alarm(afterMs: Int64(limitMs)) { [unowned self] in
            isLate = true
            cancelling()
        }
        return true
    }

    /// Cancels it; `finished` follows.
    func cancel() { cancelling?() }

    /// The head of an answer arrived.
    ///
    /// - Parameters:
    ///   - status: its status.
    ///   - header: returns a header by its lower-case name.
    package func answered(status: Int, header: (String) -> String?) {
        self.status = status
        usedWeight = header("x-mbx-used-weight-1m").flatMap { Int($0) }
        retryAfterSeconds = header("retry-after").flatMap { Int($0) }
        levelCountMax = header(SnapshotFetch.levelCountHeader).flatMap { Int($0) }
        hasBegun(self)
    }

    /// A piece of the body.
    package func received(_ piece: Span<UInt8>) {
        for index in piece.indices { bytes.append(piece[index]) }
    }

    /// The end.
    ///
    /// - Parameter error: what went wrong, in a few words; nil after a whole body, whatever the status.
    package func finished(_ error: String?) {
        limit.map { clock.cancel($0) }
        cancelling = nil
        hasFinished(self, error)
    }

    /// What is known of the answer while its body is arriving.
    var head: SnapshotPlanner.Answer { SnapshotPlanner.Answer(status: status, usedWeight: usedWeight) }

    /// The answer, as the planner needs it.
    func answer(_ error: String?) -> SnapshotPlanner.Answer {
        // An incomplete body is no answer, but a refusal is one even if its body is incomplete.
        let isWhole = error == nil || status >= 400
        return SnapshotPlanner.Answer(
            status: isWhole ? status : 0, code: code, retryAfterSeconds: retryAfterSeconds,
            usedWeight: usedWeight)
    }

    /// What went wrong, in a few words.
    func reason(_ error: String?) -> String {
        if isLate { return "not whole after \(limitMs) ms" }
        if let error { return error }
        guard case .reply(_, .refused(let code, let text))? = refusal else { return "" }
        return "\(code) \(text)"
    }

    private var code: Int? {
        guard case .reply(_, .refused(let code, _))? = refusal else { return nil }
        return Int(code)
    }

    private var refusal: ControlMessage? {
        if status < 400 { return nil }
        let body = Array(bytes.dropFirst(prefixBytes))
        return try? ControlMessage(body.span)
    }
}
