// Which sequence rule a market follows.

import BookSync

extension SequenceRule {
    /// The rule of a market.
    public static func of(_ market: Market) -> SequenceRule {
        switch market {
        case .spot: .spot
        case .usdm, .coinm: .futures
        }
    }
}
