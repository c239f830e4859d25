// Follows each book during a replay and notes the lines at which something happened: where a gap lies, which
// ids were expected and found, and where the ids of a symbol start over.
//
// Ids that go back belong to another session if time confirms it: an update that is later than the book and
// has older ids (the venue restarted; with a second of tolerance, because two connections deliver in no fixed
// order, and with none for ids from before the session), or one that is half a minute older than the book (a
// second capture after the first). All others repeat what the book already has.

import BookEngine
import BookSync
import DepthBook
import MarketData

/// One session of a symbol's ids.
struct ReplayedSession {
    private static let doubtUs: Int64 = 1_000_000
    private static let repeatUs: Int64 = 30_000_000

    /// First id of its first update.
    private(set) var first = UpdateID(0)
    /// Highest id so far; nil before the first update.
    private(set) var last: UpdateID?
    /// Latest time so far, in microseconds.
    private var lastUs: Int64 = 0

    /// Whether an update belongs to another session.
    func isOver(by ids: UpdateRange, timeUs: Int64) -> Bool {
        guard let last, ids.last < last, timeUs > 0, lastUs > 0 else { return false }
        let (ahead, overflow) = timeUs.subtractingReportingOverflow(lastUs)
        if overflow { return true }
        if ahead > ReplayedSession.doubtUs || ahead < -ReplayedSession.repeatUs { return true }
        return ids.last < first && ahead > 0
    }

    /// Notes an update of this session; true if it extends those before it.
    mutating func take(_ ids: UpdateRange, timeUs: Int64) -> Bool {
        lastUs = max(lastUs, timeUs)
        guard let last else {
            first = ids.first
            self.last = ids.last
            return true
        }
        if ids.last <= last { return false }
        self.last = ids.last
        return true
    }
}

/// What is known about a book from frame to frame.
struct ReplayWatch {
    private var mark: BookMark?
    var session = ReplayedSession()
    /// Why the book last became stale, or stayed so.
    private(set) var incident: String?

    /// Compares the book's position with its position before an update (nil before any other frame).
    mutating func look(
        _ now: BookMark, at origin: @autoclosure () -> String, event: UpdateRange?, expected: UpdateID?
    ) {
        defer { mark = now }
        guard let before = mark else { return }
        let isLost = before.state == .live && now.state != .live
        if now.gaps == before.gaps && now.rescales == before.rescales && !isLost { return }
        if now.rescales > before.rescales {
            let id = event?.last ?? now.lastUpdateID
            incident =
                "the decimals changed at update id \(id) (\(origin())); "
                + "give or record a snapshot of a later id"
        } else if now.gaps > before.gaps, let event, let expected {
            incident = ReplayWatch.gap(event, expected, origin())
        } else if isLost {
            incident = "\(now.reason) at update id \(event?.last ?? now.lastUpdateID) (\(origin()))"
        }
    }

    /// What is missing before an update.
    private static func gap(_ event: UpdateRange, _ expected: UpdateID, _ origin: String) -> String {
        guard let begins = event.previousLast else {
            return "gap at \(origin): expected U up to \(expected.value &+ 1), found \(event.first)"
        }
        if begins < expected && expected < event.last {
            return "the update at \(origin) begins at pu \(begins), the book stands at \(expected): "
                + "updates of two connections?"
        }
        return "gap at \(origin): expected pu \(expected), found \(begins)"
    }
}
