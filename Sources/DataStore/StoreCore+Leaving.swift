import Models

/// Records that leave what is kept here: others moved them out of the scope, or their own change did.
///
/// They leave no tombstones, for they come back where they are moved back. One with something unsent stays until nothing of
/// it waits, however that comes about.
extension StoreCore {
    /// Lets go of confirmed records that the scope does not cover as the backend has them.
    package func letGo(model: String, ids: some Sequence<String>, unless isKept: (Record) -> Bool) throws {
        try commit(nil, .normal) { _ in
            let table = try context.table(model)
            for id in ids {
                if let values = try knownValues(id, table), !isKept(table.record(values)) { _ = try letGo(id, table) }
            }
        }
    }

    /// The values that the backend is thought to have of a record.
    func knownValues(_ id: String, _ table: StoreTable) throws -> [Value]? {
        let row = try table.fetch(id, on: connection)
        let image = try serverImage(row, entries(table.model.name, id), table, id)
        return image.flatMap { try? table.wire.values($0) }
    }

    /// Lets go of a confirmed record in a version older than `olderThan`, last changed at the backend at `changedUpTo` at
    /// the latest; gives whether its row went.
    func letGo(
        _ id: String, _ table: StoreTable, olderThan: Int64 = .max, changedUpTo: Int64 = .max
    ) throws -> Bool {
        let model = table.model.name
        if hasQuarantine { try forgetQuarantined(id, table, olderThan: olderThan, changedUpTo: changedUpTo) }
        let row = try table.fetch(id, on: connection)
        let waiting = try entries(model, id)
        let aside = try shadow(model, id)
        let changed = aside?.lastChangedAt ?? row?.lastChangedAt ?? 0
        guard let version = aside?.version ?? row?.version ?? waiting.first?.baseVersion, version < olderThan,
            changed <= changedUpTo
        else { return false }
        if waiting.isEmpty {
            guard row != nil else { return false }
            try show(nil, row, table, id, version: nil, lastChangedAt: nil)
            return true
        }
        if let object = try serverImage(row, waiting, table, id) {
            let image = Shadow(
                version: version, lastChangedAt: changed, isDeleted: false, hasLeft: true, object: object)
            try putShadow(model, id, image)
        }
        return false
    }
}
