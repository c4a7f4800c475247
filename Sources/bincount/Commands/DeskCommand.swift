import Assembly
import Basics
import InventoryControl
import System

/// `bincount desk`: the control desk outside the hub's process, or against another backend.
enum DeskCommand {
    static let command = Program.Command(
        name: "desk", summary: "run the control desk elsewhere",
        help: """
            bincount desk --data DIR --hub URL [--export-csv DIR] [--export-exec CMD] [--verbose]
                          [--api-key-file FILE | --token-file FILE] [--tls-authority FILE]

            Releases counts, judges lines, carries decisions out and exports results. One desk works at a time: a second
            one waits until the first is gone. The key (BINCOUNT_API_KEY, --api-key-file) or token must have the group
            `desk`. --export-csv drops one file for each document into DIR; --export-exec runs `CMD send` with the
            document as JSON, and `CMD find ID` where it is not known whether one arrived. SIGTERM or Ctrl-C ends it.
            """,
        readsSignals: true, run: run)

    private static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let data = try arguments.required("--data", "DIR")
        guard let hub = try Options.hub(&arguments, data: data) else {
            throw UsageError("--hub URL is missing: it is what the hub prints, ending in /graphql")
        }
        let connectors = try connectors(&arguments)
        let log = Options.log(&arguments)
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let signals = try SignalReader()
        let desk = try waitFor {
            try await DeskProcess.start(directory: data, hub: hub, connectors: connectors, log: log)
        }
        print("desk \(desk.deviceCode) at work")
        flushOutput()
        waitForEnd(signals)
        try waitFor { await desk.stop() }
        return 0
    }

    /// The ERP connectors that the options name.
    static func connectors(_ arguments: inout CommandLineArguments) throws -> [ConnectorOptions] {
        var result: [ConnectorOptions] = []
        if let directory = try arguments.value("--export-csv", "DIR") { result.append(.csv(directory: directory)) }
        if let program = try arguments.value("--export-exec", "CMD") { result.append(.executable(program: program)) }
        return result
    }
}
