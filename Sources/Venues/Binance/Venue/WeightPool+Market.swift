// The budgets of this venue.

import FeedPlan

extension WeightPool: CaseIterable {
    /// Spot alone.
    public static let spot = WeightPool(weightPerMinute: 6000, requestWeightMax: 250)
    /// USD-M and COIN-M together.
    public static let futures = WeightPool(weightPerMinute: 2400, requestWeightMax: 20)

    /// Both.
    public static var allCases: [WeightPool] { [.spot, .futures] }
}
