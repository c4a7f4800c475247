import Basics
import Crypto
import SQLite
import System

/// What a backup holds, written beside it as `FILE.json` once the copy has been verified.
public struct BackupManifest: Sendable, Hashable {
    /// When it was taken, by this machine's clock.
    public var takenAt: DateTime
    /// Which life of the hub it is of.
    public var epoch: String
    /// The stamp of its last commit.
    public var stamp: Int64
    /// How long the hub had run in all.
    public var hubTime: Int64
    /// Its size.
    public var bytes: Int
    /// SHA-256 of the file.
    public var digest: String
    /// Rows by model, those deleted and still remembered too.
    public var rows: [String: Int]

    /// How manifests are written; a newer program may have another.
    static let format: Int64 = 1

    /// The file beside a backup.
    public static func path(of backup: String) -> String { backup + ".json" }

    /// Reads the manifest of a file; nil where that is none, or there is none.
    init?(at path: String) {
        guard let text = try? Files.readText(path), let json = try? JSONValue(parsing: text) else { return nil }
        self.init(json: json)
    }

    var json: JSONValue {
        var counts = JSONObject()
        for (model, count) in rows.sorted(by: { $0.key < $1.key }) { counts[model] = .integer(Int64(count)) }
        return [
            "format": .integer(Self.format), "takenAt": .string(takenAt.iso8601), "epoch": .string(epoch),
            "stamp": .integer(stamp),
            "hubTime": .integer(hubTime), "bytes": .integer(Int64(bytes)), "sha256": .string(digest),
            "rows": .object(counts),
        ]
    }

    init?(json: JSONValue) {
        guard json["format"]?.integer == Self.format,
            let takenAt = json["takenAt"]?.string.flatMap({ DateTime(iso8601: $0) }),
            let epoch = json["epoch"]?.string, let stamp = json["stamp"]?.integer,
            let hubTime = json["hubTime"]?.integer, let bytes = json["bytes"]?.integer,
            let digest = json["sha256"]?.string
        else { return nil }
        var rows: [String: Int] = [:]
        for member in json["rows"]?.object?.members ?? [] { rows[member.key] = member.value.integer.map { Int($0) } }
        self.init(
            takenAt: takenAt, epoch: epoch, stamp: stamp, hubTime: hubTime, bytes: Int(bytes), digest: digest,
            rows: rows)
    }

    init(
        takenAt: DateTime, epoch: String, stamp: Int64, hubTime: Int64, bytes: Int, digest: String,
        rows: [String: Int]
    ) {
        self.takenAt = takenAt
        self.epoch = epoch
        self.stamp = stamp
        self.hubTime = hubTime
        self.bytes = bytes
        self.digest = digest
        self.rows = rows
    }
}

/// Online backups of a hub's data directory, by another connection or another process than the one that serves.
///
/// The copy is one state of the database: all that was answered before it began. Commits go on meanwhile; the copy is made
/// in parts with a rest after each, so that they find the disk free.
public enum HubBackup {
    /// The hub's database in its data directory.
    public static func database(in directory: String) -> String { directory + "/hub.sqlite" }
    /// What the hub is told of its last backup, in its data directory.
    static func note(in directory: String) -> String { directory + "/last-backup.json" }

    private static let pages = 128
    private static let restMilliseconds: Int32 = 1

    /// Somebody else backs this hub up just now.
    public struct UnderWay: Error, Sendable, Hashable, CustomStringConvertible {
        /// One line for a person.
        public let description: String
    }

    /// Takes a backup of the hub in `directory` and verifies it; nothing is at `target` before it is whole.
    ///
    /// - Parameter isNoted: whether the hub counts it as its last backup; not where it is a copy for another purpose, which
    ///   saves nobody from the loss of the disk.
    /// - Throws: ``UnderWay``, ``HubError`` where something lies at `target` that is no backup, or what SQLite and the
    ///   system say. An earlier backup of that name is then what it was.
    public static func take(
        of directory: String, to target: String, time: any TimeSource, isNoted: Bool = true,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> BackupManifest {
        let source = database(in: directory)
        guard Files.exists(source) else { throw HubError("there is no hub's database in \(directory)") }
        let lock = try lock(directory)
        defer { withExtendedLifetime(lock) {} }
        try checkTarget(target)
        let partial = target + partialSuffix
        removeDatabase(partial)
        let text: String
        var manifest: BackupManifest
        do {
            manifest = try copy(source, to: partial, time, progress)
            removeLog(partial)
            manifest.bytes = Files.size(partial) ?? 0
            manifest.digest = try digest(of: partial)
            text = manifest.json.text + "\n"
            // All that takes room is written before anything at the target changes.
            try Files.writeAtomically(text, to: BackupManifest.path(of: partial), mode: 0o600)
            // A backup without a manifest is restored by what it is itself; with an older one's it would be refused.
            try Files.remove(BackupManifest.path(of: target))
            try Files.rename(partial, to: target)
            try Files.rename(BackupManifest.path(of: partial), to: BackupManifest.path(of: target))
        } catch {
            removeDatabase(partial)
            // It says of a target without a manifest that it is a backup all the same.
            if !Files.exists(target) || Files.exists(BackupManifest.path(of: target)) {
                try? Files.remove(BackupManifest.path(of: partial))
            }
            throw error
        }
        guard isNoted else { return manifest }
        do {
            try Files.writeAtomically(text, to: note(in: directory), mode: 0o600)
        } catch {
            throw HubError("the backup \(target) is whole, but the hub cannot be told of it: \(error)")
        }
        return manifest
    }

    static let partialSuffix = ".partial"

    /// One backup of a hub at a time: two under the same name would write into each other's file.
    private static func lock(_ directory: String) throws -> FileLock {
        do {
            return try FileLock(directory + "/backup.lock")
        } catch let held as FileLock.Held {
            throw UnderWay(
                description: "another backup of this hub is under way"
                    + (held.owner.map { " (process \($0))" } ?? "") + "; try again when it has ended")
        }
    }

    /// Refuses a target that is something else than a backup: a mistyped name must not cost anybody's file, least of all
    /// the hub's own database.
    private static func checkTarget(_ target: String) throws {
        let manifest = BackupManifest.path(of: target)
        guard !Files.isDirectory(target) else { throw HubError("\(target) is a directory; name a file in it") }
        if Files.exists(manifest) {
            guard BackupManifest(at: manifest) == nil else { return }
            throw HubError("\(manifest) is there and is no backup's manifest; give the backup another name")
        }
        // Without its manifest only where an earlier run was cut off between the two.
        guard Files.exists(target), BackupManifest(at: BackupManifest.path(of: target + partialSuffix)) == nil else {
            return
        }
        throw HubError(
            "\(target) is there and is no backup (\(manifest) is missing); give the backup another name, or move that away"
        )
    }

    private static func copy(
        _ source: String, to partial: String, _ time: any TimeSource, _ progress: (Int, Int) -> Void
    ) throws -> BackupManifest {
        // Made with the right of its owner only, before anything is in it.
        try Files.createNew([], at: partial, mode: 0o600)
        let from = try Connection.open(path: source, options: .readOnly)
        let takenAt = time.now()
        let copy = try Connection.open(path: partial)
        try from.copy(into: copy, pagesAtOnce: pages) { done, total in
            progress(done, total)
            if done < total { rest(milliseconds: restMilliseconds) }
        }
        let problems = try copy.integrityProblems()
        guard problems.isEmpty else {
            throw HubError("the copy is damaged, so it was thrown away: \(problems.prefix(3).joined(separator: "; "))")
        }
        let manifest = try describe(copy, takenAt: takenAt)
        try copy.transaction(.immediate) { try CopyMark.set(copy) }
        try copy.leaveWriteAheadLog()
        return manifest
    }

    /// What a hub's database says of itself.
    static func describe(_ connection: Connection, takenAt: DateTime) throws -> BackupManifest {
        guard try connection.applicationID == HubCore.applicationID,
            let clock = try connection.rows("SELECT epoch,stamp,hub_time FROM _clock WHERE id=1").first,
            let epoch = clock[0].text, let stamp = clock[1].integer, let hubTime = clock[2].integer
        else { throw HubError("\(connection.path ?? "it") is no hub's database") }
        var rows: [String: Int] = [:]
        for table in try models(connection) {
            rows[table] = Int(try connection.value("SELECT count(*) FROM \"\(table)\"")?.integer ?? 0)
        }
        return BackupManifest(
            takenAt: takenAt, epoch: epoch, stamp: stamp, hubTime: hubTime, bytes: 0, digest: "", rows: rows)
    }

    /// The tables of models: the service's own begin with an underscore.
    static func models(_ connection: Connection) throws -> [String] {
        try connection.rows(
            "SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE '\\_%' ESCAPE '\\' "
                + "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        ).compactMap { $0[0].text }
    }

    static func digest(of path: String) throws -> String {
        var hash = SHA256()
        try Files.readParts(path) { hash.update($0) }
        return Hex.encode(hash.finish())
    }

    static func removeDatabase(_ path: String) {
        removeLog(path)
        try? Files.remove(path)
    }

    /// Removes what SQLite leaves beside a database that is whole without it, and closed.
    static func removeLog(_ path: String) {
        for suffix in ["-wal", "-shm", "-journal"] { try? Files.remove(path + suffix) }
    }

    /// When the last verified backup of a directory was taken; nil where there was none.
    public static func last(in directory: String) -> BackupManifest? {
        BackupManifest(at: note(in: directory))
    }
}
