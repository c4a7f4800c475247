import AppSync
import Basics
import Models

/// Which part of the backend's records a store keeps: selective sync.
///
/// Models are chosen by their policies (the schema's `@sync`, or `StoreOptions.policies`); this narrows some of them.
public struct SyncScope: Sendable, Hashable {
    /// Conditions by model; a model without one is kept whole.
    public var filters: [String: PredicateNode]

    /// Everything that the policies name.
    public static let all = SyncScope()

    /// Narrows some models.
    public init(filters: [String: PredicateNode] = [:]) {
        self.filters = filters
    }

    /// Keeps only those records of a model.
    public mutating func keep<M: Model>(_ type: M.Type, where condition: Predicate<M>) {
        filters[M.schema.name] = condition.node
    }

    /// What a mark must have been made under to be gone on from: the filter and, where records are given to persons, the
    /// person.
    func name(of model: ModelSchema, person: String?, groups: Set<String>) -> String? {
        var parts: [String] = []
        if let filter = filters[model.name], let input = try? filter.syncFilterInput(for: model) {
            parts.append(input.canonical.text)
        }
        if model.isReadByOwner(groups) { parts.append("person=" + (person ?? "")) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}

extension ModelSchema {
    /// Whether who may read a record depends on the record, and so on who is signed in; not where all of a group may that
    /// this store belongs to.
    func isReadByOwner(_ groups: Set<String>) -> Bool {
        let readers = authRules.filter { !$0.operations.isDisjoint(with: AuthRule.Operation.read) }
        let isReadByAll = readers.contains { rule in
            switch rule.allow {
            case .groups: rule.groupsField == nil && !groups.isDisjoint(with: rule.groups)
            case .private, .public: true
            case .owner, .custom: false
            }
        }
        return !isReadByAll && readers.contains { $0.allow == .owner || $0.groupsField != nil }
    }
}
