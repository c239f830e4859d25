// What is wrong with a configuration, and the checks that find it. Every type checks its whole configuration
// before it makes anything: a thread, a connection, a map. A wrong number never traps.

/// A field of a configuration that has no legal value.
public struct ConfigurationError: Error, Hashable, Sendable {
    /// The path of the field: `supervisor.answerLimitMs`.
    public let field: String
    /// Its value.
    public let value: String
    /// What is legal: a range, or a condition.
    public let legal: String

    /// A field with this value, which is not legal.
    public init(field: String, value: String, legal: String) {
        (self.field, self.value, self.legal) = (field, value, legal)
    }

    /// The same inside a configuration that holds the field's own as `name`.
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
