// Virtual time: wall-clock time since the start of the server, sped up or slowed down by a factor.

import LobRecording

/// The clock of the venue.
struct VenueClock {
    /// Venue time at which the clock was made, in microseconds since 1970.
    let startUs: Int64
    /// Venue seconds per second.
    let speed: Double
    private let origin = ContinuousClock.now

    init(startUs: Int64, speed: Double) {
        self.startUs = startUs
        self.speed = speed
    }

    /// Nanoseconds since the clock was made.
    var elapsedNs: Int64 {
        let (seconds, attoseconds) = origin.duration(to: .now).components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    /// Venue time after this many nanoseconds.
    func venueUs(afterNs elapsedNs: Int64) -> Int64 {
        saturatedSum(startUs, saturated(Double(elapsedNs) / 1_000 * speed))
    }

    /// The nanoseconds after which the venue's time has come, rounded up so that it then has.
    func elapsedNs(atVenueUs venueUs: Int64) -> Int64 {
        let ns = (Double(saturatedDifference(venueUs, startUs)) * 1_000 / speed).rounded(.up) + 1_000
        return min(saturated(ns), .max / 2)
    }
}
