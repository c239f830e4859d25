// A budget of request weight per IP and clock minute.

/// A budget that the requests of one or more markets share.
public struct WeightPool: Hashable, Sendable {
    /// The budget as it usually is; the venue may state another one.
    public var weightPerMinute: Int
    /// Weight of the deepest snapshot.
    public var requestWeightMax: Int

    /// A budget of these numbers.
    public init(weightPerMinute: Int, requestWeightMax: Int) {
        self.weightPerMinute = weightPerMinute
        self.requestWeightMax = requestWeightMax
    }
}
