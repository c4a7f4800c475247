import Basics
import System

/// A directory of backups, each under a name of its own.
extension HubBackup {
    /// The name of a backup in a directory of them: `hub-20260131T235959Z.sqlite`.
    public static func name(at time: DateTime) -> String {
        let stamp = time.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "hub-\(stamp)Z.sqlite"
    }

    /// Removes all but the newest backups of a directory: only files named as ``name(at:)`` names them, and only where
    /// their manifest is there. Gives what went.
    ///
    /// - Parameter taken: the name of the backup that was just taken; it stays, whatever its name says of its age, since
    ///   the clock may have been set back.
    public static func rotate(in directory: String, keep: Int, taken: String? = nil) throws -> [String] {
        let names = try Files.list(directory).filter { name in
            isName(name) && name != taken && Files.exists(BackupManifest.path(of: directory + "/" + name))
        }.sorted()
        let old = Array(names.dropLast(max(keep, 1) - (taken == nil ? 0 : 1)))
        for name in old {
            // The manifest last: a backup without one is never taken for whole.
            try Files.remove(directory + "/" + name)
            try Files.remove(BackupManifest.path(of: directory + "/" + name))
        }
        return old
    }

    /// Removes what backups have left that were cut off, by a power cut perhaps, and that nobody has touched for a day: each
    /// would be as large as the database, and no later one has its name.
    public static func sweep(_ directory: String, time: any TimeSource) throws {
        let now = time.now().milliseconds
        for name in try Files.list(directory) {
            guard let middle = name.range(of: ".sqlite" + partialSuffix),
                isName(name[..<middle.lowerBound] + ".sqlite"),
                ["", "-wal", "-shm", "-journal", ".json"].contains(name[middle.upperBound...]),
                let modified = Files.modified(directory + "/" + name), now - modified / 1_000_000 > leftAlone
            else { continue }
            try Files.remove(directory + "/" + name)
        }
    }

    /// A backup that is under way writes all the time.
    private static let leftAlone: Int64 = 86_400_000

    private static func isName(_ name: some StringProtocol) -> Bool {
        let stamp = name.dropFirst(4).dropLast(7)
        return name.hasPrefix("hub-") && name.hasSuffix(".sqlite") && stamp.count == 16 && stamp.hasSuffix("Z")
            && stamp.dropLast().allSatisfy { $0.isNumber || $0 == "T" }
    }
}
