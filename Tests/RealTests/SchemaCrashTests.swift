import Basics
import DataStore
import Models
import SyncEngine
import System
import Testing
import Transport

/// A hub that dies while its schema is changed under load.
@Suite(.enabled(if: Built.isThere, "build the programs first: swift build"), .serialized, .timeLimit(.minutes(30)))
struct SchemaCrashTests {
    private static let seed = Built.environment("KILL_SEED").flatMap { UInt64($0) } ?? 1
    private let site: SchemaSite

    init() throws { site = try SchemaSite("schema-crash") }

    /// A client that knows Note as it was at first, whatever is pushed.
    private func terminal(_ url: String) async throws -> (store: DataStore, driver: AppSyncDriver) {
        let driver = try AppSyncDriver(url: url, key: "all", device: "T01")
        let store = try await DataStore(
            schema: Schema(models: [Note.schema]), at: .directory(site.directory.file("T01")),
            options: StoreOptions(time: SystemTimeSource()), driver: driver)
        try await store.start()
        return (store, driver)
    }

    /// Creates notes and changes each once, until the hub is gone.
    private func write(_ name: String, to client: SiteClient, acknowledged: @Sendable () -> Void) async throws {
        var number = 0
        while true {
            number += 1
            for base in Int64(0)...1 {
                let change = NoteChange(
                    id: "\(name)-\(number)", title: "\(name) \(number) \(base)", base: base,
                    mutation: SystemRandom().uuid())
                guard try await site.send(change, to: client, acknowledged: acknowledged) else { return }
            }
        }
    }

    @Test func `killed while a schema is pushed, a hub has the old or the new one, and all it has acknowledged`()
        async throws
    {
        var random = SplitMix64(seed: Self.seed)
        var hub = try await site.start()
        let port = hub.port
        let (store, driver) = try await terminal(hub.url)
        var extras = SchemaSite.base
        var own: Set<String> = []
        var (old, new, told) = (0, 0, 0)
        for round in 0..<Built.rounds {
            let name = "seed \(Self.seed) round \(round)"
            let isDestructive = !extras.isEmpty && (round % 2 == 1)
            let next = isDestructive ? Array(extras.dropFirst()) : extras + [round]
            // So many more are acknowledged after the push was sent: before, while and after it is carried out.
            let after = Int(random.next() % (isDestructive ? 60 : 20))
            let client = try SiteClient(hub)
            let running = hub
            let killed = hub.child
            let state = Locked((isPushed: false, left: after))
            let site = site
            let before = site.ledger.current.acknowledged
            let started = AsyncStream<Void>.makeStream()
            let outcome = try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<3 {
                    group.addTask {
                        try await write("\(round)-\(writer)", to: try SiteClient(running)) {
                            started.continuation.yield()
                            let isOver = state.withLock { state in
                                guard state.isPushed else { return false }
                                state.left -= 1
                                return state.left == 0
                            }
                            if isOver { killed.send(.kill) }
                        }
                    }
                }
                for number in 1...3 {
                    let id = "own-\(round)-\(number)"
                    own.insert(id)
                    try await store.save(Note(id: id, title: "t"))
                }
                for await _ in started.stream where site.ledger.current.acknowledged >= before + 6 { break }
                state.withLock { $0.isPushed = true }
                if after == 0 { killed.send(.kill) }
                let outcome = try await site.push(next, to: client)
                try await group.waitForAll()
                return outcome
            }
            _ = await killed.wait()
            hub = try await site.start(port: port)
            driver.tryAgain()
            let again = try SiteClient(hub)
            guard let served = try await site.served(again, extras, next, name) else { break }
            if outcome == true { #expect(served == next, "\(name): it was told that the schema is served") }
            (old, new, told) = (
                old + (served == extras ? 1 : 0), new + (served == next ? 1 : 0), told + (outcome == true ? 1 : 0)
            )
            extras = served
            try await site.resend(to: again)
            try await site.compare(again, name)
        }
        // What was cut off goes through now, and the client of the first schema has missed nothing.
        let client = try SiteClient(hub)
        #expect(try await site.push(extras + [1000], to: client) == true)
        let wanted = Set(site.ledger.current.notes.keys).union(own)
        for try await snapshot in store.observeQuery(Note.self) where snapshot.items.count >= wanted.count { break }
        try await store.flush(timeout: 120_000)
        _ = await store.sync()
        let notes = try await store.query(Note.self)
        #expect(Set(notes.map(\.id)) == wanted)
        let titles = site.ledger.current.notes.mapValues(\.title)
        for note in notes where !own.contains(note.id) { #expect(note.title == titles[note.id]) }
        #expect(try await store.quarantined().isEmpty)
        await store.close()
        await hub.stop()
        try await verify()
        print(
            "killed \(Built.rounds) times: \(old) times the old schema, \(new) times the new one, \(told) times told so"
        )
    }

    private func verify() async throws {
        let result = try await bincount(
            "verify", "--data", site.data, "--schema", site.directory.file("schema.graphql"))
        #expect(result.code == .code(0), "\(result.out) \(result.error)")
    }
}

/// Note as it was before anything was pushed.
private struct Note: Model {
    let id: String
    let title: String

    static let schema = ModelSchema(
        "Note", pluralName: "Notes",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("title", .scalar(.string), isRequired: true),
        ])

    init(id: String, title: String) {
        self.id = id
        self.title = title
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(title)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        title = try decoder.decode()
    }
}
