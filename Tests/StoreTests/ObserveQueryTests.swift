import Basics
import Models
import Testing

@testable import DataStore

private func byPlace() -> [SortKey<Bin>] { [SortKey.descending(Field<Bin, Int>("place"))] }

@Suite struct LiveQueryTests {
    /// After any changes the live query holds what a fresh query gives, and its changes turn each snapshot into the next.
    @Test("D34 D37: a snapshot equals a fresh query", arguments: 1...30 as ClosedRange<UInt64>)
    func aSnapshotEqualsAFreshQuery(_ seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let core = try memoryCore()
        let page = [nil, Page.first(5), Page(offset: 3, limit: 4)][Int(seed % 3)]
        let sort = seed % 2 == 0 ? byPlace() : [SortKey.ascending(Field<Bin, String?>("note"))]
        let condition = Predicate<Bin>(.field("place", .less(.integer(7))))
        for number in 0..<8 { try core.save(Bin(id: "b\(number)", place: number)) }
        var query = try LiveQuery<Bin>(where: condition.node, sort: sort.map(\.key), page: page)
        query.load(try core.read { try $0.query(Bin.self, where: condition) })
        var committed: [Change] = []
        _ = core.addObserver { committed += $0.changes }
        for _ in 0..<60 {
            let before = Dictionary(uniqueKeysWithValues: query.items.map { ($0.id, $0) })
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let id = "b\(Int.random(in: 0..<14, using: &random))"
                let version = Int64(1000 + committed.count)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: try core.write(as: nil) { try $0.delete(Bin.self, id: id) }
                case 1:
                    try core.applyRemote([remote(Bin(id: id, place: Int.random(in: 0..<10, using: &random)), version)])
                default:
                    let note = ["x", "y", nil][Int.random(in: 0..<3, using: &random)]
                    let bin = Bin(id: id, place: Int.random(in: 0..<10, using: &random), note: note)
                    _ = try? core.save(bin)
                }
            }
            for change in committed { _ = query.apply(change) }
            committed.removeAll()
            let fresh = try core.read { try $0.query(Bin.self, where: condition, sort: sort, page: page) }
            #expect(Array(query.items) == fresh)
            #expect(query.items.indices.map { query.items[$0] } == fresh)
            var followed = before
            for change in query.pending.takeAll() {
                if let item = change.item { followed[item.id] = item } else { followed[change.id ?? ""] = nil }
            }
            #expect(followed == Dictionary(uniqueKeysWithValues: fresh.map { ($0.id, $0) }))
        }
    }

    @Test func anUnknownFieldIsNamed() {
        #expect(throws: (any Error).self) {
            try LiveQuery<Bin>(where: .field("nothing", .equal(.null)), sort: [], page: nil)
        }
        #expect(throws: (any Error).self) {
            try LiveQuery<Bin>(where: .all, sort: [SortKeyNode("nothing", .ascending)], page: nil)
        }
    }

    @Test("D34: a row that leaves the condition is removed")
    func aRowThatLeavesTheConditionIsRemoved() throws {
        var query = try LiveQuery<Bin>(where: .field("place", .equal(.integer(1))), sort: [], page: nil)
        query.load([Bin(id: "b", place: 1)])
        let record = Bin(id: "b", place: 2).record
        let changed = query.apply(Change(model: "Bin", id: "b", kind: .updated, isLocal: true, record: record))
        #expect(changed && query.items.isEmpty)
        #expect(query.pending.takeAll() == [.deleted(id: "b", isLocal: true)])
    }
}

@Suite struct ObserveTests {
    private func store() async throws -> DataStore {
        try await DataStore(schema: testSchema, at: .memory, options: testOptions())
    }

    @Test("D33: local and remote changes reach the reader")
    func localAndRemoteChangesReachTheReader() async throws {
        let store = try await store()
        let changes = store.observe(Zone.self)
        try await store.save(Zone(id: "a"))
        try await store.save(Bin(id: "other"))
        try await store.port.perform { try $0.applyRemote([remote(Zone(id: "b"), 1)]) }
        try await store.save(Zone(id: "a", code: "new"))
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == .created(Zone(id: "a", code: "new"), isLocal: true))
        #expect(await iterator.next() == .created(Zone(id: "b"), isLocal: false))
        try await store.delete(Zone(id: "b"))
        #expect(await iterator.next() == .deleted(id: "b", isLocal: true))
    }

    @Test func aWaitingReaderIsWokenAndTheEndComesWithTheStores() async throws {
        let store = try await store()
        let changes = store.observe(Zone.self)
        async let all: [ModelChange<Zone>] = {
            var result: [ModelChange<Zone>] = []
            for await change in changes { result.append(change) }
            return result
        }()
        try await store.save(Zone(id: "a"))
        await store.close()
        // The reader may or may not have been fast enough to see the change before the end; it never hangs.
        #expect(await all.count <= 1)
    }

    @Test("D33: a cancelled reader ends")
    func aCancelledReaderEnds() async throws {
        let store = try await store()
        let changes = store.observe(Zone.self)
        let task = Task { for await _ in changes {} }
        task.cancel()
        await task.value
    }

    @Test func aTransactionOfManyIsAReset() async throws {
        let store = try await store()
        let changes = store.observe(Zone.self)
        try await store.transaction { transaction in
            for number in 0...CommitLog.limit { try transaction.save(Zone(id: "\(number)")) }
        }
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() == .reset)
    }

    @Test func aLiveQueryGivesASnapshotAtOnceAndAfterEachChange() async throws {
        let store = try await store()
        try await store.save(Bin(id: "b1", place: 1))
        let snapshots = store.observeQuery(Bin.self, sort: byPlace())
        var iterator = snapshots.makeAsyncIterator()
        let first = try #require(try await iterator.next())
        #expect(first.items.map(\.id) == ["b1"] && first.changes.isEmpty)
        try await store.save(Bin(id: "b2", place: 2))
        let second = try #require(try await iterator.next())
        #expect(second.items.map(\.id) == ["b2", "b1"])
        #expect(second.changes == [.created(Bin(id: "b2", place: 2), isLocal: true)])
        #expect(first.items.map(\.id) == ["b1"])
        try await store.save(Bin(id: "b3", place: 3))
        try await store.delete(Bin(id: "b1"))
        let third = try #require(try await iterator.next())
        #expect(third.items.map(\.id).first == "b3")
    }

    @Test("D35: a change between the fetch and the first read is not missed")
    func aChangeBetweenTheFetchAndTheFirstReadIsNotMissed() async throws {
        let store = try await store()
        let snapshots = store.observeQuery(Bin.self)
        for number in 0..<50 { try await store.save(Bin(id: "\(number)")) }
        for try await snapshot in snapshots where snapshot.items.count == 50 { break }
    }

    @Test("D36: a query that cannot be read fails")
    func aQueryThatCannotBeReadFails() async throws {
        let store = try await store()
        let snapshots = store.observeQuery(Bin.self, where: Predicate(.field("nothing", .equal(.null))))
        await #expect(throws: StoreError.self) { for try await _ in snapshots {} }
    }

    @Test("D35 D92: is synced tells of the model")
    func isSyncedTellsOfTheModel() async throws {
        let driver = IdleDriver()
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions(), driver: driver)
        var iterator = store.observeQuery(Zone.self).makeAsyncIterator()
        #expect(try await iterator.next()?.isSynced == false)
        store.port.emit(.modelSynced(model: "Zone", isFullSync: true, ModelCounts()))
        #expect(try await iterator.next()?.isSynced == true)
        try await store.clear(.refuse)
        for try await snapshot in store.observeQuery(Zone.self) {
            #expect(!snapshot.isSynced)
            break
        }
    }

    @Test("D35: clearing is a reset to a live query")
    func clearingIsAResetToALiveQuery() async throws {
        let store = try await store()
        try await store.save(Draft(id: "d"))
        var iterator = store.observeQuery(Draft.self).makeAsyncIterator()
        #expect(try await iterator.next()?.items.count == 1)
        try await store.clear(.refuse)
        let after = try #require(try await iterator.next())
        #expect(after.items.isEmpty && after.changes == [.reset])
    }
}
