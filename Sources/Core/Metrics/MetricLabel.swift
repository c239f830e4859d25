// What tells two numbers of the same name apart.

/// A name and a value, such as `priority="audit"`.
public struct MetricLabel: Hashable, Sendable {
    /// Name of the label.
    public var name: String
    /// Value.
    public var value: String

    /// A label.
    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}
