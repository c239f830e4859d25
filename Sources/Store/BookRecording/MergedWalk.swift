// The frames of several streams in order of time: what the shards of a recording contain together. Frames of
// one stream keep their order, whatever their times; of equal times the stream named first comes first.

import LobRecording

/// A walk through several streams at once.
package struct MergedWalk {
    /// The walks.
    package private(set) var walks: [RecordingWalk]
    /// Time of the next item of each walk; nil at its end.
    private var nextNs: [Int64?] = []

    /// A walk through all of these.
    package init(_ walks: [RecordingWalk]) { self.walks = walks }

    /// Hands out everything with the number of its walk, until `body` returns false.
    ///
    /// - Parameters:
    ///   - ended: called with the number of a walk after its last item.
    ///   - body: called with each item.
    package mutating func forEach(
        ended: (Int) -> Void = { _ in }, _ body: (Int, RecordedItem) -> Bool
    ) throws(SegmentError) {
        nextNs = []
        for number in walks.indices { nextNs.append(try walks[number].nextAtNs()) }
        var goesOn = true
        while goesOn, let number = earliest {
            _ = try walks[number].next { goesOn = body(number, $0) }
            nextNs[number] = try walks[number].nextAtNs()
            if nextNs[number] == nil { ended(number) }
        }
    }

    private var earliest: Int? {
        var best: (number: Int, ns: Int64)?
        for (number, ns) in nextNs.enumerated() {
            if let ns, best.map({ ns < $0.ns }) ?? true { best = (number, ns) }
        }
        return best?.number
    }
}
