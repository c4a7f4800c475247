import AppSync
import Basics
import DataStore
import Models

/// Which part of the backend's records a store keeps: selective sync.
///
/// Models are chosen by their policies (the schema's `@sync`, or `StoreOptions.policies`); this narrows some of them.
public struct SyncScope: Sendable, Hashable {
    /// Conditions by model; a model without one is kept whole.
    public var filters: [String: PredicateNode]
    /// How many records of a model a fetch from the beginning takes at most, by model; the others are fetched whole.
    public var limits: [String: Int]

    /// Everything that the policies name.
    public static let all = SyncScope()

    /// Narrows some models.
    public init(filters: [String: PredicateNode] = [:], limits: [String: Int] = [:]) {
        self.filters = filters
        self.limits = limits
    }

    /// Keeps only those records of a model.
    ///
    /// The backend must understand the condition too: it may name no related models and no embedded values, cannot ignore
    /// case, and has only the operators that AppSync has for a field's type: none for the order of an enum or for a whole
    /// list, and 32 bits for integers. An empty list of values is understood: no record is kept then.
    /// - Throws: `FilterError` that says what the backend cannot be asked for; the scope is as it was.
    public mutating func keep<M: Model>(_ type: M.Type, where condition: Predicate<M>) throws(FilterError) {
        _ = try condition.node.syncSelection(for: M.schema)
        filters[M.schema.name] = condition.node
    }

    /// Fetches only so many records of a model, at least one: Amplify's `syncMaxRecords`, which is never silent here.
    ///
    /// Which ones they are, the backend's order decides: where that matters, keep less by a condition. What is created or
    /// changed after the fetch comes all the same, so that what is here is always current, and may be more than the limit.
    /// Where more was to be had, ``StoreEvent/truncated(model:_:)`` and ``SyncStatus/truncatedModels`` say so, and
    /// `explain` of each record that is not here. Another limit fetches the model anew; what does not come then goes from
    /// here, unless something of it is unsent.
    public mutating func limit<M: Model>(_ type: M.Type, to records: Int) {
        limits[M.schema.name] = records
    }

    /// What the backend is asked for of a model.
    func selection(of model: ModelSchema) throws(FilterError) -> SyncSelection {
        guard let filter = filters[model.name] else { return .everything }
        return try filter.syncSelection(for: model)
    }

    /// The first condition that the backend does not understand, by model; nil where it understands all.
    func problem(in schema: Schema) -> (model: String, error: FilterError)? {
        for model in schema.models {
            do throws(FilterError) { _ = try selection(of: model) } catch { return (model.name, error) }
        }
        return nil
    }

    /// What a mark must have been made under to be gone on from: the filter, the limit and, where records are given to persons, the
    /// person that they are here for.
    func name(of model: ModelSchema, reader: String?, groups: Set<String>) -> String? {
        var parts: [String] = []
        switch try? selection(of: model) {
        case .filter(let input)?: parts.append(input.canonical.text)
        case .nothing?: parts.append("nothing")
        case .everything?: break
        // Asked for by nobody: such a scope is refused.
        case nil: parts.append("unknown")
        }
        if let limit = limits[model.name] { parts.append("limit=\(limit)") }
        if let part = model.readerPart(reader, groups) { parts.append(part) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}

extension StoreProblem {
    /// A condition of the scope that the backend does not understand.
    static func scope(_ model: String, _ error: FilterError) -> StoreProblem {
        StoreProblem(
            .sync, .configuration, model: model, message: "the scope cannot be kept: \(error)",
            recovery: "the scope before it holds; choose a condition on the record's own fields, in its exact letters")
    }
}

extension ModelSchema {
    /// Whether all who sign in at this store may read every record: without rules, or where all may of a group that this
    /// store belongs to.
    func isReadByAll(_ groups: Set<String>) -> Bool {
        authRules.isEmpty
            || readRules.contains { rule in
                switch rule.allow {
                case .groups: rule.groupsField == nil && !groups.isDisjoint(with: rule.groups)
                case .private, .public: true
                case .owner, .custom: false
                }
            }
    }

    /// Whether who may read a record depends on the record, and so on who is signed in; not where all may who sign in here.
    func isReadByOwner(_ groups: Set<String>) -> Bool {
        !isReadByAll(groups) && readRules.contains { $0.allow == .owner || $0.groupsField != nil }
    }

    /// What a mark says of the person that a model's records are here for; nil where it does not depend on him, and for
    /// nobody where records name no persons.
    func readerPart(_ reader: String?, _ groups: Set<String>) -> String? {
        guard !isReadByAll(groups), reader != nil || isReadByOwner(groups) else { return nil }
        return "person=" + (reader ?? "")
    }

    private var readRules: [AuthRule] {
        authRules.filter { !$0.operations.isDisjoint(with: AuthRule.Operation.read) }
    }

    /// Which records surely are a person's to read at a device, by what they themselves say of their owners and groups: what
    /// is the device's own is here whoever uses it.
    ///
    /// The backend may give more: by a claim that is not known here, or an owner whom the record does not name. None where
    /// fields have rules of their own: another reader's copy may hold what this one does not see.
    func surelyRead(by person: String?, at device: String?, _ groups: Set<String>) -> PredicateNode {
        if fields.contains(where: { !$0.authRules.isEmpty }) { return .not(.all) }
        func names(_ name: String?, _ values: [String]) -> [PredicateNode] {
            guard let name, let field = field(name), [.scalar(.id), .scalar(.string)].contains(field.type) else {
                return []
            }
            return values.map { .field(name, field.isList ? .contains(.text($0)) : .equal(.text($0))) }
        }
        var signs: [PredicateNode] = []
        for rule in authRules where AuthRule.Operation.read.isSubset(of: rule.operations) {
            switch rule.allow {
            case .owner where rule.identityClaim == nil: signs += names(rule.ownerField, person.map { [$0] } ?? [])
            case .owner where rule.identityClaim == "device": signs += names(rule.ownerField, device.map { [$0] } ?? [])
            case .groups where rule.groupClaim == nil: signs += names(rule.groupsField, groups.sorted())
            case .owner, .groups, .private, .public, .custom: break
            }
        }
        return signs.isEmpty ? .not(.all) : .or(signs)
    }
}
