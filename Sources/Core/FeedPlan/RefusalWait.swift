// How long to stay away from a venue that refuses us without saying for how long: the same for streams and
// requests, since one firewall guards both.

/// A refusal without a `Retry-After`.
package enum RefusalWait {
    /// The first wait; doubled with every further refusal.
    package static var firstMs: Int64 { 60_000 }
    /// Upper limit of the doubling.
    package static var maxMs: Int64 { 600_000 }
    /// The longest `Retry-After` that is believed: bans last up to three days.
    package static var toldMaxMs: Int64 { 3 * 86_400_000 }

    /// Whether a status means that the venue currently refuses us: the firewall's 403, 418 and 429.
    package static func isRefusal(status: Int) -> Bool { status == 403 || status == 418 || status == 429 }

    /// A `Retry-After` in milliseconds, clamped to 0 … `toldMaxMs`.
    package static func ms(retryAfterSeconds: Int) -> Int64 {
        Int64(min(max(retryAfterSeconds, 0), Int(toldMaxMs / 1000))) * 1000
    }
}
