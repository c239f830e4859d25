// Interval of depth streams.

/// Interval between two depth updates of a stream.
public enum DepthInterval: Int, CaseIterable, Sendable {
    /// 100 ms, on every market.
    case ms100 = 100
    /// 250 ms, futures only: their default.
    case ms250 = 250
    /// 500 ms, futures only.
    case ms500 = 500
    /// 1000 ms, spot only: its default.
    case ms1000 = 1000
}
