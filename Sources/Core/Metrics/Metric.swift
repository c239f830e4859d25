// One number of a status, declared once: machine name, title, unit, kind, and how to read it. Code that
// prints one number takes its title from here; code that serves all of them walks the table.
//
//     extension FeedStatus: Measured {
//         package static let metrics: [Metric<FeedStatus>] = [
//             .counter("lob_feed_messages_total", \.messages, key: "messages", help: "Messages received."),
//             …
//         ]
//     }
//     FeedStatus[\.messages].read(status)
//
// Names follow Prometheus: `lob_`, the subject, the quantity, the base unit, and `_total` for counters. The
// stored value stays an integer in the unit it was counted in; `value(of:)` converts to base units.
//
// Worst case of a read: one key path, some 20 ns. Not used on the message path.

/// A counter or a gauge of a status.
package struct Metric<Root>: Sendable {
    /// What the number does over time.
    package enum Kind: String, Sendable {
        /// It only grows.
        case counter
        /// It goes up and down.
        case gauge
    }

    /// Machine name, such as `lob_feed_received_bytes_total`. Entries with the same name differ in their
    /// label.
    package let name: String
    /// Whether it only grows.
    package let kind: Kind
    /// Unit of `read`.
    package let unit: MetricUnit
    /// Help text, one sentence.
    package let help: String
    /// Key in the JSON object of its status: `gaps`, or `events.gaps` for a member of a nested object.
    package let key: String
    /// One or two words for people, such as a column heading.
    package let title: String
    /// Distinguishes it from other entries of the same name; nil if there are none.
    package let label: MetricLabel?
    private let path: (PartialKeyPath<Root> & Sendable)?
    /// The number, in `unit`.
    package let read: @Sendable (Root) -> Int

    private init(
        _ kind: Kind, _ name: String, _ path: (PartialKeyPath<Root> & Sendable)?, _ key: String,
        _ title: String?, _ unit: MetricUnit, _ label: MetricLabel?, _ help: String,
        _ read: @escaping @Sendable (Root) -> Int
    ) {
        (self.kind, self.name, self.path, self.key, self.unit) = (kind, name, path, key, unit)
        (self.label, self.help, self.read) = (label, help, read)
        self.title = title ?? key.split(separator: ".").last.map(String.init) ?? key
    }

    /// The stored property; nil if the number is computed.
    package var stored: PartialKeyPath<Root>? { path }

    /// The number in base units: seconds for times, bytes for bytes.
    package func value(of root: Root) -> Double { Double(read(root)) / unit.perBaseUnit }

    /// The same number, read from a status that contains this one.
    ///
    /// - Parameter group: the JSON object to nest its key in; "" for none.
    package func within<Outer>(
        _ outer: KeyPath<Outer, Root> & Sendable, key group: String = ""
    ) -> Metric<Outer> {
        let read = read
        let key = group.isEmpty ? key : "\(group).\(key)"
        return Metric<Outer>(
            Metric<Outer>.Kind(rawValue: kind.rawValue)!, name, nil, key, title, unit, label, help
        ) {
            read($0[keyPath: outer])
        }
    }
}

extension Metric {
    /// A stored number that only grows.
    ///
    /// - Parameters:
    ///   - key: its key in JSON, see `key`.
    ///   - title: nil: the last component of the key.
    package static func counter<Value: BinaryInteger & SendableMetatype>(
        _ name: String, _ path: KeyPath<Root, Value> & Sendable, key: String, title: String? = nil,
        unit: MetricUnit = .count, help: String
    ) -> Metric {
        Metric(.counter, name, path, key, title, unit, nil, help) { Int(clamping: $0[keyPath: path]) }
    }

    /// A stored number that goes up and down. Parameters as of `counter`.
    package static func gauge<Value: BinaryInteger & SendableMetatype>(
        _ name: String, _ path: KeyPath<Root, Value> & Sendable, key: String, title: String? = nil,
        unit: MetricUnit = .count, help: String
    ) -> Metric {
        Metric(.gauge, name, path, key, title, unit, nil, help) { Int(clamping: $0[keyPath: path]) }
    }

    /// A computed number that only grows.
    package static func counter(
        _ name: String, key: String, label: MetricLabel? = nil, help: String,
        read: @escaping @Sendable (Root) -> Int
    ) -> Metric {
        Metric(.counter, name, nil, key, nil, .count, label, help, read)
    }

    /// A computed number that goes up and down.
    package static func gauge(
        _ name: String, key: String, label: MetricLabel? = nil, help: String,
        read: @escaping @Sendable (Root) -> Int
    ) -> Metric {
        Metric(.gauge, name, nil, key, nil, .count, label, help, read)
    }
}
