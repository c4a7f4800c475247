import SQLite
import System

/// Where a store's database comes from.
///
/// ``FileStorage`` and ``MemoryStorage`` are what most programs need; another adapter may put the file elsewhere, count
/// openings in a test, or prepare the connection. What it gives are connections of the module SQLite, which comes with this
/// library.
public protocol StorageAdapter: Sendable {
    /// Opens the database for writing, and makes it where there is none.
    func openWriter() throws -> Connection
    /// Opens one more connection to the same database, for reading; asked only where ``sharedDirectory`` is not nil.
    func openReader() throws -> Connection?
    /// The directory whose locks settle which process synchronises; nil where there can be only one connection.
    var sharedDirectory: String? { get }
}

/// A database in a file, `store.sqlite` in a directory of its own.
public struct FileStorage: StorageAdapter {
    /// The directory, made where it is missing.
    public let directory: String
    private let key: DatabaseKey?

    /// Names a directory.
    ///
    /// - Parameter key: encrypts the database; refused where this system's SQLite is not SQLCipher.
    public init(directory: String, key: DatabaseKey? = nil) {
        self.directory = directory
        self.key = key
    }

    /// Opens the file for writing.
    public func openWriter() throws -> Connection {
        if key == nil || Connection.canEncrypt { try Files.createDirectory(directory) }
        return try Connection.open(path: StoreOpening.path(directory), options: options(.init()))
    }

    /// Opens the file for reading.
    public func openReader() throws -> Connection? {
        try Connection.open(path: StoreOpening.path(directory), options: options(.readOnly))
    }

    /// The directory itself.
    public var sharedDirectory: String? { directory }

    private func options(_ start: Connection.Options) -> Connection.Options {
        var options = start
        options.key = key
        return options
    }

    /// Gives a closed encrypted store another key.
    ///
    /// - Throws: ``StoreError/unusableDatabase(_:)`` where `old` is not its key, or nothing here can encrypt.
    public static func changeKey(directory: String, from old: DatabaseKey, to new: DatabaseKey) throws {
        try openingErrors { try FileStorage(directory: directory, key: old).openWriter().changeKey(new) }
    }
}

/// A database in memory: gone with the store.
public struct MemoryStorage: StorageAdapter {
    /// A new database.
    public init() {}
    /// Opens a new database.
    public func openWriter() throws -> Connection { try Connection.memory() }
    /// Always nil: the writer has the only connection.
    public func openReader() throws -> Connection? { nil }
    /// Always nil.
    public var sharedDirectory: String? { nil }
}

extension StoreLocation {
    /// The adapter of a location.
    public var adapter: any StorageAdapter {
        switch self {
        case .memory: MemoryStorage()
        case .directory(let directory): FileStorage(directory: directory)
        }
    }
}
