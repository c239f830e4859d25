// Configuration errors and the checks that find them. Every type validates its whole configuration before it
// creates a thread, connection or mapping. A bad value throws; it never traps.

/// A configuration field with an illegal value.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// The path of the field: `supervisor.answerLimitMs`.
    public let field: String
    /// Its value.
    public let value: String
    /// What is legal: a range or a condition.
    public let legal: String

    /// An error for this field and value.
    public init(field: String, value: String, legal: String) {
        (self.field, self.value, self.legal) = (field, value, legal)
    }

    /// The same error, with the field's path prefixed by `name`, the enclosing configuration's field.
    public func inside(_ name: String) -> ConfigurationError {
        ConfigurationError(field: "\(name).\(field)", value: value, legal: legal)
    }
}

extension ConfigurationError: CustomStringConvertible {
    /// One line: `supervisor.answerLimitMs is -1; legal is 1 or more`.
    public var description: String { "\(field) is \(value); legal is \(legal)" }
}

extension ConfigurationError {
    /// Throws unless a number is in a range.
    public static func check(
        _ field: String, _ value: some FixedWidthInteger, _ range: ClosedRange<Int>
    ) throws(ConfigurationError) {
        if let value = Int(exactly: value), range.contains(value) { return }
        let legal =
            range.upperBound == .max
            ? "\(range.lowerBound) or more" : "\(range.lowerBound) … \(range.upperBound)"
        throw ConfigurationError(field: field, value: "\(value)", legal: legal)
    }

    /// Throws unless a condition holds.
    public static func check(
        _ field: String, _ value: String, _ holds: Bool, _ legal: String
    ) throws(ConfigurationError) {
        if !holds { throw ConfigurationError(field: field, value: value, legal: legal) }
    }
}
