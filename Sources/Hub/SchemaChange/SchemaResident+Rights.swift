import Models

extension SchemaResident {
    /// What it may do under one schema, `before`, as it may under its own, and could not do any more under another, by
    /// model and field: such as `BinTask: the control desk may not update, sync it any more`.
    ///
    /// A right that it has lost already is not lost again.
    func lostRights(from before: HubSchema, to after: HubSchema) throws(HubError) -> [String] {
        guard !groups.isEmpty else { return [] }
        let own = try HubSchema(schema)
        let gone = lostRights(own, before)
        return lostRights(own, after).compactMap { place, operations in
            let lost = operations.subtracting(gone[place] ?? [])
            guard !lost.isEmpty else { return nil }
            let names = AuthRule.Operation.allCases.filter(lost.contains).map(\.rawValue).joined(separator: ", ")
            return "\(place): \(name) may not \(names) it any more"
        }.sorted()
    }

    /// Why a hub that starts says so: nil where it has every right.
    func missingRights(under served: Schema) throws(HubError) -> String? {
        let lost = try lostRights(from: try HubSchema(schema), to: try HubSchema(served))
        return lost.isEmpty ? nil : lost.joined(separator: "; ")
    }

    private func lostRights(_ own: HubSchema, _ other: HubSchema) -> [String: Set<AuthRule.Operation>] {
        let caller = Caller(groups: groups)
        var lost: [String: Set<AuthRule.Operation>] = [:]
        for mine in own.models {
            // A model that goes is said by what takes it away.
            guard let theirs = other.model(mine.schema.name) else { continue }
            for operation in AuthRule.Operation.allCases where operation != .search {
                let needed = Access(mine, operation, for: caller)
                guard Access(theirs, operation, for: caller).covers(needed, theirs, mine) else {
                    lost[mine.schema.name, default: []].insert(operation)
                    continue
                }
                for (position, field) in mine.schema.fields.enumerated()
                where !mine.keyPositions.contains(position) {
                    guard let other = theirs.schema.position(of: field.name),
                        mine.guardedFields.contains(position) || theirs.guardedFields.contains(other)
                    else { continue }
                    let needed = Access(ofField: position, mine, operation, for: caller)
                    guard !Access(ofField: other, theirs, operation, for: caller).covers(needed, theirs, mine) else {
                        continue
                    }
                    lost["\(mine.schema.name).\(field.name)", default: []].insert(operation)
                }
            }
        }
        return lost
    }
}

extension Access {
    /// What a caller may do with one field: its own rules stand in the place of the model's.
    fileprivate init(
        ofField position: Int, _ model: ModelInfo, _ operation: AuthRule.Operation, for caller: Caller
    ) {
        let isGuarded = model.guardedFields.contains(position)
        self.init(model, operation, for: caller, field: isGuarded ? position : nil)
    }

    /// ``covers(_:)`` of rights under two schemas, whose fields may stand in other places.
    fileprivate func covers(_ other: Access, _ mine: ModelInfo, _ others: ModelInfo) -> Bool {
        guard case .rows(let rules) = other else { return covers(other) }
        let moved = rules.compactMap { rule -> RowRule? in
            mine.schema.position(of: others.schema.fields[rule.position].name).map {
                RowRule(position: $0, isList: rule.isList, accepted: rule.accepted, isOwner: rule.isOwner)
            }
        }
        return moved.count == rules.count && covers(.rows(moved))
    }
}
