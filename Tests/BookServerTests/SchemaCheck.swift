// As much of JSON Schema as the document of the server uses.

import Foundation

/// A value of JSON.
indirect enum JSONValue: Decodable, Equatable {
    case null, flag(Bool), integer(Int), number(Double), text(String), list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let box = try decoder.singleValueContainer()
        if box.decodeNil() {
            self = .null
        } else if let flag = try? box.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? box.decode(Int.self) {
            self = .integer(integer)
        } else if let number = try? box.decode(Double.self) {
            self = .number(number)
        } else if let text = try? box.decode(String.self) {
            self = .text(text)
        } else if let list = try? box.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try box.decode([String: JSONValue].self))
        }
    }

    init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(JSONValue.self, from: Data(bytes)) }

    /// A member; null where there is none.
    subscript(_ key: String) -> JSONValue { members[key] ?? .null }

    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }
    var items: [JSONValue] { if case .list(let items) = self { items } else { [] } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }

    var type: String {
        switch self {
        case .null: "null"
        case .flag: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .text: "string"
        case .list: "array"
        case .object: "object"
        }
    }
}

/// Holds values against the schemas of an OpenAPI document.
struct SchemaCheck {
    let document: JSONValue

    init(_ bytes: [UInt8]) throws { document = try JSONValue(bytes) }

    /// Its paths.
    var paths: Set<String> { Set(document["paths"].members.keys) }

    /// The schema of an answer; null if the document names none.
    func schema(_ path: String, _ status: Int) -> JSONValue {
        document["paths"][path]["get"]["responses"]["\(status)"]["content"].members.values.first?["schema"]
            ?? .null
    }

    /// What is wrong with a value; empty if nothing is.
    func faults(_ value: JSONValue, _ schema: JSONValue, at place: String = "$") -> [String] {
        if let name = schema["$ref"].text {
            let target = document["components"]["schemas"][String(name.split(separator: "/").last ?? "")]
            return target == .null ? ["\(place): \(name) is nowhere"] : faults(value, target, at: place)
        }
        let options = schema["oneOf"].items
        if !options.isEmpty {
            let fitting = options.count { faults(value, $0, at: place).isEmpty }
            return fitting == 1 ? [] : ["\(place): fits \(fitting) of the options"]
        }
        var found: [String] = []
        let types = schema["type"].text.map { [$0] } ?? schema["type"].items.compactMap(\.text)
        if !types.isEmpty && !types.contains(value.type) {
            found.append("\(place): \(value.type), not \(types)")
        }
        if let text = value.text {
            let allowed = schema["enum"].items.compactMap(\.text)
            if !allowed.isEmpty && !allowed.contains(text) { found.append("\(place): \(text)") }
            if let pattern = schema["pattern"].text,
                text.range(of: pattern, options: .regularExpression) == nil
            {
                found.append("\(place): \(text) is not \(pattern)")
            }
        }
        if let least = schema["minimum"].integer, let number = value.integer, number < least {
            found.append("\(place): \(number)")
        }
        for (index, item) in value.items.enumerated() where schema["items"] != .null {
            found += faults(item, schema["items"], at: "\(place)[\(index)]")
        }
        return found + members(of: value, schema, at: place)
    }

    private func members(of value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
        guard case .object(let members) = value else { return [] }
        var found = schema["required"].items.compactMap(\.text).filter { members[$0] == nil }
            .map { "\(place): no \($0)" }
        let further = schema["additionalProperties"]
        for (name, member) in members {
            let known = schema["properties"][name]
            if known != .null {
                found += faults(member, known, at: "\(place).\(name)")
            } else if case .object = further {
                found += faults(member, further, at: "\(place).\(name)")
            } else if further == .flag(false) {
                found.append("\(place): \(name) is not described")
            }
        }
        return found
    }
}
