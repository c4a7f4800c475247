import Basics
import Hub
import System
import Terminal

/// `bincount hub`: serves, or does what its first word says, such as `bincount hub backup`.
enum HubCommand {
    /// The words after `hub`, each a command of its own; without one of them the hub serves.
    static let subcommands: [Program.Command] = [
        HubInitCommand.command, HubRenewCommand.command, HubEnrolCodeCommand.command, HubKeyCommand.command,
        HubPersonCommand.command,
        HubBackupCommand.command, HubRestoreCommand.command, HubDeliveriesCommand.command, HubUnitCommand.command,
    ].map(handingOver)

    /// What a command has made as root belongs to the owner of the data directory afterwards, who runs the hub.
    private static func handingOver(_ command: Program.Command) -> Program.Command {
        Program.Command(
            name: command.name, summary: command.summary, help: command.help, readsSignals: command.readsSignals,
            subcommands: command.subcommands
        ) { arguments in
            let directory = dataDirectory(arguments)
            defer { if let directory { HubDirectory.giveToOwner(directory) } }
            return try command.run(&arguments)
        }
    }

    /// The data directory that the words, the environment or the file with settings name, as the commands read it.
    private static func dataDirectory(_ words: CommandLineArguments) -> String? {
        var words = words
        let known = HubSettings.all + TerminalSettings.all + HubBackupCommand.accepted + HubRestoreCommand.accepted
        let settings = try? Settings(
            [HubSettings.data.definition], known: known, arguments: &words, environment: Options.environment,
            contents: { try Files.readText($0) })
        return settings?[HubSettings.data]
    }

    static let command = Program.Command(
        name: "hub", summary: "run the hub, with the control desk inside", help: help, readsSignals: true,
        subcommands: subcommands, run: HubServeCommand.run)

    private static var help: String {
        let width = subcommands.map(\.name.count).max() ?? 0
        let lines = subcommands.map { command in
            "  hub " + command.name + String(repeating: " ", count: width - command.name.count + 2) + command.summary
        }
        let list =
            lines.isEmpty
            ? "" : "\n\nBeside serving (`bincount help hub WORD` says how):\n" + lines.joined(separator: "\n")
        return HubServeCommand.help + list
    }
}

extension Settings {
    /// Reads what a command accepts; a file may hold the settings of the others too.
    init(_ accepted: [SettingDefinition], _ arguments: inout CommandLineArguments) throws {
        try self.init(
            accepted, known: HubSettings.all + TerminalSettings.all, arguments: &arguments,
            environment: Options.environment,
            contents: { try Files.readText($0) })
    }
}
