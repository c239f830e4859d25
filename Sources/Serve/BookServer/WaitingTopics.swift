// The conflated streams whose last message a client has not got, in the order in which they began to wait.
//
// Bounds: twice the streams of the client and a few: what has been taken out stays as an empty place until
// half of the places are empty.

/// A queue of streams, each once, with removal from the middle. All O(1) on average.
struct WaitingTopics {
    private var places: [StreamTopic?] = []
    private var first = 0
    private var placeOfName: [String: Int] = [:]

    /// Streams that wait.
    var count: Int { placeOfName.count }

    /// Places in memory, empty ones included.
    var placeCount: Int { places.count }

    /// Lets a stream wait, unless it does.
    mutating func append(_ topic: StreamTopic) {
        if placeOfName[topic.key.name] != nil { return }
        placeOfName[topic.key.name] = places.count
        places.append(topic)
    }

    /// Takes the one that has waited longest; nil if there is none.
    mutating func takeFirst() -> StreamTopic? {
        while first < places.count {
            let topic = places[first]
            places[first] = nil
            first += 1
            guard let topic else { continue }
            placeOfName[topic.key.name] = nil
            compact()
            return topic
        }
        compact()
        return nil
    }

    /// Takes one out, if it is there.
    mutating func remove(_ name: String) {
        guard let place = placeOfName.removeValue(forKey: name) else { return }
        places[place] = nil
        compact()
    }

    private mutating func compact() {
        if places.count < 2 * count + 16 { return }
        let left = places[first...].compactMap { $0 }
        places = left
        first = 0
        for (place, topic) in left.enumerated() { placeOfName[topic.key.name] = place }
    }
}
