import Assembly
import Basics
import Glibc
import GraphQL
import Hub
import Models
import System
import Transport
import WarehouseModels

/// `bincount hub` without a further word: the server, with the control desk inside.
enum HubServeCommand {
    static var help: String {
        """
        bincount hub --data DIR [--listen HOST:PORT] [--config FILE] [--check] …

        Serves AppSync's API on POST /graphql and its realtime protocol on the same path; prints `listening on URL` when
        it is ready. SIGTERM stops it cleanly. As a service it takes the keys of its files over on SIGHUP (systemctl
        reload), and whoever is connected under one that is gone is shut out; a certificate it takes over by itself, and all
        else holds from the next start. /health and /metrics tell how it is. --check tries the configuration, the
        schema, the certificate, the database's migration and the address, changes nothing, and exits with 0 where it
        would start.

        Every setting is a flag, a variable of the environment (--api-key-file is BINCOUNT_API_KEY_FILE), or a line
        `api-key-file = …` of the file that --config names; the flag is asked first, the file last.
        \(Settings.help(HubSettings.serving))
        """
    }

    static func run(_ arguments: inout CommandLineArguments) throws -> Int32 {
        let words = arguments
        let settings = try Settings(HubSettings.serving, &arguments)
        let data = try settings.required(HubSettings.data)
        let isVerbose = arguments.flag("--verbose")
        let isCheck = arguments.flag("--check")
        guard try arguments.rest().isEmpty else { throw UsageError("it takes only options") }
        let schemaFile = settings[HubSettings.schema]
        let log = ServiceLog.make(
            level: isVerbose ? .debug : HubSettings.level(settings), asJSON: settings[HubSettings.logFormat] == "json",
            time: SystemTimeSource())

        let keys = try Self.keys(settings)
        var options = HubOptions(
            dataDirectory: data, schema: try schemaFile.map(schema) ?? warehouse, keys: keys, time: SystemTimeSource(),
            log: log)
        options.schemaText = try schemaText(schemaFile)
        options.certificate = try HubSettings.certificate(settings)
        try options.listen(on: settings[HubSettings.listen])
        options.resolvers = try HubSettings.resolvers(settings)
        options.identity = try HubSettings.identityOptions(settings)
        options.horizonMilliseconds = settings[HubSettings.horizon]
        options.limits = LimitSettings.limits(settings)
        options.slowMilliseconds = settings[HubSettings.slowRequest]
        if !isCheck { try HubRestore.finish(in: data) }
        let desk = try HubDesk(settings, options)
        options.resident = desk.resident
        options.keys = try desk.adding(to: keys)
        if keys.isEmpty, options.identity.issuers.isEmpty, try !HubKeyCommand.letsSomebodyIn(data) {
            throw UsageError(
                "nobody could use it: make a key with `bincount hub key add`, give --api-key-file FILE, or set "
                    + "BINCOUNT_API_KEY")
        }
        let notes = [desk.note].compactMap { $0 } + notes(options, keys.groups, settings)
        if isCheck { return try check(options, settings, notes + [desk.problem].compactMap { $0 }) }
        for note in notes { log(.warning, note) }

        let manager = ServiceManager(environment: Options.environment)
        let signals = try SignalReader()
        options.progress = atWork(manager)
        let served = options
        let hub = try waitFor { try await HubServer.start(served) }
        print("listening on \(hub.url)")
        flushOutput()
        let isWithoutDesk = Locked(desk.isWanted)
        @Sendable func status() -> String {
            "listening on \(hub.url)" + (isWithoutDesk.current ? ", without the control desk" : "")
        }
        let running = try desk.start(hub, log) {
            isWithoutDesk.withLock { $0 = false }
            manager.ready(status())
        }
        if let running, try waitFor({ await running.hasBegun }) { isWithoutDesk.withLock { $0 = false } }
        manager.ready(status())
        waitForEnd(signals, hub, manager) {
            manager.reloading()
            do {
                var again = words
                let changed = try Self.keys(try Settings(HubSettings.serving, &again))
                guard try !changed.isEmpty || keys.isEmpty || HubKeyCommand.letsSomebodyIn(data) else {
                    throw HubError("it holds no key, so that nobody could use the hub")
                }
                hub.replace(keys: try desk.adding(to: changed))
                log(.notice, "the keys of the configuration were taken over; all else holds from the next start")
                manager.ready(status())
            } catch {
                log(.error, "the configuration was not taken over, the keys from before stay: \(error)")
                manager.ready("\(status()), but the changed configuration was not taken over: \(error)")
            }
        }
        manager.stopping()
        // Nothing that hangs may keep it from ending: what was answered is on the disk already.
        alarm(stopSeconds)
        try waitFor {
            await running?.stop()?.stop()
            await hub.stop()
        }
        return 0
    }

    private static let stopSeconds: UInt32 = 30

    /// Tells the service manager of long work that gets on, once a second.
    private static func atWork(_ manager: ServiceManager) -> (@Sendable () -> Void)? {
        guard manager.isThere else { return nil }
        let time = SystemTimeSource()
        let said = Locked(time.uptime())
        return {
            let now = time.uptime()
            let isDue = said.withLock { said in
                guard now - said >= 1_000 else { return false }
                said = now
                return true
            }
            if isDue { manager.working() }
        }
    }

    /// The keys that are configured, with those of the file.
    private static func keys(_ settings: Settings) throws -> APIKeys {
        var specifications = settings[HubSettings.apiKey]
        if let file = settings[HubSettings.apiKeyFile] {
            specifications += try Files.readText(file).split(whereSeparator: \.isWhitespace).map(String.init)
        }
        return try APIKeys(specifications)
    }

    /// Waits for the signal to end; meanwhile the service manager is told that the thread which commits is alive, and
    /// SIGHUP reloads. Without a service manager SIGHUP says that the terminal is gone, and ends it too.
    private static func waitForEnd(
        _ signals: SignalReader, _ hub: HubServer, _ manager: ServiceManager, reload: () -> Void
    ) {
        guard manager.isThere else { return bincount.waitForEnd(signals) }
        let isAlive = Locked(true)
        let pause = manager.watchdogMilliseconds.map { Int32(clamping: max($0 / 3, 100)) }
        while true {
            while let signal = signals.next() {
                switch signal {
                case .windowChange: continue
                case .hangUp: reload()
                default: return
                }
            }
            // A beat that is not answered by the next one ends the beats.
            let beats =
                pause != nil
                && isAlive.withLock { alive in
                    defer { alive = false }
                    return alive
                }
            if beats {
                manager.alive()
                hub.whenAlive { isAlive.withLock { $0 = true } }
            }
            var descriptor = pollfd(fd: signals.fileDescriptor, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, pause ?? -1)
        }
    }

    /// `--check`: says what would be done, or why it would not start.
    private static func check(_ options: HubOptions, _ settings: Settings, _ notes: [String]) throws -> Int32 {
        if HubRestore.isCutOff(in: options.dataDirectory) { print("a restore that was cut off will be ended first") }
        let schema = try HubCheck.served(
            in: options.dataDirectory, startedWith: options.schema, text: options.schemaText)
        for sentence in try HubCheck.migration(of: options.dataDirectory, to: schema) { print(sentence) }
        let superseded = try HubCheck.superseded(
            in: options.dataDirectory, startedWith: options.schema, text: options.schemaText)
        if let superseded { print("warning: \(superseded)") }
        if let untried = try HubServer.check(options) { print("not tried: \(untried)") }
        try checkExport(settings)
        for note in notes { print("warning: \(note)") }
        if let exposure = HubDirectory.exposure(of: options.dataDirectory) { print("warning: \(exposure)") }
        if let owner = HubDirectory.foreignOwner(of: options.dataDirectory) { print("warning: \(owner)") }
        if let numbers = options.resolvers.functionNumbers { print(numbers) }
        print("limits:")
        for line in settings.lines(LimitSettings.definitions) { print("  \(line)") }
        print("the configuration, the schema, the certificate, the address and the database are in order")
        return 0
    }

    /// Looks whether documents could go out.
    private static func checkExport(_ settings: Settings) throws {
        if let directory = settings[HubSettings.exportCSV], let obstacle = HubDirectory.obstacle(in: directory) {
            throw HubError("--export-csv: \(obstacle)")
        }
        if let program = settings[HubSettings.exportExec], Files.program(program) == nil {
            throw HubError("--export-exec: \(printable(program)) is no program that this user may run")
        }
    }

    /// What would start and is hardly meant: what the served schema's text says so easily by mistake, keys of groups that
    /// no rule of it names, an issuer's groups likewise, keys that anybody can read, and fewer connections than were set.
    private static func notes(_ options: HubOptions, _ groups: Set<String>, _ settings: Settings) -> [String] {
        let served = try? HubCheck.served(
            in: options.dataDirectory, startedWith: options.schema, text: options.schemaText)
        let known = RuleGroups.named(in: served ?? options.schema)
        let problem = RuleGroups.problem(groups, known)
        var notes = problem.map { ["an API key has no rights by its group: \($0)"] } ?? []
        for issuer in options.identity.issuers {
            guard let problem = RuleGroups.problem(issuer.groups.all ?? [], known) else { continue }
            notes.append("the people of \(printable(issuer.url)) have no rights by their groups: \(problem)")
        }
        let text = try? HubCheck.servedText(in: options.dataDirectory, startedWith: options.schemaText)
        for remark in Schema.remarks(sdl: text ?? "") {
            notes.append("the schema's line \(remark.line): \(printable(remark.message))")
        }
        var files = [settings[HubSettings.apiKeyFile]].compactMap { $0 }
        if case .file(let file, _) = settings.origin(of: HubSettings.apiKey) { files.append(file) }
        for file in files {
            guard let rights = Files.rights(file), rights & 0o004 != 0 else { continue }
            notes.append("everybody on this machine can read the keys in \(file); mend it: chmod o-rwx \(file)")
        }
        let connections = DescriptorLimit.connections(of: options.limits.connections)
        if connections < options.limits.connections {
            notes.append(
                "the system lets this program have too few files open for limit-connections = "
                    + "\(options.limits.connections): it takes \(connections) connections at once; raise the hard limit of "
                    + "open files (ulimit -Hn; LimitNOFILE= in a unit) to \(options.limits.connections + 1_000)")
        }
        return notes
    }

    /// The text of the schema that a hub is started with.
    static func schemaText(_ file: String?) throws -> String {
        try file.map { try Files.readText($0) } ?? warehouseText
    }

    static func schema(_ file: String) throws -> Schema {
        do {
            return try Schema(sdl: try Files.readText(file))
        } catch let mistakes as SchemaMistakes {
            let lines = mistakes.mistakes.map { "\(file):\($0.line):\($0.column): \($0.message)" }
            throw CommandFailure(lines.joined(separator: "\n"))
        }
    }
}
