import Assembly
import Basics
import GraphQL
import Hub
import InventoryControl
import Models
import System
import WarehouseModels

/// `bincount hub` without a further word: the server, with the control desk inside.
enum HubServeCommand {
    static var help: String {
        """
        bincount hub --data DIR [--listen HOST:PORT] [--config FILE] …

        Serves AppSync's API on POST /graphql and its realtime protocol on the same path; prints `listening on URL` when
        it is ready. SIGTERM stops it cleanly. /health and /metrics tell how it is.

        Every setting is a flag, a variable of the environment (--api-key-file is BINCOUNT_API_KEY_FILE), or a line
        `api-key-file = …` of the file that --config names; the flag is asked first, the file last.
        \(Settings.help(HubSettings.serving))
        """
    }

    static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let settings = try Settings(HubSettings.serving, &arguments)
        let data = try settings.required(HubSettings.data)
        let isVerbose = arguments.flag("--verbose")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        var specifications = settings[HubSettings.apiKey]
        if let file = settings[HubSettings.apiKeyFile] {
            specifications += try Files.readText(file).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        let schemaFile = settings[HubSettings.schema]
        let runsDesk = !settings[HubSettings.noDesk]
        var connectors: [ConnectorOptions] = []
        if let directory = settings[HubSettings.exportCSV] { connectors.append(.csv(directory: directory)) }
        if let program = settings[HubSettings.exportExec] { connectors.append(.executable(program: program)) }
        let erp = connectors
        let log = Log.standardError(level: isVerbose ? .debug : HubSettings.level(settings))

        var keys = try APIKeys(specifications)
        let hasKeys = !keys.isEmpty
        let deskKey = SystemRandom().uuid() + SystemRandom().uuid()
        if runsDesk { try keys.add(deskKey + ":desk") }
        var options = HubOptions(
            dataDirectory: data, schema: try schemaFile.map(schema) ?? warehouse, keys: keys, time: SystemTimeSource(),
            log: log)
        options.certificate = try HubSettings.certificate(settings)
        try options.listen(on: settings[HubSettings.listen])
        options.resolvers = try HubSettings.resolvers(settings)
        options.identity = try HubSettings.identityOptions(settings)
        if !hasKeys, options.identity.issuers.isEmpty, try !HubKeyCommand.letsSomebodyIn(data) {
            throw UsageError(
                "nobody could use it: make a key with `bincount hub key add`, give --api-key-file FILE, or set "
                    + "BINCOUNT_API_KEY")
        }

        let signals = try SignalReader()
        let served = options
        let hub = try waitFor { try await HubServer.start(served) }
        print("listening on \(hub.url)")
        flushOutput()
        let desk =
            runsDesk && schemaFile == nil
            ? try waitFor {
                try await DeskProcess.start(
                    directory: data + "/desk",
                    hub: HubLink(url: hub.localURL, key: deskKey, tls: hub.clientContext), connectors: erp, log: log)
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
