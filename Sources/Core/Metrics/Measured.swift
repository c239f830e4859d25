// A status whose numbers are declared in a table.

/// A status with a table of its counters and gauges.
package protocol Measured {
    /// The label that distinguishes several such statuses of a process, such as `symbol`; nil if there is
    /// only one.
    static var instanceLabel: String? { get }
    /// The table, in the order in which numbers are printed.
    static var metrics: [Metric<Self>] { get }
}

extension Measured {
    /// The table entry of a stored number.
    ///
    /// - Complexity: O(entries).
    /// - Precondition: the number is in the table.
    package static subscript(path: PartialKeyPath<Self>) -> Metric<Self> {
        for metric in metrics where metric.stored == path { return metric }
        preconditionFailure("\(path) is not declared")
    }
}
