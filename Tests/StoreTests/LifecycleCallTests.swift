import Basics
import Models
import System
import Testing

@testable import DataStore

@Suite("Life-cycle calls")
struct LifecycleCallTests {
    /// What a call sequence may hold.
    private enum Call: Int, CaseIterable {
        case start, stop, clearRefuse, clearDiscard, save, query, observe, identity, foreign
    }

    @Test(
        "D39 D41 C9: any sequence of calls, awaited or not, leaves nothing running and loses nothing", arguments: 1...25
    )
    func anySequence(_ seed: UInt64) async throws {
        let random = SeededRandom(seed: seed)
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        let unawaited = Locked<[Task<Void, Never>]>([])
        let saved = Locked<Set<String>>([])
        // Half of the sequences never give anything up, so that all that was acknowledged must be there.
        let keepsAll = seed % 2 == 0
        let calls = Call.allCases.filter { !keepsAll || $0 != .clearDiscard }
        var number = 0
        for _ in 0..<40 {
            let call = calls[random.below(calls.count)]
            number += 1
            let id = "\(number)"
            let act: @Sendable () async -> Void = {
                switch call {
                case .start: try? await store.start()
                case .stop: await store.stop()
                case .clearRefuse: try? await store.clear(.refuse)
                case .clearDiscard: try? await store.clear(.discard)
                case .save:
                    guard (try? await store.save(Zone(id: id))) != nil else { return }
                    saved.withLock { _ = $0.insert(id) }
                case .query: _ = try? await store.query(Zone.self)
                case .observe: _ = store.observe(Zone.self).makeAsyncIterator()
                case .identity: store.identity = id
                case .foreign: try? await store.followForeignChanges()
                }
            }
            if random.below(2) == 0 { await act() } else { unawaited.withLock { $0.append(Task { await act() }) } }
        }
        for task in unawaited.current { await task.value }
        let rows = try await store.query(Zone.self).map(\.id)
        if keepsAll { #expect(Set(rows) == saved.current, "clear refuses rather than lose one") }
        #expect(try await store.outboxStatus().queued == rows.count, "each row has its entry, each entry its row")
        await store.close()
        let acts = driver.told.current.filter { $0 != "changed" }
        for (index, act) in acts.enumerated() { #expect(act == (index % 2 == 0 ? "start" : "stop")) }
        #expect(acts.last != "start")
        await #expect(throws: StoreError.closed) { try await store.save(Zone(id: "late")) }
        await #expect(throws: StoreError.closed) { try await store.clear(.discard) }
    }

    @Test("D38 D39 D42: stop, start and clear before, during and after one another end in the last one's state")
    func orders() async throws {
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        try await store.clear(.refuse)
        #expect(driver.told.current.isEmpty, "clear of a store that never started starts nothing")
        async let first: Void = store.start()
        async let second: Void = store.clear(.discard)
        async let third: Void = store.save(Zone(id: "z"))
        _ = try await (first, second, third)
        try await store.start()
        let acts = driver.told.current.filter { $0 != "changed" }
        #expect(acts.last == "start" && acts.count % 2 == 1)
        await store.stop()
        try await store.save(Zone(id: "y"))
        #expect(driver.told.current.last == "stop", "nothing reaches a stopped driver")
        await store.close()
    }

    @Test("D41: what was saved before a clear never shows after it, in queries, live queries and the outbox")
    func lanes() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        for round in 0..<10 {
            async let save: Void = store.save(Zone(id: "before \(round)"))
            try await save
            try await store.clear(.discard)
            #expect(try await store.query(Zone.self).isEmpty)
            #expect(try await store.outbox.list().isEmpty)
            for try await snapshot in store.observeQuery(Zone.self) {
                #expect(snapshot.items.isEmpty)
                break
            }
        }
    }

    @Test("D39 D92: streams go on over stop and clear, and end with the store")
    func streams() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver())
        try await store.start()
        var changes = store.observe(Zone.self).makeAsyncIterator()
        await store.stop()
        try await store.save(Zone(id: "1"))
        #expect(await changes.next() == .created(Zone(id: "1"), isLocal: true))
        try await store.clear(.discard)
        #expect(await changes.next() == .reset)
        try await store.save(Zone(id: "2"))
        #expect(await changes.next() == .created(Zone(id: "2"), isLocal: true))
        await store.close()
        #expect(await changes.next() == nil)
    }

    @Test("D45 C3: a save does not need the engine: it is kept before start, after stop and without a driver")
    func withoutEngine() async throws {
        let store = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions(), driver: IdleDriver(failing: true))
        try await store.save(Zone(id: "1"))
        await #expect(throws: StoreError.self) { try await store.start() }
        try await store.save(Zone(id: "2"))
        await store.stop()
        try await store.save(Zone(id: "3"))
        #expect(try await store.count(Zone.self) == 3)
        #expect(try await store.outboxStatus().queued == 3)
    }

    @Test("D95: what one person saved is sent as theirs after another signed in; nobody's is nobody's")
    func users() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Zone(id: "0"))
        store.identity = "ann"
        try await store.save(Zone(id: "1"))
        store.identity = "bob"
        try await store.save(Zone(id: "2"))
        store.identity = nil
        let batches = try await store.port.perform { core in
            var result: [String?] = []
            while let batch = try core.nextMutations(limit: 10) {
                result.append(batch.identity)
                try core.settle(
                    try batch.entries.map {
                        MutationResult(order: $0.order, outcome: .applied(try core.accepted($0, 1)))
                    })
            }
            return result
        }
        #expect(batches == [nil, "ann", "bob"])
    }

    @Test("C8: clear can write what is unsent to a file, from which another store takes it in")
    func export() async throws {
        let directory = try TempDirectory()
        let file = directory.path + "/unsent.jsonl"
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        store.identity = "ann"
        try await store.save(Zone(id: "z", code: "kept"))
        try await store.clear(.export(to: file))
        #expect(try await store.count(Zone.self) == 0)
        #expect(try await store.outboxStatus().isEmpty)
        let other = try await DataStore(
            schema: testSchema, at: .memory, options: testOptions { $0.random = SeededRandom(seed: 3) })
        let lines = try Files.readText(file).split(separator: "\n").map(String.init)
        #expect(try await other.outbox.importLines(lines) == 1)
        #expect(try await other.get(Zone.self, id: "z")?.code == "kept")
        #expect(try await other.outbox.list().first?.identity == "ann")
    }

    @Test("C8: where the file cannot be written nothing is cleared")
    func exportFails() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.save(Zone(id: "z"))
        await #expect(throws: StoreError.self) { try await store.clear(.export(to: "/nowhere/at/all/file")) }
        #expect(try await store.count(Zone.self) == 1)
        #expect(try await store.outboxStatus().queued == 1)
    }

    @Test("D36 D82 C36: everything that goes wrong behind the scenes is told once to the error handler, with a way out")
    func problems() async throws {
        let told = Locked<[StoreProblem]>([])
        let store = try await DataStore(
            schema: testSchema, at: .memory,
            options: testOptions { $0.errorHandler = { problem in told.withLock { $0.append(problem) } } })
        try await store.save(Zone(id: "z"))
        try await store.port.perform { core in
            let entry = try #require(try core.nextMutations(limit: 1)?.entries.first)
            try core.settle([MutationResult(order: entry.order, outcome: .refused(code: "Unauthorized", message: "no"))]
            )
            try core.applyRemote(
                [], unreadable: [UnreadableRecord(model: "Bin", id: "b", version: 1, json: "{}", reason: "code")])
        }
        store.port.emit(.paused(.subscribe, identity: "ann", detail: "expired"))
        store.port.emit(.networkStatus(isActive: false, detail: "down"))
        let problems = told.current
        #expect(problems.map(\.process) == [.mutate, .sync, .subscribe])
        #expect(problems.map(\.errorType) == [.unauthorized, .badRecord, .unauthorized])
        #expect(problems[0].model == "Zone" && problems[0].id == "z" && problems[0].operation == .create)
        #expect(problems[0].entry?.state == .parked && problems[0].local?.id == "z" && problems[0].remote == nil)
        #expect(problems.allSatisfy { !$0.recovery.isEmpty && !$0.description.contains("\n") })
        #expect(problems[0].description.contains("retry or revert outbox entry"))
    }

    @Test("D52 D85 C36: a change is told from its making to its confirmation, with the backend's version")
    func events() throws {
        let core = try memoryCore()
        var told: [StoreEvent] = []
        core.onEvent = { told.append($0) }
        try core.save(Zone(id: "z"))
        try core.sendAll(version: 4)
        try core.write(as: nil) { _ = try $0.delete(Zone.self, id: "z") }
        try core.sendAll(version: 5)
        let changes = told.filter { if case .outboxStatus = $0 { false } else { true } }
        #expect(changes.count == 4)
        guard case .outboxMutationEnqueued("Zone", "z", .create, let made?) = changes[0],
            case .outboxMutationProcessed("Zone", "z", .create, let confirmed) = changes[1],
            case .outboxMutationEnqueued("Zone", "z", .delete, nil) = changes[2],
            case .outboxMutationProcessed("Zone", "z", .delete, let buried) = changes[3]
        else {
            Issue.record("\(changes)")
            return
        }
        #expect(made["id"] == .text("z"))
        #expect(confirmed.record.id == "z" && confirmed.version == 4 && !confirmed.deleted)
        #expect(buried.record.id == "z" && buried.version == 5 && buried.deleted)
        #expect(told.last == .outboxStatus(OutboxStatus()))
        // As a store does while nobody reads ``DataStore/eventsWithMutations``.
        core.listens = { false }
        told.removeAll()
        try core.save(Zone(id: "y"))
        #expect(told == [.outboxStatus(OutboxStatus(queued: 1))], "nobody reads, so nothing is gathered")
    }
}
