import CSQLite
import Models

/// The key of an encrypted database; it is never printed.
public struct DatabaseKey: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
    enum Secret: Sendable, Hashable {
        case passphrase(String)
        case bytes([UInt8])
    }

    let secret: Secret

    /// A passphrase, from which SQLCipher derives the key slowly on purpose.
    public static func passphrase(_ text: String) -> DatabaseKey { DatabaseKey(secret: .passphrase(text)) }
    /// A key of 32 random bytes, used as it is.
    public static func bytes(_ bytes: [UInt8]) -> DatabaseKey {
        precondition(bytes.count == 32, "A raw key has 32 bytes.")
        return DatabaseKey(secret: .bytes(bytes))
    }

    /// Hides the key.
    public var description: String { "DatabaseKey(…)" }
    /// Hides the key.
    public var debugDescription: String { description }

    /// The key as a pragma takes it.
    var literal: String {
        switch secret {
        case .passphrase(let text):
            return "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        case .bytes(let bytes):
            let digits = Array("0123456789abcdef")
            return "\"x'" + String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }) + "'\""
        }
    }
}

extension Connection {
    /// Whether this system's SQLite is SQLCipher, and databases can be encrypted.
    public static var canEncrypt: Bool {
        var opened: OpaquePointer?
        defer { sqlite3_close_v2(opened) }
        guard sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK else {
            return false
        }
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(opened, "PRAGMA cipher_version", -1, &statement, nil) == SQLITE_OK else {
            return false
        }
        return sqlite3_step(statement) == SQLITE_ROW
    }

    /// Refuses a key before a file is made or touched where nothing could encrypt it: a plain file would be worse.
    static func checkEncryption(_ key: DatabaseKey?, _ name: String) throws(SQLiteError) {
        guard key != nil, !canEncrypt else { return }
        throw SQLiteError(
            code: SQLITE_ERROR,
            message: "cannot open \(name) with a key: this system's SQLite does not encrypt; install SQLCipher in its "
                + "place, or open the store without a key")
    }

    /// Gives an encrypted database another key.
    public func changeKey(_ key: DatabaseKey) throws(SQLiteError) {
        guard self.key != nil else {
            throw SQLiteError(code: SQLITE_MISUSE, message: "a database that is not encrypted has no key to change")
        }
        // A database in WAL mode cannot be written anew with another key.
        try raw("PRAGMA journal_mode=DELETE")
        do {
            try raw("PRAGMA rekey=\(key.literal)")
        } catch {
            throw SQLiteError(code: error.extendedCode, message: "the key cannot be changed: \(error.message)")
        }
        self.key = key
        if path != nil { try raw("PRAGMA journal_mode=WAL") }
    }
}
