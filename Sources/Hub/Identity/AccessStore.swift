import Basics
import Crypto
import Models
import SQLite
import System

/// The hub's tables of keys and people, over a connection of its own.
///
/// A command may write them while the hub runs: each change counts up a generation in the same transaction, by which
/// the running hub notices. Confined to the thread that opened it.
public struct AccessStore {
    let connection: Connection
    let time: any TimeSource
    /// Keeps the database from being replaced, where no hub's lock does: what is written then would be lost, and who was
    /// shut out would be let in again.
    private let lock: FileLock?

    /// Takes a connection to a database that has the tables.
    init(_ connection: Connection, _ time: any TimeSource, _ lock: FileLock? = nil) throws {
        self.connection = connection
        self.time = time
        self.lock = lock
        for sql in Self.tables { try connection.execute(sql) }
        if try connection.value("SELECT count(*) FROM _access") == .integer(0) {
            try connection.run(
                "INSERT OR IGNORE INTO _access(id,generation,secret) VALUES(1,1,?)",
                [.text(SecureRandom.hex(byteCount: 32))])
        }
    }

    /// Opens the tables in a hub's data directory, whether a hub runs there or not; a new directory gets its database.
    ///
    /// - Throws: what SQLite or the file system says, in one line for a person.
    public static func open(dataDirectory: String, time: any TimeSource) throws -> AccessStore {
        try HubDirectory.make(dataDirectory)
        let lock: FileLock
        do {
            lock = try FileLock(lockPath(dataDirectory), isShared: true)
        } catch let held as FileLock.Held {
            throw HubError(
                "a backup is being restored into \(dataDirectory)" + (held.owner.map { " (process \($0))" } ?? "")
                    + "; try again when that has ended")
        }
        try HubRestore.finish(in: dataDirectory)
        let path = HubBackup.database(in: dataDirectory)
        let isNew = try HubDirectory.makeDatabase(path)
        let connection = try Connection.open(path: path)
        if isNew { try HubCore.migrate(Schema(models: []), [], connection, .none) }
        return try AccessStore(connection, time, lock)
    }

    private static func lockPath(_ dataDirectory: String) -> String { dataDirectory + "/access.lock" }

    /// Keeps commands from the tables while a restore replaces the database.
    static func lockOut(_ dataDirectory: String) throws -> FileLock {
        do {
            return try FileLock(lockPath(dataDirectory))
        } catch let held as FileLock.Held {
            throw HubError(
                "keys or people of \(dataDirectory) are being changed" + (held.owner.map { " (process \($0))" } ?? "")
                    + "; restore when that has ended")
        }
    }

    static let tables = [
        """
        CREATE TABLE IF NOT EXISTS _access(id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, secret TEXT NOT NULL) \
        STRICT
        """,
        """
        CREATE TABLE IF NOT EXISTS _api_keys(id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE, groups TEXT NOT NULL, \
        name TEXT NOT NULL, device TEXT, created INTEGER NOT NULL, expires INTEGER, revoked INTEGER, used INTEGER) STRICT
        """,
        """
        CREATE TABLE IF NOT EXISTS _people(id TEXT PRIMARY KEY, badge TEXT NOT NULL UNIQUE, groups TEXT NOT NULL, \
        salt TEXT NOT NULL, derived TEXT NOT NULL, cost INTEGER NOT NULL, block INTEGER NOT NULL, \
        parallel INTEGER NOT NULL, generation INTEGER NOT NULL, changed INTEGER NOT NULL, unlocks INTEGER NOT NULL) STRICT
        """,
        """
        CREATE TABLE IF NOT EXISTS _sign_in_places(badge TEXT NOT NULL, place TEXT NOT NULL, failures INTEGER NOT NULL, \
        last INTEGER NOT NULL, known INTEGER, PRIMARY KEY(badge, place)) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX IF NOT EXISTS _sign_in_places_by_time ON _sign_in_places(last)",
        // What earlier versions counted, by badge alone, and remembered for a day.
        "DROP TABLE IF EXISTS _sign_ins",
        "CREATE TABLE IF NOT EXISTS _issuers(url TEXT PRIMARY KEY, keys TEXT NOT NULL, fetched INTEGER NOT NULL) STRICT",
    ]

    var now: Int64 { time.now().milliseconds }

    /// Which state of keys and people this is.
    func generation() throws -> Int64 {
        try connection.value("SELECT generation FROM _access WHERE id=1")?.integer ?? 0
    }

    /// Changes something and counts it, in one transaction.
    func change<R>(_ body: () throws -> R) throws -> R {
        try connection.transaction {
            let result = try body()
            try connection.run("UPDATE _access SET generation=generation+1 WHERE id=1")
            return result
        }
    }

    /// Everything, as it is now.
    func snapshot() throws -> AccessSnapshot {
        try connection.transaction(.deferred) {
            let row = try connection.rows("SELECT generation,secret FROM _access WHERE id=1").first ?? []
            guard row.count == 2, let generation = row[0].integer, let secret = row[1].text else {
                throw HubError("the hub's keys cannot be read; restore a backup")
            }
            return AccessSnapshot(
                generation: generation, secret: SHA256.digest(secret), keys: try keys(), people: try people())
        }
    }

    static func text(_ groups: Set<String>) -> Value { .text(groups.sorted().joined(separator: ",")) }
    static func groups(_ value: Value) -> Set<String> {
        Set((value.text ?? "").split(separator: ",").map(String.init))
    }

    /// Names of groups, devices and people stand in headers, lists and logs.
    static func check(_ text: String, _ what: String) throws(HubError) {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != "," && $0 != ":" }
        guard !text.isEmpty, text.utf8.count <= 200, isPlain, text.first != " ", text.last != " " else {
            throw HubError("\(printable(text)) is no \(what): 1 to 200 bytes, no comma, colon or control character")
        }
    }
}
