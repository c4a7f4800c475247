import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")
private let code: Field<Bin, String> = Field("code")

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
}

@Suite("Live queries of parts and of relations")
struct LiveWindowTests {
    private func change(_ kind: Change.Kind, _ bin: Bin) -> Change {
        Change(model: "Bin", id: bin.id, kind: kind, isLocal: true, record: bin.record)
    }

    @Test(
        "D34 C13: a page of a live query keeps a reserve, not everything, and always equals a fresh query",
        arguments: 1...20)
    func windows(_ seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        var rows: [String: Bin] = [:]
        for number in 0..<400 { rows["\(number)"] = Bin(id: "\(number)", place: random.below(50)) }
        let page: Page =
            random.below(2) == 0
            ? Page(offset: random.below(10), limit: 10 + random.below(10))
            : .after(PageCursor(values: [.integer(Int64(random.below(40)))], key: "3"), limit: 15)
        let sort = [SortKeyNode("place", random.below(2) == 0 ? .ascending : .descending)]
        var query = try LiveQuery<Bin>(where: (place < 45).node, sort: sort, page: page)
        func matching() -> [Bin] {
            let sorted = rows.values.filter { $0.place < 45 }.sorted { a, b in
                if a.place != b.place { return (a.place < b.place) == (sort[0].direction == .ascending) }
                return a.id.utf8.lexicographicallyPrecedes(b.id.utf8)
            }
            guard let after = page.after, let start = after.values[0].integer.map({ Int($0) }) else { return sorted }
            return sorted.filter { bin in
                if bin.place != start { return (bin.place > start) == (sort[0].direction == .ascending) }
                return after.key.utf8.lexicographicallyPrecedes(bin.id.utf8)
            }
        }
        func fetch() -> [Bin] { Array(matching().prefix(query.fetched?.limit ?? .max)) }
        func wanted() -> [Bin] { Array(matching().dropFirst(page.offset).prefix(page.limit)) }
        query.load(fetch())
        var shown = Dictionary(uniqueKeysWithValues: wanted().map { ($0.id, $0) })
        var reloads = 0
        for step in 0..<1500 {
            let id = "\(random.below(600))"
            if random.below(3) > 0, step < 700 || random.below(2) == 0 {
                let bin = Bin(id: id, place: random.below(50))
                let kind: Change.Kind = rows.updateValue(bin, forKey: id) == nil ? .created : .updated
                _ = query.apply(change(kind, bin))
            } else if let old = rows.removeValue(forKey: id) {
                _ = query.apply(change(.deleted, old))
            }
            if query.needsReload {
                reloads += 1
                query.refresh(fetch(), [])
            }
            try #require(Array(query.items) == wanted(), "seed \(seed) step \(step)")
            for change in query.pending.takeAll() {
                if let item = change.item { shown[item.id] = item } else if let id = change.id { shown[id] = nil }
            }
            try #require(shown == Dictionary(uniqueKeysWithValues: wanted().map { ($0.id, $0) }), "step \(step)")
        }
        #expect(reloads < 100, "the reserve spares most fetches")
    }

    @Test("C13: the first page of a large live query reads and holds little more than what is shown")
    func cost() async throws {
        let store = try await DataStore(schema: testSchema, at: .memory, options: testOptions())
        try await store.transaction { tx in
            for number in 0..<5000 { try tx.save(Bin(id: "\(number)", place: number)) }
        }
        let snapshots = store.observeQuery(Bin.self, sort: [.ascending(place)], page: .first(10))
        for try await snapshot in snapshots {
            #expect(snapshot.items.map(\.place) == Array(0..<10))
            #expect(snapshot.items.tree.count == 74)
            break
        }
    }

    @Test("D32 D34: a live query on related records follows changes of the other model and names the difference")
    func related() async throws {
        let store = try await DataStore(schema: modelSchema, at: .memory, options: testOptions())
        try await store.save(Post(id: "p", title: "a"))
        try await store.save(Post(id: "q", title: "b"))
        let live = store.observeQuery(
            Post.self, where: Post.comments.contains(SampleModels.Comment.text == "yes"), sort: [.ascending(Post.title)]
        )
        var snapshots = live.makeAsyncIterator()
        #expect(try await snapshots.next()?.items.isEmpty == true)
        let comment = SampleModels.Comment(id: "c", text: "yes", postCommentsId: "p")
        try await store.save(comment)
        let second = try #require(try await snapshots.next())
        #expect(
            second.items.map(\.id) == ["p"] && second.changes == [.created(Post(id: "p", title: "a"), isLocal: false)])
        try await store.save(comment.updating { $0.postCommentsId = "q" })
        let third = try #require(try await snapshots.next())
        #expect(third.items.map(\.id) == ["q"] && third.changes.count == 2)
        try await store.delete(comment)
        let last = try #require(try await snapshots.next())
        #expect(last.items.isEmpty && last.changes == [.deleted(id: "q", isLocal: false)])
    }

    @Test("D29: what observe and observeQuery deliver can be followed like what a query gives")
    func lazily() async throws {
        let store = try await DataStore(schema: modelSchema, at: .memory, options: testOptions())
        try await store.save(Post(id: "p", title: "a"))
        var changes = store.observe(SampleModels.Comment.self).makeAsyncIterator()
        try await store.save(SampleModels.Comment(id: "c", text: "x", postCommentsId: "p"))
        let comment = try #require(await changes.next()?.item)
        #expect(try await store.related(comment, SampleModels.Comment.post)?.title == "a")
        for try await snapshot in store.observeQuery(Post.self) {
            let post = try #require(snapshot.items.first)
            #expect(try await store.related(post, Post.comments).map(\.id) == ["c"])
            break
        }
    }
}
