import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")

@Suite("Observing some records")
struct ObserveMatchingTests {
    private func store() async throws -> DataStore {
        try await DataStore(schema: testSchema, at: .memory, options: testOptions())
    }

    @Test("D32: one record is observed, its coming, changing and going, local and remote")
    func oneRecord() async throws {
        let store = try await store()
        var changes = store.observe(Zone.self, id: "a").makeAsyncIterator()
        try await store.save(Zone(id: "b"))
        try await store.save(Zone(id: "a"))
        #expect(await changes.next() == .created(Zone(id: "a"), isLocal: true))
        _ = try await store.port.perform { try $0.sendAll() }
        try await store.port.perform { try $0.applyRemote([remote(Zone(id: "a", code: "B"), 5)]) }
        var seen: [ModelChange<Zone>] = []
        repeat { seen += [try #require(await changes.next())] } while seen.last?.item?.code != "B"
        #expect(seen.last == .updated(Zone(id: "a", code: "B"), isLocal: false))
        try await store.delete(Zone(id: "a"))
        #expect(await changes.next() == .deleted(id: "a", isLocal: true))
    }

    @Test("D32 D34: a predicate's reader sees records come in, change inside, leave and go")
    func predicate() async throws {
        let store = try await store()
        try await store.save(Bin(id: "in", place: 20))
        try await store.save(Bin(id: "out", place: 1))
        var changes = try store.observe(Bin.self, where: place > 10).makeAsyncIterator()
        try await store.save(Bin(id: "out", place: 11))
        #expect(await changes.next() == .created(Bin(id: "out", place: 11), isLocal: true))
        try await store.save(Bin(id: "out", code: "C", place: 12))
        #expect(await changes.next() == .updated(Bin(id: "out", code: "C", place: 12), isLocal: true))
        try await store.save(Bin(id: "other", place: 3))
        try await store.save(Bin(id: "in", place: 2))
        #expect(await changes.next() == .deleted(id: "in", isLocal: true), "it left")
        try await store.delete(Bin(id: "other", place: 3))
        try await store.delete(Bin(id: "out"))
        #expect(await changes.next() == .deleted(id: "out", isLocal: true), "it went")
        try await store.port.perform { try $0.applyRemote([remote(Bin(id: "far", place: 99), 1)]) }
        #expect(await changes.next() == .created(Bin(id: "far", place: 99), isLocal: false))
        await store.close()
        #expect(await changes.next() == nil)
    }

    @Test(
        "D32: keys that differ in their Unicode form only are two records, to who observes one and to who observes some"
    )
    func unicodeKeys() async throws {
        let store = try await store()
        let keys = ["caf\u{E9}", "cafe\u{301}"]
        for key in keys { try await store.save(Bin(id: key, place: 20)) }
        var some = try store.observe(Bin.self, where: place > 10).makeAsyncIterator()
        var one = store.observe(Bin.self, id: keys[1]).makeAsyncIterator()
        for key in keys { try await store.save(Bin(id: key, place: 1)) }
        for key in keys { #expect(await some.next()?.id.map { Array($0.utf8) } == Array(key.utf8)) }
        #expect(await one.next()?.id.map { Array($0.utf8) } == Array(keys[1].utf8))
    }

    @Test("a predicate's reader is told of a reset, and knows its members anew afterwards")
    func reset() async throws {
        let store = try await store()
        try await store.save(Draft(id: "d", text: "x"))
        let text: Field<Draft, String> = Field("text")
        var changes = try store.observe(Draft.self, where: text == "x").makeAsyncIterator()
        try await store.clear(.refuse)
        #expect(await changes.next() == .reset)
        try await store.save(Draft(id: "d", text: "x"))
        let next = await changes.next()
        // The look at the new members may have come before or after the save; a change is never lost.
        #expect(next == .created(Draft(id: "d", text: "x"), isLocal: true) || next == .reset)
        try await store.save(Draft(id: "d", text: "y"))
        var last = await changes.next()
        while last == .reset { last = await changes.next() }
        #expect(last == .deleted(id: "d", isLocal: true))
    }

    @Test("a predicate that cannot be used is refused at once")
    func refused() async throws {
        let store = try await store()
        #expect(throws: StoreError.self) {
            try store.observe(Bin.self, where: Predicate(.field("nothing", .exists(true))))
        }
    }

    @Test("D15 D32 D76: changes of every model are observed as untyped records")
    func everyModel() async throws {
        let store = try await store()
        var all = store.observeRecords().makeAsyncIterator()
        var zones = store.observeRecords(of: ["Zone"]).makeAsyncIterator()
        try await store.save(Bin(id: "b"))
        try await store.save(Zone(id: "z"))
        try await store.save(Zone(id: "z", code: "new"))
        try await store.delete(Bin(id: "b"))
        try await store.save(Draft(id: "d"))
        func described(_ change: RecordChange?) -> String {
            switch change {
            case .changed(let change): "\(change.kind) \(change.model) \(change.id)"
            case .reset(let model): "reset \(model)"
            case nil: "end"
            }
        }
        #expect(described(await zones.next()) == "created Zone z")
        #expect(described(await all.next()) == "created Zone z", "what came and went is not told")
        #expect(described(await all.next()) == "created Draft d")
        try await store.transaction { tx in
            for number in 0...CommitLog.limit { try tx.save(Zone(id: "\(number)")) }
            try tx.save(Bin(id: "last"))
        }
        #expect(described(await all.next()) == "reset Zone")
        #expect(described(await all.next()) == "created Bin last")
        await store.close()
        #expect(described(await all.next()) == "end")
    }

    @Test("slow readers of records keep one newest state each, and beyond the limit one reset")
    func bounded() {
        var pending = PendingRecords()
        func change(_ id: Int, _ kind: Change.Kind = .updated) -> Change {
            Change(model: "Zone", id: "\(id)", kind: kind, isLocal: true, record: nil)
        }
        for _ in 0..<3 { for id in 0..<CommitLog.limit { pending.add(change(id)) } }
        #expect(pending.takeFirst() == .changed(change(0)))
        for id in 0...CommitLog.limit { pending.add(change(id)) }
        #expect(pending.takeFirst() == .reset(model: "Zone"))
        #expect(pending.takeFirst() == nil)
    }

    @Test("slow readers of records keep no places of those that came and went")
    func cameAndWent() {
        var pending = PendingRecords()
        func change(_ id: Int, _ kind: Change.Kind) -> Change {
            Change(model: "Zone", id: "\(id)", kind: kind, isLocal: true, record: nil)
        }
        pending.add(change(-1, .created))
        for id in 0..<5 * CommitLog.limit {
            pending.add(change(id, .created))
            pending.add(change(id, .deleted))
        }
        #expect(pending.order.count <= 2 * CommitLog.limit)
        // Nor of those that were taken while others came.
        for id in 0..<5 * CommitLog.limit {
            pending.add(change(id, .created))
            #expect(pending.takeFirst() == .changed(change(id - 1, .created)))
        }
        #expect(pending.order.count <= 2 * CommitLog.limit)
        for id in 0...CommitLog.limit { pending.add(change(id, .updated)) }
        #expect(pending.takeFirst() == .reset(model: "Zone"))
        #expect(pending.takeFirst() == nil)
    }
}
