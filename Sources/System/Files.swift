import CSystem
import Glibc

/// Whole files and directories, by path.
public enum Files {
    /// A file that should be text but is not UTF-8.
    public struct NotText: Error, Equatable, Sendable, CustomStringConvertible {
        /// The file.
        public let path: String
        /// The line, from 1, that holds the first wrong byte.
        public let line: Int
        /// One line for a person.
        public var description: String { "\(path):\(line): the file is not UTF-8 text" }
    }

    /// The bytes of a file.
    public static func read(_ path: String) throws(SystemError) -> [UInt8] {
        let file = try systemCall("open", path) { csystem_open(path, O_RDONLY, 0) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try systemCall("read", path) { Glibc.read(file, &chunk, chunk.count) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// A file as text; throws `SystemError`, or `NotText` when it is not UTF-8. A byte-order mark is left out.
    public static func readText(_ path: String) throws -> String {
        var bytes = try read(path)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        if let offset = bytes.withUnsafeBytes(UTF8Check.firstInvalidOffset) {
            throw NotText(path: path, line: 1 + bytes[..<offset].count { $0 == 10 })
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Replaces a file so that after a crash at any moment either the old or the new content is there, whole.
    public static func writeAtomically(
        _ bytes: some Sequence<UInt8>, to path: String, mode: UInt32 = 0o644
    ) throws(SystemError) {
        do {
            try writeAtomically(to: path, mode: mode) { try $0(Array(bytes)) }
        } catch let error as SystemError {
            throw error
        } catch {
            throw SystemError(call: "write", subject: path)
        }
    }

    /// Replaces a file by what `body` hands over in parts, whole or not at all; where `body` throws nothing is replaced.
    public static func writeAtomically<R>(
        to path: String, mode: UInt32 = 0o644, _ body: (_ write: ([UInt8]) throws -> Void) throws -> R
    ) throws -> R {
        let temporary = "\(path).\(getpid())-\(temporaryNumber.next()).tmp"
        let file = try systemCall("create", temporary) { csystem_open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode) }
        let result: R
        do {
            defer { close(file) }
            result = try body { try writeAll($0, to: file, path) }
            try systemCall("sync", path) { fsync(file) }
            try systemCall("rename", path) { Glibc.rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try synchronizeDirectory(parent(of: path))
        return result
    }

    /// Replaces a file by a text, whole or not at all.
    public static func writeAtomically(_ text: String, to path: String, mode: UInt32 = 0o644) throws(SystemError) {
        try writeAtomically(Array(text.utf8), to: path, mode: mode)
    }

    /// Makes a new file durable: fails with `EEXIST` if the path is taken, so that nobody's file is replaced.
    public static func createNew(_ bytes: [UInt8], at path: String, mode: UInt32 = 0o644) throws(SystemError) {
        let file = try systemCall("create", path) { csystem_open(path, O_WRONLY | O_CREAT | O_EXCL, mode) }
        do {
            defer { close(file) }
            try writeAll(bytes, to: file, path)
            try systemCall("sync", path) { fsync(file) }
        } catch {
            unlink(path)
            throw error
        }
        try synchronizeDirectory(parent(of: path))
    }

    /// Makes a directory and those above it; an existing one is fine.
    public static func createDirectory(_ path: String, mode: UInt32 = 0o755) throws(SystemError) {
        if isDirectory(path) { return }
        let above = parent(of: path)
        if above != path { try createDirectory(above, mode: mode) }
        if mkdir(path, mode) != 0 && !(errno == EEXIST && isDirectory(path)) {
            throw SystemError(call: "create the directory", subject: path)
        }
    }

    /// The names in a directory, sorted, without `.` and `..`.
    public static func list(_ path: String) throws(SystemError) -> [String] {
        guard let directory = opendir(path) else { throw SystemError(call: "list", subject: path) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file; a missing one is fine.
    public static func remove(_ path: String) throws(SystemError) {
        if unlink(path) != 0 && errno != ENOENT { throw SystemError(call: "remove", subject: path) }
    }

    /// Removes a file or a directory with all that is in it, never following links; a missing one is fine.
    public static func removeTree(_ path: String) throws(SystemError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw SystemError(call: "remove", subject: path) }
        for name in try list(path) { try removeTree("\(path)/\(name)") }
        if rmdir(path) != 0 && errno != ENOENT { throw SystemError(call: "remove", subject: path) }
    }

    /// Renames a file durably, replacing what has the new name.
    public static func rename(_ path: String, to newPath: String) throws(SystemError) {
        try systemCall("rename", path) { Glibc.rename(path, newPath) }
        try synchronizeDirectory(parent(of: newPath))
    }

    /// Whether something is at the path.
    public static func exists(_ path: String) -> Bool { kind(path) != nil }

    /// Whether a directory is at the path.
    public static func isDirectory(_ path: String) -> Bool { kind(path)?.kind == 1 }

    /// The size of the file in bytes, nil if there is none.
    public static func size(_ path: String) -> Int? { kind(path)?.size }

    /// When the file was last changed, in nanoseconds since 1970, nil if there is none. For noticing changes.
    public static func modified(_ path: String) -> Int64? { kind(path)?.modified }

    /// How many bytes a program without special rights may still write where the path is.
    public static func freeSpace(at path: String) throws(SystemError) -> UInt64 {
        var bytes: UInt64 = 0
        try systemCall("find the free space of", path) { csystem_free_space(path, &bytes) }
        return bytes
    }

    /// The directory part of a path: `.` for a bare name.
    public static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Makes names created, removed or renamed in a directory durable.
    public static func synchronizeDirectory(_ path: String) throws(SystemError) {
        let directory = try systemCall("open", path) { csystem_open(path, O_RDONLY | O_DIRECTORY, 0) }
        defer { close(directory) }
        try systemCall("sync", path) { fsync(directory) }
    }

    private static func kind(_ path: String) -> (kind: Int32, size: Int, modified: Int64)? {
        var kind: Int32 = 0
        var size: Int64 = 0
        var modified: Int64 = 0
        guard csystem_file_kind(path, &kind, &size, &modified) == 0 else { return nil }
        return (kind, Int(size), modified)
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            offset += try systemCall("write", path) {
                bytes.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + offset }, $0.count - offset) }
            }
        }
    }

    private static let temporaryNumber = Counter()
}
