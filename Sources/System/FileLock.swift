import CSystem
import Glibc

/// Makes sure that one process at a time does a thing: an exclusive lock on a small file; or that none does it while
/// several do another: a shared lock.
///
/// The file holds the last owner's process id, so that whoever comes second can say who has it. The system frees the lock
/// when its process ends, however it ends; the file stays.
public final class FileLock: Sendable {
    /// Somebody else has the lock.
    public struct Held: Error, Equatable, Sendable, CustomStringConvertible {
        /// The lock's file.
        public let path: String
        /// The process id that the owner wrote, nil if it had no time to.
        public let owner: Int32?
        /// One line for a person.
        public var description: String {
            "\(path) is in use by \(owner.map { "process \($0)" } ?? "another process")"
        }
    }

    /// The lock's file.
    public let path: String
    private let file: Int32

    /// Takes the lock, or throws `Held` at once; throws `SystemError` when the file cannot be made.
    ///
    /// - Parameter isShared: Whether others may have it too who share it.
    public init(_ path: String, isShared: Bool = false) throws {
        self.path = path
        let file = try systemCall("open", path) { csystem_open(path, O_RDWR | O_CREAT, 0o644) }
        do {
            try systemCall("lock", path) { isShared ? csystem_flock_shared(file) : csystem_flock_exclusive(file) }
        } catch {
            var text = [UInt8](repeating: 0, count: 20)
            let count = max(0, pread(file, &text, text.count, 0))
            close(file)
            guard error.code == EWOULDBLOCK else { throw error }
            throw Held(path: path, owner: Int32(String(decoding: text[..<count].prefix { $0 != 10 }, as: UTF8.self)))
        }
        self.file = file
        let text = Array("\(getpid())\n".utf8)
        // Only for people: the lock holds without it.
        if ftruncate(file, 0) == 0 { _ = pwrite(file, text, text.count, 0) }
    }

    /// Whether somebody has the lock of a file now. Nothing is made or written for it.
    public static func isHeld(_ path: String) -> Bool {
        let file = csystem_open(path, O_RDONLY, 0)
        guard file >= 0 else { return false }
        guard csystem_flock_exclusive(file) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            close(file)
            return isHeld
        }
        release(file)
        return false
    }

    deinit {
        Self.release(file)
    }

    /// A lock belongs to the open file, of which a program that is being started has a copy until it runs (flock(2)):
    /// closing alone would leave it locked until then.
    private static func release(_ file: Int32) {
        _ = csystem_unlock(file)
        close(file)
    }
}
