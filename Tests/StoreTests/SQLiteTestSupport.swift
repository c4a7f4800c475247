import Basics
import Glibc
import Models
import SQLite

/// A directory of its own for each test, gone with the value.
final class ScratchDirectory {
    let path: String

    init() {
        path = "/tmp/bincount-test-" + SystemRandom().uuid()
        mkdir(path, 0o700)
    }

    deinit {
        for name in names { remove(path + "/" + name) }
        rmdir(path)
    }

    func file(_ name: String) -> String { path + "/" + name }

    var names: [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// Writes bytes into a file at an offset.
func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) {
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT, 0o600)
    pwrite(descriptor, bytes, bytes.count, offset)
    Glibc.close(descriptor)
}

/// The error of a body that must throw one of SQLite's.
func sqliteError(_ body: () throws -> Void) -> SQLiteError? {
    do {
        try body()
        return nil
    } catch {
        return error as? SQLiteError
    }
}

/// What a query's plan does, in SQLite's words.
func plan(_ connection: Connection, _ sql: String, _ values: [Value]) throws -> String {
    try connection.rows("EXPLAIN QUERY PLAN " + sql, values).compactMap { $0[3].text }.joined(separator: "\n")
}
