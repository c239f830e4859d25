// When a message of a capture is due. Times come from files and speeds from arguments, and may be anything,
// so nothing here may overflow: results that do not fit are clamped.

/// The nearest representable integer; 0 for NaN.
public func saturated(_ value: Double) -> Int64 {
    if value.isNaN { return 0 }
    if value >= 0x1p63 { return .max }
    return value <= -0x1p63 ? .min : Int64(value)
}

/// The nearest representable difference.
public func saturatedDifference(_ a: Int64, _ b: Int64) -> Int64 {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? (a < b ? .min : .max) : difference
}

/// The nearest representable sum.
public func saturatedSum(_ a: Int64, _ b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (a < 0 ? .min : .max) : sum
}

/// How long after the beginning a time of a capture is due at this multiple of its own speed. Never negative.
public func playingTime(of time: Int64, first: Int64, speed: Double) -> Int64 {
    let distance = saturatedDifference(time, first)
    if distance <= 0 { return 0 }
    return speed == 1 ? distance : max(saturated(Double(distance) / speed), 0)
}
