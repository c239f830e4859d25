// Requests for rows of a store, which is read on another thread: the server carries on and answers when the
// rows have arrived.
//
// Bounded: `waitingCountMax` requests wait, of one owner of addresses its share; further ones are refused.

import LobHandoff
import LobTransport

/// Requests without an answer yet. Thread: the loop's.
final class HistoryRequests {
    static let waitingCountMax = 8

    private struct Answer: Sendable {
        var number: UInt64
        var answer: HistoryAnswer
    }

    private let provider: HistoryProvider
    private let wake: @Sendable () -> Void
    private let shareRules: ShareRules
    private let answers = CommandQueue<Answer>(capacity: 2 * waitingCountMax)
    private var waiting: [UInt64: (request: HTTPRequest, owner: String, query: HistoryQuery)] = [:]
    private var number: UInt64 = 0

    /// - Parameters:
    ///   - provider: reads the store.
    ///   - shareRules: limit the requests of one owner.
    ///   - wake: wakes the loop; called on any thread.
    init(
        _ provider: @escaping HistoryProvider, _ shareRules: ShareRules, wake: @escaping @Sendable () -> Void
    ) {
        (self.provider, self.shareRules, self.wake) = (provider, shareRules, wake)
    }

    /// Passes on a query.
    ///
    /// - Returns: false if too many are waiting.
    func ask(_ query: HistoryQuery, for request: HTTPRequest) -> Bool {
        let (owner, most) = (request.owner, HistoryRequests.waitingCountMax)
        let ownCount = waiting.values.count { $0.owner == owner }
        if waiting.count >= most || ownCount >= shareRules.share(of: most, for: owner) { return false }
        number += 1
        waiting[number] = (request, owner, query)
        // Whether there are more rows is known only if one more is asked for.
        var asked = query
        asked.countMax += 1
        let isTaken = provider(asked) { [answers, wake, number] answer in
            _ = answers.post(Answer(number: number, answer: answer))
            wake()
        }
        if !isTaken { waiting[number] = nil }
        return isTaken
    }

    /// Delivers the answers that have arrived.
    func takeAnswers(_ deliver: (HTTPRequest, HistoryQuery, HistoryAnswer) -> Void) {
        if waiting.isEmpty { return }
        for item in answers.take() {
            guard let asked = waiting.removeValue(forKey: item.number) else { continue }
            deliver(asked.request, asked.query, item.answer)
        }
    }
}
