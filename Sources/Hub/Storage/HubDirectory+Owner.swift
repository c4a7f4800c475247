import Basics
import Glibc

/// A hub's directory belongs to the user that its service runs as, whoever works in it: what root makes there, root alone
/// could read.
extension HubDirectory {
    /// Gives what root has made in a directory to the directory's owner; nothing where the caller is not root, or the
    /// directory is root's own.
    ///
    /// Only what is root's changes hands, and nothing that a name from elsewhere leads to: the owner of the directory may
    /// have put links into it.
    package static func giveToOwner(_ path: String) {
        guard geteuid() == 0 else { return }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        defer { close(directory) }
        var status = stat()
        guard fstat(directory, &status) == 0, status.st_uid != 0 else { return }
        give(directory, status.st_uid, status.st_gid, depth: 0)
    }

    private static func give(_ directory: Int32, _ user: uid_t, _ group: gid_t, depth: Int) {
        for name in names(in: directory) {
            var status = stat()
            // Looked at before it is opened: SQLite's locks on a file end with any of the process's descriptors of it.
            guard fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
            let kind = status.st_mode & S_IFMT
            guard kind == S_IFDIR || (kind == S_IFREG && status.st_uid == 0) else { continue }
            let file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            defer { close(file) }
            guard fstat(file, &status) == 0 else { continue }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if status.st_uid == 0, isDirectory || (status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1) {
                _ = fchown(file, user, group)
            }
            if isDirectory, depth < 4 { give(file, user, group, depth: depth + 1) }
        }
    }

    private static func names(in directory: Int32) -> [String] {
        let copy = dup(directory)
        guard copy >= 0, let list = fdopendir(copy) else { return [] }
        defer { closedir(list) }
        var names: [String] = []
        while let entry = readdir(list) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// Says that a check by root tells little of a hub that runs as somebody else; nil where it does.
    package static func foreignOwner(of path: String) -> String? {
        var status = stat()
        guard geteuid() == 0, stat(path, &status) == 0, status.st_uid != 0 else { return nil }
        let owner = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) } ?? "#\(status.st_uid)"
        return
            "root may read and write everything, and \(printable(path)) belongs to \(printable(owner)): as that user it "
            + "may look otherwise; try it with: sudo -u \(printable(owner)) …"
    }

    /// What of a hub's directory this user may not write, in a sentence with what mends it; nil where he may write all that
    /// a hub needs. A directory that is not there yet must be possible to make.
    package static func obstacle(in path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            var parent = path
            repeat {
                let end = parent.lastIndex(of: "/")
                parent = end.map { $0 == parent.startIndex ? "/" : String(parent[..<$0]) } ?? "."
            } while parent != "/" && parent != "." && stat(parent, &status) != 0
            return access(parent, W_OK | X_OK) == 0
                ? nil : "\(printable(path)) is not there, and this user may not make it in \(printable(parent))"
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "\(printable(path)) is no directory" }
        let names = [
            "", "hub.sqlite", "hub.sqlite-wal", "hub.sqlite-shm", "hub.lock", "backup.lock", "last-backup.json",
            "enrolment", "tls", "desk",
        ]
        for name in names {
            let file = name.isEmpty ? path : path + "/" + name
            guard stat(file, &status) == 0 else { continue }
            let isDirectory = status.st_mode & S_IFMT == S_IFDIR
            if access(file, isDirectory ? R_OK | W_OK | X_OK : R_OK | W_OK) != 0 {
                return
                    "this user may not write \(printable(file)); let it belong to the user that the hub runs as, with "
                    + "all that is in the directory: chown -R USER: \(printable(path))"
            }
        }
        return nil
    }
}
