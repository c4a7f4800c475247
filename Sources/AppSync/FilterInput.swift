import Basics
import Models

/// A predicate that AppSync's filters cannot say.
public struct FilterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What cannot be said.
    public let description: String

    /// Makes the error.
    public init(_ description: String) {
        self.description = description
    }
}

/// What a model's `syncXs` is asked for.
public enum SyncSelection: Sendable, Hashable {
    /// All records.
    case everything
    /// No record: there is nothing to ask.
    case nothing
    /// Those of which this `filter` holds.
    case filter(JSONValue)

    /// The `filter` argument; nil where there is none.
    public var filter: JSONValue? { if case .filter(let input) = self { input } else { nil } }
}

extension PredicateNode {
    /// The value of a list's or sync's `filter`, or of a mutation's `condition` (`appsync-protocol.md` §1.5).
    ///
    /// - Throws: ``FilterError`` for an unknown field or a comparison that the wire does not have.
    public func filterInput(for model: ModelSchema) throws(FilterError) -> JSONValue {
        try FilterWriter(model: model, isSubscription: false).node(self)
    }

    /// What `syncXs` is asked for: its `filter` is as ``filterInput(for:)``, with a lone comparison wrapped in `and`, from
    /// which AppSync recognises that an index serves it.
    ///
    /// Empty lists decide beforehand: nothing is in one, and what can match nothing need not be asked for.
    public func syncSelection(for model: ModelSchema) throws(FilterError) -> SyncSelection {
        let folded = folded
        if folded == .all { return .everything }
        if folded == .not(.all) { return .nothing }
        let input = try folded.filterInput(for: model)
        if case .field = folded, input["and"] == nil, input["or"] == nil { return .filter(["and": [input]]) }
        return .filter(input)
    }

    /// The same predicate without its constant parts; ``PredicateNode/all`` or its negation where nothing else is left.
    private var folded: PredicateNode {
        let nothing = PredicateNode.not(.all)
        switch self {
        case .field(_, .isIn([])): return nothing
        case .field(_, .notIn([])): return .all
        case .all, .field, .related: return self
        case .not(let inner):
            let inner = inner.folded
            return inner == nothing ? .all : .not(inner)
        case .and(let nodes):
            let parts = nodes.map(\.folded).filter { $0 != .all }
            if parts.contains(nothing) { return nothing }
            return parts.isEmpty ? .all : parts.count == nodes.count ? .and(parts) : .lone(parts) ?? .and(parts)
        case .or(let nodes):
            let parts = nodes.map(\.folded).filter { $0 != nothing }
            if parts.contains(.all) { return .all }
            return parts.isEmpty ? nothing : parts.count == nodes.count ? .or(parts) : .lone(parts) ?? .or(parts)
        }
    }

    private static func lone(_ parts: [PredicateNode]) -> PredicateNode? { parts.count == 1 ? parts[0] : nil }

    /// The `filter` of a subscription; nil where it has no exact form there, so that the client filters by itself.
    public func subscriptionFilterInput(for model: ModelSchema) -> JSONValue? {
        if self == .all { return nil }
        return try? FilterWriter(model: model, isSubscription: true).node(self)
    }
}

private struct FilterWriter {
    let model: ModelSchema
    let isSubscription: Bool

    func node(_ node: PredicateNode) throws(FilterError) -> JSONValue {
        switch node {
        case .all: return .object(JSONObject())
        case .field(let name, let comparison): return try field(name, comparison)
        case .and(let nodes): return ["and": .array(try list(nodes))]
        case .or(let nodes): return ["or": .array(try list(nodes))]
        case .not(let inner):
            guard !isSubscription else { throw FilterError("subscriptions have no 'not'") }
            return ["not": try self.node(inner)]
        case .related(let name, _): throw FilterError("the service cannot filter \(model.name) by its relation \(name)")
        }
    }

    private func list(_ nodes: [PredicateNode]) throws(FilterError) -> [JSONValue] {
        var result: [JSONValue] = []
        for node in nodes { result.append(try self.node(node)) }
        return result
    }

    private func field(_ name: String, _ comparison: Comparison) throws(FilterError) -> JSONValue {
        guard let field = model.field(name), field.isFilterable else {
            throw FilterError("\(model.name) has no filter on \(name)")
        }
        func wire(_ value: Value) -> JSONValue {
            if case .scalar(let scalar) = field.type { return scalar.wireValue(of: value) }
            return value.text.map { .string($0) } ?? .null
        }
        func one(_ op: String, _ value: JSONValue) -> JSONValue { [name: [op: value]] }
        func exists(_ flag: Bool) throws(FilterError) -> JSONValue {
            guard !isSubscription else { throw FilterError("subscriptions have no 'attributeExists'") }
            return one("attributeExists", .bool(flag))
        }
        switch comparison {
        case .equal(.null): return try exists(false)
        case .notEqual(.null): return try exists(true)
        case .equal(let value): return one("eq", wire(value))
        case .notEqual(let value): return one("ne", wire(value))
        case .less(let value): return one("lt", wire(value))
        case .lessOrEqual(let value): return one("le", wire(value))
        case .greater(let value): return one("gt", wire(value))
        case .greaterOrEqual(let value): return one("ge", wire(value))
        case .between(let low, let high): return one("between", [wire(low), wire(high)])
        case .contains(let value): return one("contains", wire(value))
        case .notContains(let value): return one("notContains", wire(value))
        case .beginsWith(let prefix): return one("beginsWith", .string(prefix))
        case .exists(let flag): return try exists(flag)
        case .isIn(let values):
            if isSubscription { return one("in", .array(values.map(wire))) }
            guard !values.isEmpty else { throw FilterError("an empty list of values matches nothing") }
            return ["or": .array(values.map { one("eq", wire($0)) })]
        case .notIn(let values):
            if isSubscription { return one("notIn", .array(values.map(wire))) }
            return ["and": .array(values.map { one("ne", wire($0)) })]
        case .containsIgnoringCase, .equalsIgnoringCase, .beginsWithIgnoringCase:
            throw FilterError("the service cannot ignore case")
        }
    }
}
