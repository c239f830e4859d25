// Numbers as members of a JSON object, under their keys.

/// Collects members; neighbours whose keys have the same first part share an object.
package struct MetricMembers {
    private var body = ""
    private var group = ""

    /// No members.
    package init() {}

    /// Adds numbers of a status.
    ///
    /// - Precondition: they are in its table.
    package mutating func add<Root: Measured>(_ root: Root, _ paths: PartialKeyPath<Root>...) {
        for path in paths { add(Root[path], of: root) }
    }

    /// Adds a number of a status.
    package mutating func add<Root>(_ metric: Metric<Root>, of root: Root) {
        add(metric.key, metric.read(root))
    }

    /// Adds a number that is of no status.
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

    /// The members, with commas between and no braces around.
    package var text: String { group.isEmpty ? body : body + "}" }
}
