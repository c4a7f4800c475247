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
    /// The value of a list's or sync's `filter` (`appsync-protocol.md` §1.5).
    ///
    /// - Throws: ``FilterError`` for an unknown field or a comparison that the wire does not have.
    public func filterInput(for model: ModelSchema) throws(FilterError) -> JSONValue {
        try input(for: model, in: .filter)
    }

    /// The value of a mutation's `condition`.
    ///
    /// - Throws: ``FilterError`` for an unknown field or a comparison that conditions do not have.
    public func conditionInput(for model: ModelSchema) throws(FilterError) -> JSONValue {
        try input(for: model, in: .condition)
    }

    private func input(for model: ModelSchema, in place: FilterPlace) throws(FilterError) -> JSONValue {
        do throws(UnaskableCondition) {
            return try wireInput(for: model, in: place)
        } catch {
            throw FilterError(error.description)
        }
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
        return try? wireInput(for: model, in: .subscription)
    }
}
