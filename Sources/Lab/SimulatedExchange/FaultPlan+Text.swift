// The text form of a fault plan, as given on a command line.
//
//     plan  = "none" / item *( "," item )
//     item  = "all" / "everything" / "network" / "venue" / name [ "=" rate ]
//     rate  = decimal of 0 … 1 with at most nine decimals
//
// `all`, `everything`, `network` and `venue` come first and set their faults to the usual rates; later items
// override them. A name without a rate means the usual rate. Examples: `none`, `all`, `everything,walk=0`,
// `lost=0.001,reorder=0.0005`, `venue,cut=0.01`.

import MarketData

/// Why a text is not a fault plan; every case carries the offset of the offending byte.
package enum FaultPlanError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A name that is not a fault.
    case unknownFault(String, offset: Int)
    /// A fault named twice.
    case repeated(Fault, offset: Int)
    /// A rate that is not a decimal of 0 … 1 with at most nine decimals.
    case badRate(String, offset: Int)
    /// The name of a plan after another item, or `none` together with another.
    case misplaced(String, offset: Int)

    /// The error as a sentence.
    package var description: String {
        switch self {
        case .unknownFault(let name, let offset):
            "unknown fault \"\(name)\" at byte \(offset); known are "
                + Fault.allCases.map(\.name).joined(separator: ", ")
        case .repeated(let fault, let offset): "fault \"\(fault.name)\" named twice, again at byte \(offset)"
        case .badRate(let text, let offset):
            "rate \"\(text)\" at byte \(offset) is not a number of 0 to 1 with at most nine decimals"
        case .misplaced(let name, let offset):
            "\"\(name)\" at byte \(offset): \"none\" stands alone; "
                + "\"all\", \"everything\", \"network\" and \"venue\" come first"
        }
    }
}

extension FaultPlan: CustomStringConvertible {
    /// The plan that a text describes.
    package init(_ text: String) throws(FaultPlanError) {
        self = .none
        if text == "none" { return }
        var named = Set<Fault>()
        var offset = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            try read(item, at: offset, isFirst: offset == 0, named: &named)
            offset += item.utf8.count + 1
        }
    }

    private mutating func read(
        _ item: Substring, at offset: Int, isFirst: Bool, named: inout Set<Fault>
    ) throws(FaultPlanError) {
        let plans: [Substring: FaultPlan] = [
            "all": .all, "everything": .everything, "network": .network, "venue": .venue,
        ]
        if item == "none" || (plans[item] != nil && !isFirst) {
            throw .misplaced(String(item), offset: offset)
        }
        if let plan = plans[item] {
            self = plan
            return
        }
        let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let fault = Fault.allCases.first(where: { $0.name == parts[0] }) else {
            throw .unknownFault(String(parts[0]), offset: offset)
        }
        if !named.insert(fault).inserted { throw .repeated(fault, offset: offset) }
        if parts.count == 1 {
            self[fault] = fault.usualRate
            return
        }
        let rateOffset = offset + parts[0].utf8.count + 1
        let text = String(parts[1])
        guard let rate = try? mantissa(text, decimals: 9), rate <= FaultPlan.certain else {
            throw .badRate(text, offset: rateOffset)
        }
        self[fault] = rate
    }

    /// The text of this plan; parsing it gives the plan again.
    package var description: String {
        if self == .none { return "none" }
        if self == .all { return "all" }
        if self == .everything { return "everything" }
        if self == .network { return "network" }
        if self == .venue { return "venue" }
        let items = Fault.allCases.filter { self[$0] > 0 }.map { fault in
            var rate = decimalText(mantissa: self[fault], decimals: 9)
            while rate.last == "0" { rate.removeLast() }
            if rate.last == "." { rate.removeLast() }
            return "\(fault.name)=\(rate)"
        }
        return items.joined(separator: ",")
    }
}
