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
            switch rule.allow {
            case .public:
                self = .all
                return
            case .private where caller.person != nil:
                self = .all
                return
            case .groups where !caller.groups.isDisjoint(with: rule.groups):
                self = .all
                return
            case .groups:
                guard let name = rule.groupsField, let position = model.schema.position(of: name) else { continue }
                rules.append(
                    RowRule(
                        position: position, isList: model.schema.fields[position].isList,
                        accepted: caller.groups.sorted(), isOwner: false))
            case .owner:
                guard let claim = caller.claim(rule.identityClaim),
                    let position = model.schema.position(of: rule.ownerField ?? "owner")
                else { continue }
                rules.append(
                    RowRule(
                        position: position, isList: model.schema.fields[position].isList, accepted: [claim],
                        isOwner: true))
            case .private, .custom: continue
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
}

/// All rights that one mutation needs: the model's and those of guarded fields.
extension [Access] {
    func allows(_ values: [Value]) -> Bool { allSatisfy { $0.allows(values) } }
    var isNone: Bool { contains { $0.isNone } }
    var isAll: Bool { allSatisfy { $0 == .all } }
}

/// A rule that looks at the row: an owner's or a group's name in one of its fields.
struct RowRule: Sendable, Hashable {
    let position: Int
    let isList: Bool
    /// The names that match: the caller's claim, or his groups.
    let accepted: [String]
    let isOwner: Bool

    /// Whether the row's field names the caller.
    func matches(_ values: [Value]) -> Bool {
        let value = values[position]
        guard isList else {
            switch value {
            case .text(let text): return accepted.contains(text)
            case .integer(let number): return accepted.contains(String(number))
            default: return false
            }
        }
        guard case .text(let text) = value, text != "[]" else { return false }
        if let isNamed = text.listNames(accepted) { return isNamed }
        guard case .array(let elements)? = try? JSONValue(parsing: text) else { return false }
        return elements.contains { element in element.string.map(accepted.contains) ?? false }
    }
}

/// A caller's rights on every model, each worked out when first asked for.
///
/// Confined to the thread that executes requests.
final class CallerRights {
    let caller: Caller
    private let models: [ModelInfo]
    private var known: [Access?]

    init(_ caller: Caller, _ models: [ModelInfo]) {
        self.caller = caller
        self.models = models
        known = Array(repeating: nil, count: models.count * AuthRule.Operation.allCases.count)
    }

    /// The rights on one model by one operation.
    func access(_ model: Int, _ operation: AuthRule.Operation) -> Access {
        let slot = model * AuthRule.Operation.allCases.count + Self.order(operation)
        if let access = known[slot] { return access }
        let access = Access(models[model], operation, for: caller)
        known[slot] = access
        return access
    }

    /// The rights that a mutation of these fields needs.
    ///
    /// A field with rules of its own is written by those alone, every other by the model's. A create needs the model's
    /// too: the record itself is theirs. Keys name the record and need nothing.
    func needed(_ model: ModelInfo, _ operation: AuthRule.Operation, writing input: [Value?]) -> [Access] {
        let whole = access(model.index, operation)
        guard !model.guardedFields.isEmpty, operation != .delete else { return [whole] }
        var result: [Access] = []
        var needsModel = operation == .create
        for (position, value) in input.enumerated() {
            guard let value, !model.keyPositions.contains(position) else { continue }
            // What a create leaves out is null or the default, whoever makes the record.
            if operation == .create, value.isNull || value == model.defaults[position] { continue }
            if model.guardedFields.contains(position) {
                result.append(Access(model, operation, for: caller, field: position))
            } else {
                needsModel = true
            }
        }
        return needsModel || result.isEmpty ? [whole] + result : result
    }

    private static func order(_ operation: AuthRule.Operation) -> Int {
        switch operation {
        case .create: 0
        case .update: 1
        case .delete: 2
        case .get: 3
        case .list: 4
        case .sync: 5
        case .listen: 6
        case .search: 7
        }
    }
}

extension String {
    /// Whether one of some names stands in this JSON list of texts; nil where its bytes do not say it plainly, and it
    /// must be parsed.
    ///
    /// Every subscriber's rights are asked for every change, so that a list is looked at far more often than written.
    fileprivate func listNames(_ names: [String]) -> Bool? {
        var text = self
        return text.withUTF8 { bytes -> Bool? in
            // Escapes and other alphabets have several forms; anything nested is no name.
            let isPlain = bytes.dropFirst().allSatisfy { $0 < 128 && $0 != 92 && $0 != 91 && $0 != 123 }
            guard isPlain, bytes.first == 91, bytes.last == 93 else { return nil }
            var index = 1
            while index < bytes.count {
                guard bytes[index] == 34 else {
                    index += 1
                    continue
                }
                let start = index + 1
                guard let end = bytes[start...].firstIndex(of: 34) else { return nil }
                let item = UnsafeBufferPointer(rebasing: bytes[start..<end])
                if names.contains(where: { $0.utf8.count == item.count && $0.utf8.elementsEqual(item) }) { return true }
                index = end + 1
            }
            return false
        }
    }
}
