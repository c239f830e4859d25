// A budget of request weight per IP and clock minute.

/// A budget shared by the requests of one or more markets.
public struct WeightPool: Hashable, Sendable {
    /// The usual budget; the venue may state another.
    public var weightPerMinute: Int
    /// Weight of the deepest snapshot.
    public var requestWeightMax: Int

    /// A budget of these numbers.
    public init(weightPerMinute: Int, requestWeightMax: Int) {
        self.weightPerMinute = weightPerMinute
        self.requestWeightMax = requestWeightMax
    }
}
