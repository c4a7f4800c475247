import Basics
import System

/// A hub's data directory and database as they come into being.
///
/// The database holds what tokens are signed with, verifiers of PINs and digests of keys: nobody else on the machine may
/// read it. What a person has allowed others on an existing directory or file stays as it is, since it may be meant: a
/// backup's user in the group, perhaps. It is said, with what ends it.
package enum HubDirectory {
    /// Makes the directory where it is missing, for its user alone.
    package static func make(_ path: String) throws {
        if Files.isDirectory(path) { return }
        try Files.createDirectory(Files.parent(of: path))
        try Files.createDirectory(path, mode: 0o700)
    }

    /// What others on this machine can read of a hub's directory, with the command that ends it; nil where they can read
    /// nothing.
    package static func exposure(of directory: String) -> String? {
        let paths = exposed(directory, depth: 0)
        guard let first = paths.first else { return nil }
        let more = paths.count > 1 ? " and \(paths.count - 1) more file\(paths.count > 2 ? "s" : "")" : ""
        return
            "others on this machine can read \(printable(first))\(more), with what tokens are signed with and who may "
            + "sign in; mend it: chmod -R go-rwx \(quoted(directory))"
    }

    /// Files that are read by more than their user, where the way to them is open as well.
    private static func exposed(_ directory: String, depth: Int) -> [String] {
        guard depth < 3, let rights = Files.rights(directory), rights & 0o011 != 0,
            let names = try? Files.list(directory)
        else { return [] }
        return names.flatMap { name -> [String] in
            let path = directory + "/" + name
            if Files.isDirectory(path) { return exposed(path, depth: depth + 1) }
            // The authority's certificate is public; the server's file holds its key too.
            let isHarmless =
                ["authority.pem", "last-backup.json"].contains(name) || name.hasSuffix(".lock")
                || name.hasSuffix("-shm")
            guard !isHarmless, let rights = Files.rights(path), rights & 0o044 != 0 else { return [] }
            return [path]
        }
    }

    /// A path as a shell takes it for one word.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "/._-".utf8.contains(byte)
        }
        return isPlain && !path.hasPrefix("-") ? path : "'" + path.replacingAll("'", with: "'\\''") + "'"
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
