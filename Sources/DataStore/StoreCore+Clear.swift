import ModelTables
import Models
import System

extension StoreCore {
    /// Removes all records, marks and waiting changes; the store's name, its counters and its settings stay.
    ///
    /// - Parameters:
    ///   - discardingUnsent: Whether changes that were not sent may go; else they make it throw
    ///     ``StoreError/unsentChanges(_:)``. Where they go, so do the backups that migrations left beside the file.
    ///   - path: Where the outbox is written to before, in the same transaction: what it lacks is not discarded.
    package func clear(discardingUnsent: Bool, exportingTo path: String? = nil) throws {
        _ = try commit(nil, .full) { _ in
            if let path { try exportOutbox(to: path) }
            let unsent = outboxStatus.unsent
            if unsent > 0, !discardingUnsent { throw StoreError.unsentChanges(unsent) }
            for model in schema.models {
                guard let table = context.tables[model.name] else { continue }
                try connection.run("DELETE FROM \(table.table.name)")
                log.reset(model.name)
            }
            for name in StoreSchema.cleared { try connection.run("DELETE FROM \"\(name)\"") }
            // What the backend has confirmed stays known, in case it loses it; unless all is given up.
            if discardingUnsent {
                try connection.run("DELETE FROM \"_journal\"")
                try removeBackups()
            }
            try connection.run("DELETE FROM \"_meta\" WHERE \"key\" LIKE 'driver.%' OR \"key\" LIKE 'maker.%'")
            try connection.run(
                """
                INSERT INTO "_meta" VALUES('clearings','1') ON CONFLICT DO UPDATE SET \
                "value"=CAST("value" AS INTEGER)+1
                """)
            retryAt.removeAll()
            try refreshFlags()
            removedEntries = true
            countsChanged = true
            log.touchedOutbox = true
        }
    }

    /// Removes the copies of the file that migrations made before they changed it.
    private func removeBackups() throws {
        guard let path = connection.path, let name = path.split(separator: "/").last else { return }
        let (directory, start) = (Files.parent(of: path), Migrator.backupStart(of: String(name)))
        do {
            for name in try Files.list(directory) where name.hasPrefix(start) {
                try Files.remove(directory + "/" + name)
            }
            try Files.synchronizeDirectory(directory)
        } catch {
            throw StoreError.unusableFile("\(error)")
        }
    }

    /// How often the store was cleared, by whatever process.
    package func clearings() throws -> Int64 {
        try storeErrors {
            let text = try connection.value("SELECT \"value\" FROM \"_meta\" WHERE \"key\"='clearings'")?.text
            return text.flatMap { Int64($0) } ?? 0
        }
    }

    /// Writes the outbox to a file, part by part; gives how many entries there were.
    @discardableResult
    package func exportOutbox(to path: String) throws -> Int {
        try read { transaction in
            do {
                return try Files.writeAtomically(to: path, mode: 0o600) { write in
                    var count = 0
                    var after = Int64.min
                    while case let part = try transaction.exportOutbox(after: after), let last = part.last {
                        try write(Array((part.lines.joined(separator: "\n") + "\n").utf8))
                        count += part.lines.count
                        after = last
                    }
                    return count
                }
            } catch let error as SystemError {
                throw StoreError.unusableFile("\(error)")
            }
        }
    }

    /// Looks whether another process wrote the file since the last look, and if so tells the observers to look again.
    @discardableResult
    package func noticeForeignChanges() throws -> Bool {
        if isClosed { throw StoreError.closed }
        let version = try storeErrors { try connection.dataVersion }
        guard let last = lastDataVersion, last != version else {
            lastDataVersion = version
            return false
        }
        _ = try commit(nil, .normal) { _ in
            countsChanged = true
            log.touchedOutbox = true
            for model in schema.models { log.reset(model.name) }
        }
        lastDataVersion = version
        return true
    }
}

extension DataStore.ClearMode {
    /// Where unsent changes are written to, if they are.
    var exportPath: String? { if case .export(let path) = self { path } else { nil } }
}
