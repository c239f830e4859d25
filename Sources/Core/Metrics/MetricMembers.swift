// Numbers as members of a JSON object, under their keys.

/// Collects JSON members; consecutive keys with the same first component share an object.
package struct MetricMembers {
    private var body = ""
    private var group = ""

    /// No members.
    package init() {}

    /// Adds numbers of a status.
    ///
    /// - Precondition: all are in its table.
    package mutating func add<Root: Measured>(_ root: Root, _ paths: PartialKeyPath<Root>...) {
        for path in paths { add(Root[path], of: root) }
    }

    /// Adds a number of a status.
    package mutating func add<Root>(_ metric: Metric<Root>, of root: Root) {
        add(metric.key, metric.read(root))
    }

    /// Adds a number that belongs to no status.
    package mutating func add(_ key: String, _ value: Int) {
        let parts = key.split(separator: ".", maxSplits: 1)
        let newGroup = parts.count > 1 ? String(parts[0]) : ""
        if newGroup == group && !body.isEmpty {
            body += ","
        } else {
            if !group.isEmpty { body += "}" }
            if !body.isEmpty { body += "," }
            if !newGroup.isEmpty { body += "\"\(newGroup)\":{" }
            group = newGroup
        }
        body += "\"\(parts.last ?? "")\":\(value)"
    }

    /// The members, comma-separated, without braces.
    package var text: String { group.isEmpty ? body : body + "}" }
}
