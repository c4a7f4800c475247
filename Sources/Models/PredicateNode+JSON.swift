import Basics

// The form in which a condition is kept beside a waiting change. It is the store's own, not the protocol's.
extension PredicateNode {
    /// The condition as JSON.
    public var json: JSONValue {
        switch self {
        case .all: ["all": true]
        case .and(let nodes): ["and": .array(nodes.map(\.json))]
        case .or(let nodes): ["or": .array(nodes.map(\.json))]
        case .not(let node): ["not": node.json]
        case .related(let name, let node): ["related": .string(name), "where": node.json]
        case .field(let name, let comparison):
            ["field": .string(name), "is": .string(comparison.name), "to": .array(comparison.operands.map(\.json))]
        }
    }

    /// Reads a condition; nil where it is none.
    public init?(json: JSONValue) {
        func nodes(_ value: JSONValue?) -> [PredicateNode]? {
            guard let elements = value?.array else { return nil }
            let nodes = elements.compactMap { PredicateNode(json: $0) }
            return nodes.count == elements.count ? nodes : nil
        }
        if json["all"]?.bool == true {
            self = .all
        } else if let nodes = nodes(json["and"]) {
            self = .and(nodes)
        } else if let nodes = nodes(json["or"]) {
            self = .or(nodes)
        } else if let node = json["not"].flatMap({ PredicateNode(json: $0) }) {
            self = .not(node)
        } else if let name = json["related"]?.string, let node = json["where"].flatMap({ PredicateNode(json: $0) }) {
            self = .related(name, node)
        } else if let name = json["field"]?.string, let test = json["is"]?.string, let list = json["to"]?.array,
            let comparison = Comparison(test, list.compactMap { Value(json: $0) }),
            comparison.operands.count == list.count
        {
            self = .field(name, comparison)
        } else {
            return nil
        }
    }
}

extension Comparison {
    fileprivate var name: String {
        switch self {
        case .equal: "eq"
        case .notEqual: "ne"
        case .less: "lt"
        case .lessOrEqual: "le"
        case .greater: "gt"
        case .greaterOrEqual: "ge"
        case .between: "between"
        case .contains: "contains"
        case .notContains: "notContains"
        case .beginsWith: "beginsWith"
        case .isIn: "in"
        case .notIn: "notIn"
        case .exists: "exists"
        case .containsIgnoringCase: "containsIgnoringCase"
        case .equalsIgnoringCase: "equalsIgnoringCase"
        case .beginsWithIgnoringCase: "beginsWithIgnoringCase"
        }
    }

    fileprivate var operands: [Value] {
        switch self {
        case .equal(let value), .notEqual(let value), .less(let value), .lessOrEqual(let value), .greater(let value),
            .greaterOrEqual(let value), .contains(let value), .notContains(let value):
            [value]
        case .between(let low, let high): [low, high]
        case .isIn(let values), .notIn(let values): values
        case .exists(let flag): [.integer(flag ? 1 : 0)]
        case .beginsWith(let text), .containsIgnoringCase(let text), .equalsIgnoringCase(let text),
            .beginsWithIgnoringCase(let text):
            [.text(text)]
        }
    }

    fileprivate init?(_ name: String, _ operands: [Value]) {
        switch (name, operands.count) {
        case ("in", _): self = .isIn(operands)
        case ("notIn", _): self = .notIn(operands)
        case ("between", 2): self = .between(operands[0], operands[1])
        case (_, 1):
            guard let comparison = Comparison(name, operands[0]) else { return nil }
            self = comparison
        default: return nil
        }
    }

    private init?(_ name: String, _ operand: Value) {
        switch (name, operand) {
        case ("eq", _): self = .equal(operand)
        case ("ne", _): self = .notEqual(operand)
        case ("lt", _): self = .less(operand)
        case ("le", _): self = .lessOrEqual(operand)
        case ("gt", _): self = .greater(operand)
        case ("ge", _): self = .greaterOrEqual(operand)
        case ("contains", _): self = .contains(operand)
        case ("notContains", _): self = .notContains(operand)
        case ("exists", .integer(let flag)): self = .exists(flag != 0)
        case ("beginsWith", .text(let text)): self = .beginsWith(text)
        case ("containsIgnoringCase", .text(let text)): self = .containsIgnoringCase(text)
        case ("equalsIgnoringCase", .text(let text)): self = .equalsIgnoringCase(text)
        case ("beginsWithIgnoringCase", .text(let text)): self = .beginsWithIgnoringCase(text)
        default: return nil
        }
    }
}

extension Value {
    /// The storage form as JSON, from which ``init(json:)`` makes exactly this value.
    package var json: JSONValue {
        switch self {
        case .null: .null
        case .integer(let value): .integer(value)
        // Marked, since a whole real would come back as an integer.
        case .real(let value): ["real": .string("\(value)")]
        case .text(let text): .string(text)
        }
    }

    /// Reads what ``json`` gave; nil for anything else.
    package init?(json: JSONValue) {
        switch json {
        case .null: self = .null
        case .integer(let value): self = .integer(value)
        case .string(let text): self = .text(text)
        case .object(let object):
            guard let value = object["real"]?.string.flatMap({ Double($0) }) else { return nil }
            self = .real(value)
        default: return nil
        }
    }
}
