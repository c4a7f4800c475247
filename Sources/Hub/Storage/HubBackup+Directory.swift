import Basics
import SQLite
import System

/// A directory of backups, each under a name of its own.
extension HubBackup {
    /// The name of a backup in a directory of them: `hub-20260131T235959Z.sqlite`.
    public static func name(at time: DateTime) -> String {
        let stamp = time.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }
        return "hub-\(stamp)Z.sqlite"
    }

    /// The name of a backup that is taken now: that of a later second where another hub's has this one's.
    public static func name(in directory: String, at time: DateTime) -> String {
        for second in 0... {
            let name = name(at: DateTime(milliseconds: time.milliseconds + Int64(second) * 1000))
            let path = directory + "/" + name
            if !Files.exists(path), !Files.exists(path + partialSuffix) { return name }
        }
        return name(at: time)
    }

    /// Removes all but the newest backups of a hub in a directory, by the stamp of their last commit, which never goes back;
    /// their names say only what a clock said. Only files named as ``name(at:)`` names them go, and only where their
    /// manifest is there and says that they are this hub's, since several may share a directory. Gives what went.
    ///
    /// - Parameters:
    ///   - data: the hub's data directory.
    ///   - taken: the name of the backup that was just taken; it stays, whatever its name says of its age, since the clock
    ///     may have been set back.
    public static func rotate(
        of data: String, in directory: String, keep: Int, taken: String? = nil
    ) throws -> [String] {
        let lives = try lives(of: data)
        let found = try Files.list(directory).compactMap { name -> (stamp: Int64, name: String)? in
            guard isName(name), name != taken,
                let manifest = BackupManifest(at: BackupManifest.path(of: directory + "/" + name)),
                lives.contains(manifest.epoch)
            else { return nil }
            return (manifest.stamp, name)
        }
        let old = found.sorted(by: <).dropLast(max(keep, 1) - (taken == nil ? 0 : 1)).map(\.name)
        for name in old {
            // The manifest last: a backup without one is never taken for whole.
            try Files.remove(directory + "/" + name)
            try Files.remove(BackupManifest.path(of: directory + "/" + name))
        }
        return old
    }

    /// The names of a hub's lives, which none shares with another hub.
    private static func lives(of data: String) throws -> Set<String> {
        let connection = try Connection.open(path: database(in: data), options: .readOnly)
        let rows = try connection.rows("SELECT epoch FROM _life UNION SELECT epoch FROM _clock")
        return Set(rows.compactMap { $0[0].text })
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
