import Basics
import Hub
import System

/// `bincount hub backup`: a copy of a running hub's database.
enum HubBackupCommand {
    private static let to = Setting<String?>.text(
        "to", "FILE|DIR", help: "where to; in a directory each has its own name")
    private static let keep = Setting<Int>.integer(
        "keep", 0...10_000, default: 0, help: "in a directory: keep so many of the newest, 0 all")
    private static let progress = Setting<Bool>.flag(
        "progress", help: "say on standard error how far it is, also where that is no terminal")
    private static let asJSON = Setting<Bool>.flag("json", help: "print the manifest")

    static let accepted = [
        HubSettings.data.definition, to.definition, keep.definition, asJSON.definition, progress.definition,
    ]

    static let command = Program.Command(
        name: "backup", summary: "copy the database while the hub runs",
        help: """
            bincount hub backup --data DIR --to FILE|DIR [--keep N] [--json] [--progress] [--config FILE]

            Copies the hub's database as it is now, while the hub goes on, verifies the copy, and writes beside it
            FILE.json: epoch, time, counts and digest. Nothing appears under the name before it is whole; an earlier backup
            of that name is replaced then, and any other file is refused. In a directory each backup has a name of its own,
            and --keep N removes all but the N newest once the new one is verified. Certificates and keys that lie in files
            of the data directory are to be kept apart.
            \(Settings.help(accepted))
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings(accepted, &arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let data = try settings.required(HubSettings.data)
        var target = try settings.required(to)
        let time = SystemTimeSource()
        var directory: String?
        if Files.isDirectory(target) || target.hasSuffix("/") {
            while target.count > 1, target.hasSuffix("/") { target.removeLast() }
            try Files.createDirectory(target, mode: 0o700)
            directory = target
            try HubBackup.sweep(target, time: time)
            target += "/" + HubBackup.name(in: target, at: time.now())
        } else if settings[keep] > 0 {
            throw UsageError("--keep wants a directory of backups; give --to DIR")
        }
        var line = ProgressLine("backing up", isAsked: settings[progress])
        let manifest: BackupManifest
        do {
            manifest = try HubBackup.take(of: data, to: target, time: time) { done, total in
                line.show(done, total)
                if done == total { line.say("copied, verifying") }
            }
        } catch {
            line.end()
            throw error
        }
        line.end()
        var removed: [String] = []
        if let directory, settings[keep] > 0 {
            let taken = String(target.dropFirst(directory.count + 1))
            removed = try HubBackup.rotate(of: data, in: directory, keep: settings[keep], taken: taken)
        }
        if settings[asJSON] {
            print(try Files.readText(BackupManifest.path(of: target)), terminator: "")
        } else {
            let rows = manifest.rows.values.reduce(0, +)
            print("backed up to \(target): \(manifest.bytes / 1024) KiB, \(rows) rows, verified")
            for name in removed { print("removed \(name)") }
        }
        return 0
    }
}
