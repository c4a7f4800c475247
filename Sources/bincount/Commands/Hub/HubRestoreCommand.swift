import Basics
import Hub
import System

/// `bincount hub restore`: puts a backup back.
enum HubRestoreCommand {
    private static let from = Setting<String?>.text("from", "FILE", help: "the backup")
    private static let replace = Setting<Bool>.flag("replace", help: "set the data aside that is there")
    private static let access = Setting<Bool>.flag(
        "access-of-backup", help: "take keys and people from the backup too: whoever was shut out since is let in again"
    )
    static let accepted = [
        HubSettings.data.definition, from.definition, replace.definition, access.definition,
    ]

    static let command = Program.Command(
        name: "restore", summary: "put a backup back",
        help: """
            bincount hub restore --data DIR --from FILE [--replace] [--access-of-backup]
                                   [--config FILE]

            Verifies the backup and puts it into the data directory of a hub that is stopped. Data that is there is kept
            aside in DIR/before-restore-…; without --replace it is refused. The restored database begins a new life:
            every terminal notices it, compares what it has, and sends again what it made itself and the backup lacks.
            What was made on a terminal that never comes back is lost from the hub; other terminals show such rows as
            being only theirs. Keys and people stay those of the data that is replaced, where it is this hub's and can be
            read: whoever was shut out since the backup stays out, and terminals that enrolled since can come back.
            A backup that is copied into DIR by hand begins a new life too, with its own keys and people, if no log lies
            beside it. A disk or machine that is set back to a snapshot is noticed by nobody: restore a backup after it.
            \(Settings.help(accepted))
            """,
        run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings(accepted, &arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let outcome = try HubRestore.restore(
            try settings.required(from), into: try settings.required(HubSettings.data),
            replacing: settings[replace], takesAccess: settings[access], time: SystemTimeSource())
        let rows = outcome.manifest.rows.values.reduce(0, +)
        print("restored \(rows) rows, as life \(outcome.epoch) of this hub")
        if let aside = outcome.setAside { print("the data that was there lies in \(aside)") }
        print(
            outcome.keepsAccess
                ? "keys and people are as they were before the restore"
                : "keys and people are the backup's: what was withdrawn since is good again, and who was let in since is not; "
                    + "look through `bincount hub key list` and `bincount hub person list`")
        return 0
    }
}
