import Basics
import DataStore
import Hub
import Models
import SyncEngine
import System
import Testing
import Transport
import WarehouseModels

/// A store that synchronises under a person's own token, against a real hub.
struct SignedInTests {
    private let link: RealLink
    private let store: AccessStore

    init() throws {
        link = try RealLink()
        store = try AccessStore.open(dataDirectory: link.hubDirectory, time: SystemTimeSource())
    }

    private func signIn(_ hub: HubServer, _ badge: String, _ pin: String) async throws -> String {
        let loop = try WebSocketLoop()
        defer { loop.stop() }
        let body: JSONValue = ["badge": .string(badge), "pin": .string(pin), "device": "S01"]
        let client = try HTTPClient(loop: loop, origin: try URLParts(hub.url))
        let answer = try await client.send(HTTPRequest(path: "/login", body: body.bytes))
        return try #require((try JSONValue(parsing: answer.body))["token"]?.string)
    }

    private func open(_ name: String, _ driver: AppSyncDriver) async throws -> DataStore {
        let store = try await DataStore(
            schema: warehouse, at: .directory(link.directory.file(name)),
            options: StoreOptions(
                time: SystemTimeSource(), policies: syncPolicies(for: .supervisor), checksParents: false),
            driver: driver)
        try await store.start()
        return store
    }

    @Test func `a supervisor works under his own token, waits when it is withdrawn, and goes on under the next`()
        async throws
    {
        try store.setPIN(badge: "sue", person: "P-sue", groups: ["supervisors"], pin: "4711")
        let hub = try await link.startHub()
        let driver = try AppSyncDriver(
            url: hub.url, credentials: .token(try await signIn(hub, "sue", "4711")), device: "S01", person: "P-sue")
        let local = try await open("S01", driver)
        func message(_ id: String) -> Message {
            Message(
                id: id, kind: .TEXT, fromID: "P-sue", toIDs: ["P-ann"], audience: ["counters"], text: "hello",
                sentAt: DateTime(milliseconds: 1_800_000_000_000))
        }
        try await local.save(message("m1"))
        try await local.waitUntilSent()

        // A new PIN ends the token, on the open connection too.
        let events = local.events
        try store.setPIN(badge: "sue", pin: "2580")
        waiting: for await event in events {
            if case .paused = event { break waiting }
        }
        try await local.save(message("m2"))
        #expect(try await local.outboxStatus().unsent == 1)
        #expect(try await local.outboxStatus().parked == 0)
        driver.setCredentials(.token(try await signIn(hub, "sue", "2580")))
        try await local.waitUntilSent()
        await local.stop()
        await local.close()
        await hub.stop()
    }

    private static let note = ModelSchema(
        "Note", pluralName: "Notes",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("owner", .scalar(.string)),
        ],
        authRules: [
            AuthRule(
                allow: .public, provider: "apiKey", operations: Set(AuthRule.Operation.allCases)),
            AuthRule(
                allow: .owner, ownerField: "owner", provider: "userPools",
                operations: Set(AuthRule.Operation.allCases)),
        ])

    @Test func `with several providers the next is tried where one is refused`() async throws {
        let schema = Schema(models: [Self.note])
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: link.directory.file("notes"), schema: schema, keys: try APIKeys(["k:everybody"]),
                time: SystemTimeSource()))
        func run(_ name: String, _ strategy: AuthModeStrategy) async throws -> SyncResult {
            // The owner's rule comes first in Amplify's order; nobody believes this token.
            let driver = try AppSyncDriver(
                url: hub.url, credentials: .token("e30.e30.AA"), device: name
            ) { $0.authModeStrategy = strategy }
            driver.setCredentials(.apiKey("k"), for: .apiKey)
            let local = try await DataStore(
                schema: schema, at: .directory(link.directory.file(name)),
                options: StoreOptions(time: SystemTimeSource()), driver: driver)
            try await local.start()
            let result = await driver.sync(["Note"])
            await local.stop()
            await local.close()
            return result
        }
        #expect(try await run("many", .multiAuth) == .done(SyncCounts(received: 0, sent: 0, parked: 0)))
        guard case .failed = try await run("one", .default) else {
            Issue.record("a token that nobody believes was enough")
            return
        }
        await hub.stop()
    }

    @Test func `what goes as one goes with the next provider where one of its changes is refused`() async throws {
        let guarded = ModelSchema(
            "Guarded", pluralName: "Guardeds", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
            authRules: [
                AuthRule(allow: .public, provider: "apiKey", operations: Set(AuthRule.Operation.allCases)),
                AuthRule(
                    allow: .groups, groups: ["others"], provider: "userPools",
                    operations: Set(AuthRule.Operation.allCases)),
            ])
        let schema = Schema(models: [Self.note, guarded])
        try store.setPIN(badge: "sue", person: "P-sue", groups: ["supervisors"], pin: "4711")
        let hub = try await HubServer.start(
            HubOptions(
                dataDirectory: link.hubDirectory, schema: schema, keys: try APIKeys(["k:everybody"]),
                time: SystemTimeSource()))
        let driver = try AppSyncDriver(
            url: hub.url, credentials: .token(try await signIn(hub, "sue", "4711")), device: "S01", person: "P-sue"
        ) { $0.authModeStrategy = .multiAuth }
        driver.setCredentials(.apiKey("k"), for: .apiKey)
        let local = try await DataStore(
            schema: schema, at: .directory(link.directory.file("S01")), options: StoreOptions(time: SystemTimeSource()),
            driver: driver)
        try await local.start()
        let events = local.events
        try await local.transactionSentAsOne { transaction in
            try transaction.save(Record(schema: Self.note, values: [.text("n"), .text("P-sue")]))
            try transaction.save(Record(schema: guarded, values: [.text("g")]))
        }
        sending: for await event in events {
            guard case .outboxStatus = event else { continue }
            let status = try await local.outboxStatus()
            if status.isEmpty || status.parked > 0 { break sending }
        }
        #expect(try await local.outboxStatus().isEmpty)
        await local.stop()
        await local.close()
        await hub.stop()
    }
}
