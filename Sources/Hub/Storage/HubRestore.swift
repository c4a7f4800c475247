import Basics
import Crypto
import SQLite
import System

/// Puts a backup back as a hub's database, as a new life of it.
public enum HubRestore {
    /// What was done.
    public struct Outcome: Sendable, Hashable {
        /// What the backup holds.
        public let manifest: BackupManifest
        /// The new life's name.
        public let epoch: String
        /// Where the database that was there before lies now.
        public let setAside: String?
        /// Whether keys and people are those of the database that was there before, and not the backup's.
        public let keepsAccess: Bool
    }

    /// Restores `file` into `directory`. The database that is there is kept aside, and nothing is changed before the
    /// backup has been verified and prepared.
    ///
    /// Keys and people are no part of what goes back in time: who was shut out since the backup stays out, and who was let
    /// in since can come and send again what the backup lacks. They are taken from the database that is there, where it is
    /// the same hub's, can be read, and is no copy that somebody put in its place by hand.
    ///
    /// - Parameter takesAccess: whether keys and people shall be the backup's all the same.
    /// - Throws: ``HubError`` where a hub runs there, where data is there and `replacing` is false, or where the backup is
    ///   damaged, none, or a newer program's.
    public static func restore(
        _ file: String, into directory: String, replacing: Bool, takesAccess: Bool = false, time: any TimeSource
    ) throws -> Outcome {
        guard Files.exists(file) else { throw HubError("there is no file \(file)") }
        try Files.createDirectory(directory, mode: 0o700)
        let locks = (try lock(directory), try AccessStore.lockOut(directory))
        defer { withExtendedLifetime(locks) {} }
        // What an earlier restore has begun is what clients may have to be kept apart from.
        try finishLocked(directory)
        let path = HubBackup.database(in: directory)
        let isThere = Files.exists(path)
        guard replacing || !isThere else {
            throw HubError("\(directory) holds a hub's data already; give --replace to set it aside and restore")
        }
        try check(file)
        let partial = path + ".restoring"
        HubBackup.removeDatabase(partial)
        let prepared: Prepared
        do {
            // Closed before it is set aside.
            let before = isThere ? try opened(path) : nil
            prepared = try prepare(file, at: partial, replacing: before, takesAccess: takesAccess, time)
        } catch {
            HubBackup.removeDatabase(partial)
            throw error
        }
        HubBackup.removeLog(partial)
        // Under this name it is whole: a hub that finds it and no database goes on from here.
        try Files.rename(partial, to: ready(path))
        try Files.synchronizeDirectory(directory)
        let aside = isThere ? try setAside(path, directory, time) : nil
        try finishLocked(directory)
        return Outcome(
            manifest: prepared.manifest, epoch: prepared.epoch, setAside: aside, keepsAccess: prepared.keepsAccess)
    }

    private struct Prepared {
        let manifest: BackupManifest
        let epoch: String
        let keepsAccess: Bool
    }

    private static func ready(_ path: String) -> String { path + ".restored" }

    /// Whether a restore was cut off after it had set the old database aside.
    public static func isCutOff(in directory: String) -> Bool {
        let path = HubBackup.database(in: directory)
        return !Files.exists(path) && Files.exists(ready(path))
    }

    /// Ends a restore that was cut off between setting the old database aside and putting the new one in its place. To be
    /// called before anything opens the database, or makes one.
    public static func finish(in directory: String) throws {
        guard isCutOff(in: directory) else { return }
        let lock = try lock(directory)
        try withExtendedLifetime(lock) { try finishLocked(directory) }
    }

    private static func lock(_ directory: String) throws -> FileLock {
        do {
            return try FileLock(directory + "/hub.lock")
        } catch let held as FileLock.Held {
            throw HubError(
                "a hub runs on \(directory), or is being restored" + (held.owner.map { " (process \($0))" } ?? "")
                    + "; stop it first, then restore")
        }
    }

    /// The same for who holds the directory's lock.
    static func finishLocked(_ directory: String) throws {
        guard isCutOff(in: directory) else { return }
        let path = HubBackup.database(in: directory)
        // A log that is left is the old database's: SQLite would play it into the new one.
        let logs = logSuffixes.filter { Files.exists(path + $0) }
        if !logs.isEmpty {
            let aside = try asides(directory).last { Files.exists($0 + "/hub.sqlite") }
            for suffix in logs {
                if let aside, !Files.exists(aside + "/hub.sqlite" + suffix) {
                    try Files.rename(path + suffix, to: aside + "/hub.sqlite" + suffix)
                } else {
                    try Files.remove(path + suffix)
                }
            }
            try Files.synchronizeDirectory(directory)
        }
        try Files.rename(ready(path), to: path)
    }

    /// Forgets what a restore had prepared that was cut off before it set anything aside: the database stayed, and the
    /// prepared one must not come up one day when somebody moves that. For who holds the directory's lock.
    static func forgetUnused(_ directory: String) throws {
        let path = HubBackup.database(in: directory)
        guard Files.exists(path) else { return }
        try Files.remove(ready(path))
        HubBackup.removeDatabase(path + ".restoring")
    }

    private static let logSuffixes = ["-wal", "-shm"]

    /// Where databases were set aside, the last at the end.
    private static func asides(_ directory: String) throws -> [String] {
        try Files.list(directory).filter { $0.hasPrefix("before-restore-") }.map { directory + "/" + $0 }
            .sorted { (Files.modified($0) ?? 0) < (Files.modified($1) ?? 0) }
    }

    /// Compares the file with its manifest, where one lies beside it.
    private static func check(_ file: String) throws {
        let path = BackupManifest.path(of: file)
        guard Files.exists(path) else { return }
        let json = try? JSONValue(parsing: try Files.read(path))
        guard let json, let manifest = BackupManifest(json: json) else {
            if let format = json?["format"]?.integer, format > BackupManifest.format { throw newer(file) }
            throw HubError("\(path) cannot be read; restore another backup")
        }
        let found = try HubBackup.digest(of: file)
        guard found == manifest.digest else {
            throw HubError("\(file) is not what was backed up: its digest is another; restore another backup")
        }
    }

    private static func newer(_ file: String) -> HubError {
        HubError("\(file) was made by a newer program, so nothing was changed; restore it with that one")
    }

    /// The database that is replaced; nil where it is damaged, which is what restores are for. For want of room only it
    /// must not count as unreadable.
    private static func opened(_ path: String) throws -> Connection? {
        do throws(SQLiteError) {
            return try Connection.open(path: path)
        } catch {
            guard !error.isFull, !error.isCannotOpen else {
                throw HubError("the data that is there cannot be read now, so nothing was changed: \(error)")
            }
            return nil
        }
    }

    /// The last stamp and hub time of the database that is replaced, as far as they can be read: clients saw them.
    /// Where not every version can be read, the ceiling is missing.
    private static func lastSeen(_ connection: Connection) -> (stamp: Int64, hubTime: Int64, ceiling: Int64?)? {
        guard let row = try? connection.rows("SELECT stamp,hub_time FROM _clock WHERE id=1").first,
            let stamp = row[0].integer, let hubTime = row[1].integer
        else { return nil }
        return (stamp, hubTime, try? HubLives.ceiling(of: connection))
    }

    private static func prepare(
        _ file: String, at partial: String, replacing before: Connection?, takesAccess: Bool, _ time: any TimeSource
    ) throws -> Prepared {
        try Files.createNew([], at: partial, mode: 0o600)
        let source = try Connection.open(path: file, options: .readOnly)
        // Before anything is set aside: this program could not serve it.
        if try source.applicationID == HubCore.applicationID, try source.userVersion > HubCore.formatVersion {
            throw newer(file)
        }
        let manifest = try HubBackup.describe(source, takenAt: time.now())
        let copy = try Connection.open(path: partial)
        try source.copy(into: copy)
        let problems = try copy.integrityProblems()
        guard problems.isEmpty else {
            throw HubError(
                "\(file) is damaged; restore another backup (\(problems.prefix(3).joined(separator: "; ")))")
        }
        for table in HubLives.tables { try copy.execute(table) }
        let epoch = SecureRandom.hex(byteCount: 8)
        let seen = before.flatMap(lastSeen)
        // A copy that was put in by hand and never served knows no more than the backup of what clients saw since, and of
        // who was shut out.
        let isCopy = before.map { (try? CopyMark.isSet($0)) ?? true } ?? false
        let access = takesAccess || isCopy ? nil : before.flatMap { RestoredAccess(of: $0, forBackup: copy) }
        try copy.transaction(.immediate) {
            try HubLives.begin(
                on: copy, epoch: epoch, tokenKey: SecureRandom.hex(byteCount: 32),
                after: max(seen?.stamp ?? 0, time.now().milliseconds),
                above: isCopy ? try HubLives.unknownCeiling(above: seen?.ceiling, copy) : seen?.ceiling)
            if let seen {
                try copy.run("UPDATE _clock SET hub_time=max(hub_time,?) WHERE id=1", [.integer(seen.hubTime)])
            }
            try access?.write(copy)
        }
        try copy.leaveWriteAheadLog()
        return Prepared(manifest: manifest, epoch: epoch, keepsAccess: access != nil)
    }

    private static func setAside(_ path: String, _ directory: String, _ time: any TimeSource) throws -> String {
        let name = HubBackup.name(at: time.now()).dropFirst(4).dropLast(7)
        var aside = directory + "/before-restore-\(name)"
        var number = 1
        while Files.exists(aside) {
            number += 1
            aside = directory + "/before-restore-\(name)-\(number)"
        }
        try Files.createDirectory(aside, mode: 0o700)
        // The database goes first: as long as it is there, its log is beside it and nothing of it is lost. Once it is gone,
        // whoever comes next moves the log behind it and goes on with the restored one.
        for suffix in [""] + logSuffixes where Files.exists(path + suffix) {
            try Files.rename(path + suffix, to: aside + "/hub.sqlite" + suffix)
        }
        try Files.synchronizeDirectory(directory)
        return aside
    }
}
