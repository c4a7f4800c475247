import System

/// A hub's data directory and database as they come into being.
///
/// The database holds what tokens are signed with, verifiers of PINs and digests of keys: nobody else on the machine may
/// read it. What a person has allowed others on an existing directory or file stays as it is.
package enum HubDirectory {
    /// Makes the directory where it is missing, for its user alone.
    package static func make(_ path: String) throws {
        if Files.isDirectory(path) { return }
        try Files.createDirectory(Files.parent(of: path))
        try Files.createDirectory(path, mode: 0o700)
    }

    /// Makes an empty database where there is none, for its user alone; SQLite gives the files beside it the same rights.
    ///
    /// - Returns: whether nothing is in it yet.
    @discardableResult
    static func makeDatabase(_ path: String) throws -> Bool {
        if Files.exists(path) { return Files.size(path) == 0 }
        try Files.createNew([], at: path, mode: 0o600)
        return true
    }
}
