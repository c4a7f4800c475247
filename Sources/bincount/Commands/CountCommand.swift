import Assembly
import Basics
import CountingApp
import System
import Terminal
import WarehouseModels

/// `bincount count`: the counter's app on this terminal.
enum CountCommand {
    static let command = Program.Command(
        name: "count", summary: "count bins on this terminal",
        help: """
            bincount count --data DIR [--hub URL] [--screens DIR] [--device CODE]
                           [--api-key-file FILE | --token-file FILE] [--tls-authority FILE] [--config FILE] …

            Opens the counting screens. Everything counted is stored in DIR first and goes to the hub when there is a
            link: to the hub that `bincount enrol` named, or to --hub; without either it works on its own. The key comes
            from the enrolment, BINCOUNT_API_KEY or FILE; --tls-authority is whom to believe at a hub that DIR was not
            enrolled at. --screens takes the screens of a site, read again when they change; --device names a new
            terminal's code, which must be unique at the hub.

            F3 goes back, and at the sign-in screen switches off; Ctrl-C twice ends it anywhere. Nothing stored is lost
            by that, nor by a signal or a terminal that is closed. The screens draw for 20x8, 20x16, 40x8 and 80x24, and
            fill what is larger.

            A scan is told from typing by itself. Where that fails, each of these is a flag, a variable of the
            environment (--scanner-gap is BINCOUNT_SCANNER_GAP), or a line `scanner-gap = …` of the file that --config
            names; the flag is asked first, the file last.
            \(Settings.help(TerminalSettings.all))
            """,
        readsSignals: true, run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        // Who counts signs in on the screen; the terminal's own key names him.
        let hub = try Options.hub(&arguments, data: data, prefersToken: false)
        let screens = try AppScreens.load(directory: try arguments.value("--screens", "DIR"))
        let code = try arguments.value("--device", "CODE")
        let options = try TerminalSettings.options(Settings(TerminalSettings.all, &arguments))
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        for diagnostic in screens.diagnostics { printError("bincount count: \(diagnostic)") }
        return try TerminalProgram.run(
            data: data, screens: screens, kind: .terminal, hub: hub, code: code, options: options
        ) { device, host in
            AppAssembly.counter(on: device, host: host)
        }
    }
}

/// `bincount supervise`: the supervisor's live view.
enum SuperviseCommand {
    static let command = Program.Command(
        name: "supervise", summary: "watch and decide, live",
        help: """
            bincount supervise --data DIR [--hub URL] [--person LOGIN] [--screens DIR]
                               [--token-file FILE [--person-claim NAME] | --api-key-file FILE]
                               [--tls-authority FILE] [--config FILE] …

            Zones, people, exceptions and variances as they happen, and the decisions on them. Sign in first with
            `bincount login --hub URL --data DIR`, or give a token (BINCOUNT_TOKEN, --token-file); it is renewed while
            the hub allows. Where the hub knows an issuer's people by another claim than `sub` (--oidc-person-claim),
            name it here too: --person-claim, BINCOUNT_PERSON_CLAIM. A key (BINCOUNT_API_KEY, --api-key-file) must have
            the group `supervisors`, and stands for LOGIN, or for the only supervisor there is. A DIR that was enrolled
            needs no --hub. F3 goes back; on the floor, twice, it ends the view, as Ctrl-C does anywhere. What
            `bincount help count` says of scanners and Esc holds here too.
            """,
        readsSignals: true, run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        guard let hub = try Options.hub(&arguments, data: data) else {
            throw UsageError("--hub URL is missing, and \(data) was not enrolled")
        }
        let screens = try AppScreens.load(directory: try arguments.value("--screens", "DIR"))
        // Whoever has signed in is the supervisor.
        let person = try arguments.value("--person", "LOGIN") ?? hub.credentials.userName
        let options = try TerminalSettings.options(Settings(TerminalSettings.all, &arguments))
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        for diagnostic in screens.diagnostics { printError("bincount supervise: \(diagnostic)") }
        return try TerminalProgram.run(
            data: data, screens: screens, kind: .supervisor, hub: hub, code: nil, options: options
        ) { device, host in
            AppAssembly.supervisor(on: device, login: person, host: host)
        }
    }
}
