import Assembly
import Basics
import GraphQL
import Hub
import Models
import System
import WarehouseModels

/// `bincount hub`: the server, with the control desk inside.
enum HubCommand {
    static let command = Program.Command(
        name: "hub", summary: "run the hub, with the control desk inside",
        help: """
            bincount hub --data DIR [--listen HOST:PORT] [--schema FILE] [--api-key KEY[:GROUP,…]]…
                         [--api-key-file FILE] [--no-desk] [--export-csv DIR] [--export-exec CMD] [--verbose]

            Serves AppSync's API on POST /graphql and its realtime protocol on the same path; prints `listening on URL`
            when it is ready. --listen 127.0.0.1:0 lets the system choose a port; beyond this machine it listens only
            once TLS is there. Keys: one a line in FILE, or in BINCOUNT_API_KEY apart by blanks, each KEY (a counter's
            terminal) or KEY:GROUP,… of supervisors, auditors, desk, admins. --api-key on the command line is for
            trials: others on this machine can read it.
            --export-csv drops approved documents as files into DIR, --export-exec hands them to CMD.
            SIGTERM stops it cleanly. /health and /metrics tell how it is.
            """,
        readsSignals: true, run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        let listen = try arguments.value("--listen", "HOST:PORT") ?? "127.0.0.1:8420"
        let schemaFile = try arguments.value("--schema", "FILE")
        var specifications = try arguments.values("--api-key", "KEY[:GROUP,…]")
        if let file = try arguments.value("--api-key-file", "FILE") {
            specifications += try Files.readText(file).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        if specifications.isEmpty, let text = Options.environment("BINCOUNT_API_KEY") {
            specifications = text.split(separator: " ").map(String.init)
        }
        let runsDesk = !arguments.flag("--no-desk")
        let connectors = try DeskCommand.connectors(&arguments)
        let log = Options.log(&arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }

        var keys = try APIKeys(specifications)
        guard !keys.isEmpty else {
            throw UsageError("nobody could use it without a key: give --api-key-file FILE or set BINCOUNT_API_KEY")
        }
        let deskKey = SystemRandom().uuid() + SystemRandom().uuid()
        if runsDesk { try keys.add(deskKey + ":desk") }
        var options = HubOptions(
            dataDirectory: data, schema: try schemaFile.map(schema) ?? warehouse, keys: keys, time: SystemTimeSource(),
            log: log)
        try options.listen(on: listen)

        let signals = try SignalReader()
        let served = options
        let hub = try waitFor { try await HubServer.start(served) }
        print("listening on \(hub.url)")
        flushOutput()
        let desk =
            runsDesk && schemaFile == nil
            ? try waitFor {
                try await DeskProcess.start(
                    directory: data + "/desk", hub: HubLink(url: hub.url, key: deskKey), connectors: connectors,
                    log: log)
            } : nil
        waitForEnd(signals)
        try waitFor {
            await desk?.stop()
            await hub.stop()
        }
        return 0
    }

    private static func schema(_ file: String) throws -> Schema {
        do {
            return try Schema(sdl: try Files.readText(file))
        } catch let mistakes as SchemaMistakes {
            let lines = mistakes.mistakes.map { "\(file):\($0.line):\($0.column): \($0.message)" }
            throw CommandFailure(lines.joined(separator: "\n"))
        }
    }
}
