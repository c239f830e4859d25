import Testing

@testable import BookServer

@Suite struct TurnTests {
    /// A wake with news costs one turn: the look that finds nothing belongs to it.
    @Test func rounds() {
        let table: [(found: [Bool], next: [TurnRounds.Next])] = [
            ([false], [.serveAndSleep]),
            ([true, false], [.serveAndLook, .sleep]),
            ([true, true, false], [.serveAndLook, .serveAndLook, .sleep]),
            (
                [true, true, true, true],
                [.serveAndLook, .serveAndLook, .serveAndLook, .serveAndYield]
            ),
        ]
        for row in table {
            var rounds = TurnRounds()
            #expect(row.found.map { rounds.looked(hasFound: $0) } == row.next)
        }
    }

    /// The same depth of the same book is made once; another book, depth or state of it anew.
    @Test func depthAnswersAreOfOneVersion() {
        var answers = DepthAnswers()
        let key = DepthAnswers.Key(index: 1, levelCount: 5, version: 7)
        #expect(answers.answer(to: key) == nil)
        answers.keep(DepthAnswers.Answer(body: [1], cut: 5), to: key)
        #expect(answers.answer(to: key)?.body == [1])
        for other in [
            DepthAnswers.Key(index: 2, levelCount: 5, version: 7),
            DepthAnswers.Key(index: 1, levelCount: 6, version: 7),
            DepthAnswers.Key(index: 1, levelCount: 5, version: 8),
        ] { #expect(answers.answer(to: other) == nil) }
        let next = DepthAnswers.Key(index: 1, levelCount: 5, version: 8)
        answers.keep(DepthAnswers.Answer(body: [2], cut: 5), to: next)
        #expect(answers.answer(to: key) == nil && answers.answer(to: next)?.body == [2])
        // The oldest gives way.
        for count in 0..<DepthAnswers.countMax {
            answers.keep(
                DepthAnswers.Answer(body: [3], cut: 1),
                to: DepthAnswers.Key(index: 9, levelCount: count, version: 1))
        }
        #expect(answers.answer(to: next) == nil)
        for count in 1..<DepthAnswers.countMax {
            #expect(answers.answer(to: DepthAnswers.Key(index: 9, levelCount: count, version: 1)) != nil)
        }
    }
}
