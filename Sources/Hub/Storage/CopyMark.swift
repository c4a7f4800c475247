import Basics
import Crypto
import SQLite

/// What tells a copy of a hub's database from the database itself: a table that only copies have.
///
/// Whoever puts a backup back by hand, as a file under the database's name, puts back the life that it was taken in too.
/// Clients would know that life, with stamps and versions that the copy never gave: they would never learn that what came
/// after it is lost, nor what is made now. So a copy that is opened to be served begins another life, as a restored one.
enum CopyMark {
    private static let table = "_copied"

    /// Marks a copy, within the open transaction.
    static func set(_ connection: Connection) throws {
        try connection.execute("CREATE TABLE IF NOT EXISTS \(table)(id INTEGER PRIMARY KEY CHECK(id=1)) STRICT")
    }

    /// Marks a copy in a file that nobody else has open; it is whole by itself afterwards.
    static func set(file: String) throws {
        do {
            let connection = try Connection.open(path: file)
            try connection.transaction(.immediate) { try set(connection) }
            try connection.leaveWriteAheadLog()
        }
        HubBackup.removeLog(file)
    }

    /// Whether a database is a copy that was never served.
    static func isSet(_ connection: Connection) throws -> Bool {
        try connection.value("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?", [.text(table)]) != nil
    }

    /// Makes a copy the database itself, within the open transaction; to be done with the life that it begins.
    static func remove(_ connection: Connection) throws {
        try connection.execute("DROP TABLE IF EXISTS \(table)")
    }

    /// Begins another life where a hub's database is a copy. What clients saw since it was taken, nobody knows here.
    static func beginLife(_ connection: Connection, _ time: any TimeSource, _ log: Log) throws {
        guard try isSet(connection) else { return }
        let epoch = SecureRandom.hex(byteCount: 8)
        try connection.transaction(.immediate) {
            try HubLives.begin(
                on: connection, epoch: epoch, tokenKey: SecureRandom.hex(byteCount: 32), after: time.now().milliseconds,
                above: nil)
        }
        connection.clearStatementCache()
        log(
            .warning,
            "a copy of the database was put in its place by hand, so it begins another life, \(epoch): every terminal "
                + "compares what it has and sends again what the copy lacks; keys and people are the copy's, and what was "
                + "withdrawn since is good again (look through `bincount hub key list` and `bincount hub person list`; "
                + "put backups back with `bincount hub restore`)")
    }
}
