import Models

/// A caller's rights on every model, each worked out when first asked for.
///
/// Confined to the thread that executes requests.
final class CallerRights {
    let caller: Caller
    private let models: [ModelInfo]
    private var known: [Access?]
    private var sights: [Sight?]

    init(_ caller: Caller, _ models: [ModelInfo]) {
        self.caller = caller
        self.models = models
        known = Array(repeating: nil, count: models.count * AuthRule.Operation.allCases.count)
        sights = Array(repeating: nil, count: known.count)
    }

    /// The model's own rights by one operation, whatever its fields say.
    func access(_ model: Int, _ operation: AuthRule.Operation) -> Access {
        let slot = model * AuthRule.Operation.allCases.count + Self.order(operation)
        if let access = known[slot] { return access }
        let access = Access(models[model], operation, for: caller)
        known[slot] = access
        return access
    }

    /// What he sees of a model by a reading operation.
    func sight(_ model: Int, _ operation: AuthRule.Operation) -> Sight {
        let slot = model * AuthRule.Operation.allCases.count + Self.order(operation)
        if let sight = sights[slot] { return sight }
        let sight = Sight(models[model], operation, for: caller)
        sights[slot] = sight
        return sight
    }

    /// The rights that a mutation of these fields needs.
    ///
    /// A field with rules of its own is written by those alone, every other by the model's. A create needs the model's
    /// too: the record itself is theirs. A delete takes every field along, and so needs them all. Keys name the record
    /// and need nothing.
    func needed(_ model: ModelInfo, _ operation: AuthRule.Operation, writing input: [Value?]) -> [Access] {
        let whole = access(model.index, operation)
        guard !model.guardedFields.isEmpty else { return [whole] }
        if operation == .delete {
            return [whole]
                + model.guardedFields.sorted().map { Access(model, operation, for: caller, field: $0) }
        }
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
