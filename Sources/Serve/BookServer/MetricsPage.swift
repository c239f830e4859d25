// The Prometheus text page, generated from the tables in which every number is declared once.
//
// Invariant: the samples of a name are contiguous, after its help and type, and no name occurs twice.

import LobMetrics

/// Counters and gauges in the text format 0.0.4.
struct MetricsPage {
    /// Content type of the page.
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    /// Adds every number of a status; once for each type.
    ///
    /// - Parameter instances: label value and status of each instance of the type.
    mutating func add<Root: Measured>(_ instances: [(label: String, status: Root)]) {
        if instances.isEmpty { return }
        var names: [String] = []
        var entries: [String: [Metric<Root>]] = [:]
        for metric in Root.metrics {
            if entries[metric.name] == nil { names.append(metric.name) }
            entries[metric.name, default: []].append(metric)
        }
        for name in names {
            let first = entries[name]![0]
            text += "# HELP \(name) \(first.help)\n# TYPE \(name) \(first.kind.rawValue)\n"
            for metric in entries[name]! {
                for (label, status) in instances {
                    text += name + MetricsPage.labels(metric, Root.instanceLabel, label)
                    text += " \(metric.value(of: status))\n"
                }
            }
        }
    }

    /// Appends lines unchanged.
    mutating func append(_ lines: String) { text += lines }

    private static func labels<Root>(_ metric: Metric<Root>, _ name: String?, _ value: String) -> String {
        var labels: [String] = []
        if let name { labels.append("\(name)=\"\(value)\"") }
        if let own = metric.label { labels.append("\(own.name)=\"\(own.value)\"") }
        return labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    }
}
