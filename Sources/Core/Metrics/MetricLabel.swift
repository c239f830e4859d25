// The label that distinguishes two numbers of the same name.

/// A name and a value, such as `priority="audit"`.
package struct MetricLabel: Hashable, Sendable {
    /// Name of the label.
    package var name: String
    /// Value.
    package var value: String

    /// A label.
    package init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}
