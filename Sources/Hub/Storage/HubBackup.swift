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

    /// The file beside a backup.
    public static func path(of backup: String) -> String { backup + ".json" }

    var json: JSONValue {
        var counts = JSONObject()
        for (model, count) in rows.sorted(by: { $0.key < $1.key }) { counts[model] = .integer(Int64(count)) }
        return [
            "format": 1, "takenAt": .string(takenAt.iso8601), "epoch": .string(epoch), "stamp": .integer(stamp),
            "hubTime": .integer(hubTime), "bytes": .integer(Int64(bytes)), "sha256": .string(digest),
            "rows": .object(counts),
        ]
    }

    init?(json: JSONValue) {
        guard json["format"]?.integer == 1, let takenAt = json["takenAt"]?.string.flatMap({ DateTime(iso8601: $0) }),
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

    /// Takes a backup of the hub in `directory` and verifies it; nothing is at `target` before it is whole.
    public static func take(
        of directory: String, to target: String, time: any TimeSource,
        progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> BackupManifest {
        let source = database(in: directory)
        guard Files.exists(source) else { throw HubError("there is no hub's database in \(directory)") }
        let partial = target + ".partial"
        removeDatabase(partial)
        do {
            var manifest = try copy(source, to: partial, time, progress)
            removeLog(partial)
            manifest.bytes = Files.size(partial) ?? 0
            manifest.digest = try digest(of: partial)
            try Files.rename(partial, to: target)
            let text = manifest.json.text + "\n"
            try Files.writeAtomically(text, to: BackupManifest.path(of: target), mode: 0o600)
            try Files.writeAtomically(text, to: note(in: directory), mode: 0o600)
            try Files.synchronizeDirectory(Files.parent(of: target))
            return manifest
        } catch {
            removeDatabase(partial)
            throw error
        }
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
        guard let text = try? Files.readText(note(in: directory)), let json = try? JSONValue(parsing: text) else {
            return nil
        }
        return BackupManifest(json: json)
    }
}

extension HubBackup {
    /// The name of a backup in a directory of them: `hub-20260131T235959Z.sqlite`.
    public static func name(at time: DateTime) -> String {
        let stamp = time.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "hub-\(stamp)Z.sqlite"
    }

    /// Removes all but the newest backups of a directory: only files named as ``name(at:)`` names them, and only where
    /// their manifest is there. Gives what went.
    public static func rotate(in directory: String, keep: Int) throws -> [String] {
        let names = try Files.list(directory).filter { name in
            isName(name) && Files.exists(BackupManifest.path(of: directory + "/" + name))
        }.sorted()
        let old = Array(names.dropLast(max(keep, 1)))
        for name in old {
            // The manifest last: a backup without one is never taken for whole.
            try Files.remove(directory + "/" + name)
            try Files.remove(BackupManifest.path(of: directory + "/" + name))
        }
        return old
    }

    private static func isName(_ name: String) -> Bool {
        let stamp = name.dropFirst(4).dropLast(7)
        return name.hasPrefix("hub-") && name.hasSuffix(".sqlite") && stamp.count == 16 && stamp.hasSuffix("Z")
            && stamp.dropLast().allSatisfy { $0.isNumber || $0 == "T" }
    }
}
