import Basics
import Models

/// What a caller may do with the rows of one model by one operation.
///
/// Deny is the default: a model without rules is served to nobody.
enum Access: Sendable, Hashable {
    case none
    /// Only rows that at least one rule matches.
    case rows([RowRule])
    case all

    /// Works out what `@auth` gives a caller: the model's rules, or a field's own.
    init(_ model: ModelInfo, _ operation: AuthRule.Operation, for caller: Caller, field: Int? = nil) {
        var rules: [RowRule] = []
        let all = field.map { model.schema.fields[$0].authRules } ?? model.schema.authRules
        for rule in all where rule.operations.contains(operation) {
            guard rule.takes(caller, hasOtherIssuers: model.hasOtherIssuers) else { continue }
            switch rule.allow {
            case .public, .custom:
                self = .all
                return
            case .private where caller.isSomebody:
                self = .all
                return
            case .private: continue
            case .groups:
                let groups = caller.groups(claim: rule.groupClaim)
                guard let name = rule.groupsField else {
                    guard groups.isDisjoint(with: rule.groups) else {
                        self = .all
                        return
                    }
                    continue
                }
                guard !groups.isEmpty, let position = model.schema.position(of: name) else { continue }
                rules.append(
                    RowRule(
                        position: position, isList: model.schema.fields[position].isList,
                        accepted: groups.sorted(), isOwner: false))
            case .owner:
                let names = caller.ownerNames(claim: rule.identityClaim)
                guard !names.isEmpty, let position = model.schema.position(of: rule.ownerField ?? "owner") else {
                    continue
                }
                rules.append(
                    RowRule(
                        position: position, isList: model.schema.fields[position].isList, accepted: names,
                        isOwner: true))
            }
        }
        self = rules.isEmpty ? .none : .rows(rules)
    }

    /// Whether a row is among those it gives.
    func allows(_ values: [Value]) -> Bool {
        switch self {
        case .none: false
        case .all: true
        case .rows(let rules): rules.contains { $0.matches(values) }
        }
    }

    var isNone: Bool { if case .none = self { true } else { false } }

    /// The rows that either gives.
    func union(_ other: Access) -> Access {
        switch (self, other) {
        case (.all, _), (_, .all): .all
        case (.none, _): other
        case (_, .none): self
        case (.rows(let mine), .rows(let theirs)): .rows(mine + theirs.filter { !mine.contains($0) })
        }
    }

    /// Whether it gives every row that the other gives, as far as the rules show it.
    func covers(_ other: Access) -> Bool {
        switch (self, other) {
        case (.all, _), (_, .none): true
        case (.rows(let mine), .rows(let theirs)): theirs.allSatisfy(mine.contains)
        default: false
        }
    }
}

/// All rights that one mutation needs: the model's and those of guarded fields.
extension [Access] {
    func allows(_ values: [Value]) -> Bool { allSatisfy { $0.allows(values) } }
    var isNone: Bool { contains { $0.isNone } }
    var isAll: Bool { allSatisfy { $0 == .all } }
}
