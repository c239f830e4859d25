// Updates that do not continue a book: bridges, gaps that are passed on, and the end of a stream.

import BinanceServing
import BinanceVenue
import MarketData

extension ServerMachine {
    /// An update that does not continue the book, for clients that detect gaps themselves. Summaries lead
    /// from book to book and take only bridges.
    func gap(_ index: Int, _ update: borrowing DepthUpdate) {
        counters.gapCount += 1
        book(index).passGap(update)
        completeMessage(index, update)
        changed(index, update, isMicroseconds: service.configuration.isMicroseconds, summarises: false)
    }

    /// A bridge was made. Where gaps are passed on, it goes only to summaries, unless it hides none; whoever
    /// would never notice that it was kept back must start over.
    func bridged(_ index: Int) {
        counters.bridgeCount += 1
        let book = book(index)
        defer { book.dropBridge() }
        if options.passesGaps && book.bridge.last != book.nextID {
            for topic in topicsOfSymbol[index] where topic.kind == .summaries {
                topic.summary.add(book.bridge)
            }
            if book.keepBridge() { end(index) { $0.kind == .updates } }
            return note(index)
        }
        let message = encoded(isMicroseconds: false) { (encoder) throws(EncoderError) in
            try encoder.append(book.bridge)
        }
        guard let message else {
            book.forget()
            return broken(index)
        }
        book.message = message
        book.gaps.end()
        changed(index, book.bridge, isMicroseconds: false)
    }

    /// Nothing continues what clients hold of this symbol: they must start over.
    func broken(_ index: Int) { end(index, \.isChained) }

    /// Ends the connections of those who subscribe to such streams of a symbol.
    private func end(_ index: Int, _ isEnded: (StreamTopic) -> Bool) {
        counters.brokenCount += 1
        for topic in topicsOfSymbol[index] where isEnded(topic) {
            // The stream outlives them if somebody joins before the last of them has gone.
            topic.forgetMessage()
            for client in topic.clients { client.close(.goingAway) }
        }
    }
}
