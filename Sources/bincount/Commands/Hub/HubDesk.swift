import Assembly
import Basics
import Hub
import InventoryControl
import SQLite
import System
import WarehouseModels

/// The control desk in the hub's process: whether it runs there, and how it begins.
///
/// The floor counts without it: what keeps the desk from working never keeps the hub from serving.
struct HubDesk: Sendable {
    /// Why it does not run though nobody said that it shall not; nil where it runs, or shall not.
    let note: String?
    /// Its key at the hub, made anew at each start; nil where it does not run.
    private let key: String?
    private let directory: String
    private let connectors: [ConnectorOptions]

    /// What no push takes away from it.
    private static let resident = SchemaResident(
        name: "the control desk", schema: warehouse, groups: ["desk"],
        remedy: "start the hub with --no-desk for that")

    /// Decides by the settings, and by the schema that would be served where that is not Bincount's own.
    ///
    /// - Throws: `UsageError` where documents are to be exported, and nobody would.
    init(_ settings: Settings, _ options: HubOptions) throws {
        directory = options.dataDirectory + "/desk"
        var obstacle: String?
        if let file = settings[HubSettings.schema] {
            let served = try? HubCheck.served(
                in: options.dataDirectory, startedWith: options.schema, text: options.schemaText)
            obstacle = Self.resident.obstacle(under: served ?? options.schema).map {
                "\(printable(file)) is no schema that it can work with (\($0))"
            }
        }
        let isWanted = !settings[HubSettings.noDesk]
        let runs = isWanted && obstacle == nil
        note = isWanted ? obstacle.map { "the control desk does not run: \($0)" } : nil
        key = runs ? SystemRandom().uuid() + SystemRandom().uuid() : nil
        var connectors: [ConnectorOptions] = []
        if let directory = settings[HubSettings.exportCSV] { connectors.append(.csv(directory: directory)) }
        if let program = settings[HubSettings.exportExec] { connectors.append(.executable(program: program)) }
        self.connectors = connectors
        guard runs || connectors.isEmpty else {
            let flag = settings[HubSettings.exportCSV] == nil ? "--export-exec" : "--export-csv"
            let why = isWanted ? obstacle ?? "" : "--no-desk is given"
            throw UsageError("\(flag): documents are exported by the control desk, which would not run: \(why)")
        }
    }

    /// What the hub must know of it; nil where it does not run.
    var resident: SchemaResident? { key == nil ? nil : Self.resident }

    /// The keys with its own.
    func adding(to keys: APIKeys) throws -> APIKeys {
        var keys = keys
        if let key { try keys.add(key + ":desk") }
        return keys
    }

    /// Begins to work as a client of a hub, or later where it cannot now; nil where it does not run.
    ///
    /// A damaged store is set aside where nothing in it is unsent: all else of it the hub has. Where something may be, the
    /// log says what helps. Whatever else is in the way may pass, and is tried again every minute.
    /// - Parameter late: called where it has begun later.
    func start(_ hub: HubServer, _ log: Log, late: @escaping @Sendable () -> Void) throws -> LateStart<DeskProcess>? {
        guard let key else { return nil }
        let link = HubLink(url: hub.localURL, key: key, tls: hub.clientContext)
        let start = LateStart(
            attempt: { try await begin(link, log) },
            failed: { error in
                log(
                    .error,
                    "the hub serves without the control desk: nothing is judged and exported until it can begin, which is "
                        + "tried again every minute (\(error))")
            },
            late: {
                log(.notice, "the control desk has begun: what waited is judged and exported")
                late()
            })
        _ = try waitFor { await start.start() }
        return start
    }

    /// Begins; nil where its store is damaged and must stay, which the log then says.
    private func begin(_ link: HubLink, _ log: Log) async throws -> DeskProcess? {
        func process() async throws -> DeskProcess {
            try await DeskProcess.start(directory: directory, hub: link, connectors: connectors, log: log)
        }
        do { return try await process() } catch {
            guard damage != nil else { throw error }
            guard hasNothingUnsent else {
                log(
                    .error,
                    "the hub serves without the control desk: nothing is judged and exported. Its store cannot be used "
                        + "(\(error)); move \(directory) aside and start the hub again: the desk then fetches everything "
                        + "anew, and does again what it had not sent")
                return nil
            }
            let aside = try setAside()
            log(
                .error,
                "the control desk's store is damaged (\(error)); nothing in it was unsent, so it was set aside as "
                    + "\(aside), and the desk fetches everything anew")
        }
        return try await process()
    }

    /// Whether it runs here, or should.
    var isWanted: Bool { key != nil }

    /// What is wrong with its store, looked at without changing it; nil where nothing is.
    var problem: String? {
        guard isWanted, let damage else { return nil }
        return "the control desk's store \(store) is damaged (\(damage)); a start sets it aside where nothing in it is "
            + "unsent, and else serves without the desk"
    }

    private var store: String { directory + "/store.sqlite" }

    /// What is wrong with the file's content; nil where nothing is, and where that cannot be seen now.
    private var damage: String? {
        guard Files.exists(store) else { return nil }
        do throws(SQLiteError) {
            let connection = try Connection.open(path: store, options: .readOnly)
            return try connection.integrityProblems(quick: true).first
        } catch {
            return error.isCorrupt || error.isNotADatabase ? "\(error)" : nil
        }
    }

    /// Moves the store away, with its device's name; gives where to.
    private func setAside() throws -> String {
        var aside = directory + "-damaged"
        var number = 1
        while Files.exists(aside) {
            number += 1
            aside = directory + "-damaged-\(number)"
        }
        try Files.rename(directory, to: aside)
        return aside
    }

    private var hasNothingUnsent: Bool {
        guard let connection = try? Connection.open(path: store, options: .readOnly) else { return false }
        return (try? connection.rows("PRAGMA integrity_check(_outbox)")) == [[.text("ok")]]
            && (try? connection.value("SELECT count(*) FROM _outbox")) == .integer(0)
    }
}
