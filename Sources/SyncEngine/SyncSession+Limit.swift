import DataStore
import Models

/// Models of which the scope lets only so many records come.
extension SyncSession {
    /// How many more records a fetch from the beginning may take; nil where it may take all.
    func room(_ model: ModelSchema, _ mark: SyncMark) -> Int? {
        guard mark.lastSync == nil, let limit = options.scope.limits[model.name] else { return nil }
        return max(limit, 1) - taken[model.name, default: 0]
    }

    /// Counts what came before a page is asked for: nothing before the first; before a later one, after a restart, what is
    /// here.
    func countTaken(_ model: ModelSchema, _ mark: SyncMark) throws {
        guard mark.lastSync == nil, options.scope.limits[model.name] != nil else { return }
        if mark.nextToken == nil {
            taken[model.name] = 0
        } else if taken[model.name] == nil {
            taken[model.name] = try core.confirmedCount(model.name)
        }
    }

    /// Takes note, where the last page of a fetch from the beginning came, of whether it was the last for the limit only.
    func noteTruncation(_ model: ModelSchema, isTruncated: Bool) throws {
        guard isTruncated || status.truncatedModels.contains(model.name) else { return }
        try core.setDriverState(
            RecordExplanation.truncationKey(of: model.name), isTruncated ? String(taken[model.name, default: 0]) : nil)
    }

    /// Tells of a fetch from the beginning that is over.
    func tellOfLimit(_ model: ModelSchema, isTruncated: Bool) {
        if let rows = taken.removeValue(forKey: model.name), isTruncated {
            status.truncatedModels.insert(model.name)
            perform(.event(.truncated(model: model.name, .limit(rows))))
        } else {
            status.truncatedModels.remove(model.name)
        }
    }

    func loadTruncated() throws {
        status.truncatedModels = Set(try core.driverKeys(after: RecordExplanation.truncationPrefix))
    }
}
