import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

private let place: Field<Bin, Int> = Field("place")

@Suite("Live queries of parts and of relations")
struct LiveWindowTests {
    private func change(_ kind: Change.Kind, _ bin: Bin) -> Change {
        Change(model: "Bin", id: bin.id, kind: kind, isLocal: true, record: bin.record)
    }

    @Test("keys that differ in their Unicode form only are two records, also to who reads slowly")
    func unicodeKeys() throws {
        let keys = ["caf\u{E9}", "cafe\u{301}"]
        var query = try LiveQuery<Bin>(where: .all, sort: [], page: nil)
        query.load(keys.map { Bin(id: $0) })
        #expect(query.items.count == 2)
        _ = query.apply(change(.updated, Bin(id: keys[1], place: 3)))
        #expect(query.items.map(\.place).sorted() == [0, 3])
        _ = query.apply(change(.deleted, Bin(id: keys[0])))
        #expect(query.items.map(\.place) == [3])
        var pending = PendingRecords()
        for key in keys { pending.add(change(.created, Bin(id: key))) }
        #expect(pending.takeFirst() != nil && pending.takeFirst() != nil && pending.takeFirst() == nil)
    }

    @Test(
        "D34 C13: a page of a live query keeps a reserve, not everything, and always equals a fresh query",
        arguments: 1...8)
    func windows(_ seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        var rows: [String: Bin] = [:]
        for number in 0..<150 { rows["\(number)"] = Bin(id: "\(number)", place: random.below(50)) }
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
        for step in 0..<900 {
            let id = "\(random.below(225))"
            if random.below(3) > 0, step < 400 || random.below(2) == 0 {
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

    @Test("a live query takes any page, the largest and the emptiest too", arguments: [0, 1, 3, Int.max])
    func oddPages(_ limit: Int) throws {
        for offset in [0, 2, Int.max] {
            var query = try LiveQuery<Bin>(where: .all, sort: [], page: Page(offset: offset, limit: limit))
            let bins = (0..<3).map { Bin(id: "\($0)") }
            query.load(Array(bins.prefix(query.fetched?.limit ?? .max)))
            #expect(Array(query.items) == Array(bins.dropFirst(offset).prefix(limit)))
            _ = query.apply(change(.created, Bin(id: "1x")))
            #expect(query.items.count == max(0, min(limit, 4 - min(4, offset))))
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

    /// Gives the snapshot that a waiting reader gets of what happens to a machine, and whether it fetches on.
    private func snapshot(
        _ machine: inout QueryMachine<Bin>, after happens: (inout QueryMachine<Bin>) -> QueryMachine<Bin>.Action
    ) async throws -> (snapshot: QuerySnapshot<Bin>?, fetches: Bool) {
        var fetches = false
        let result = await withCheckedContinuation { (waiter: QueryMachine<Bin>.Reader.Waiter) in
            if let ready = machine.wait(waiter) { return ready.waiter.resume(returning: ready.result) }
            let action = happens(&machine)
            fetches = action.load
            if let resume = action.resume {
                resume.waiter.resume(returning: resume.result)
            } else {
                waiter.resume(returning: .success(nil))
            }
        }
        return (try result.get(), fetches)
    }

    private func relatedMachine(isSynced: Bool? = true) throws -> QueryMachine<Bin> {
        let condition = PredicateNode.related("zone", .field("code", .equal(.text("A"))))
        return QueryMachine(try LiveQuery<Bin>(where: condition, sort: [], page: nil), isSynced: isSynced)
    }

    @Test("D34: a live query delivers what it fetched though something changed meanwhile, and fetches again")
    func steadyChanges() async throws {
        var machine = try relatedMachine()
        let bins = (0..<3).map { Bin(id: "\($0)") }
        for count in 1...3 {
            let (snapshot, fetches) = try await snapshot(&machine) { machine in
                #expect(!machine.receive(.related).load, "one fetch at a time")
                return machine.loaded(.success(Array(bins.prefix(count))))
            }
            let found = try #require(snapshot)
            #expect(found.items.map(\.id) == bins.prefix(count).map(\.id) && found.isSynced && fetches)
            #expect(found.changes == (count == 1 ? [] : [.created(bins[count - 1], isLocal: false)]))
        }
        let (last, fetches) = try await snapshot(&machine) { $0.loaded(.success(bins)) }
        #expect(last?.changes.isEmpty == true && !fetches)
    }

    @Test("D35: a snapshot that something came after is not called complete for what came meanwhile")
    func completeMeanwhile() async throws {
        var machine = try relatedMachine(isSynced: false)
        let (early, _) = try await snapshot(&machine) { machine in
            _ = machine.receive(.related)
            _ = machine.receive(.synced(true))
            return machine.loaded(.success([]))
        }
        #expect(early?.isSynced == false)
        let (late, _) = try await snapshot(&machine) { $0.loaded(.success([Bin(id: "b")])) }
        #expect(late?.isSynced == true && late?.changes == [.created(Bin(id: "b"), isLocal: false)])
    }

    @Test("D34: the first snapshot that is read names no changes, however often was fetched before")
    func unreadMeanwhile() async throws {
        var machine = try relatedMachine()
        _ = machine.receive(.related)
        #expect(machine.loaded(.success([Bin(id: "a")])).load)
        #expect(!machine.loaded(.success([Bin(id: "a"), Bin(id: "b")])).load)
        let first = try await snapshot(&machine) { _ in QueryMachine<Bin>.Action() }.snapshot
        #expect(first?.items.count == 2 && first?.changes.isEmpty == true)
        // A reset after it is one, though what was fetched before it is delivered first.
        #expect(machine.receive(.related).load)
        let (second, fetches) = try await snapshot(&machine) { machine in
            _ = machine.receive(.reset)
            return machine.loaded(.success([Bin(id: "a")]))
        }
        #expect(second?.changes == [.deleted(id: "b", isLocal: false)] && fetches)
        let third = try await snapshot(&machine) { $0.loaded(.success([Bin(id: "c")])) }.snapshot
        #expect(third?.changes == [.reset] && third?.items.map(\.id) == ["c"])
    }

    @Test("D34: where more changed during a fetch than is kept, what it found is delivered alone and fetched again")
    func manyMeanwhile() async throws {
        var machine = QueryMachine(try LiveQuery<Bin>(where: .all, sort: [], page: nil), isSynced: true)
        let many = (0...CommitLog.limit).map { change(.created, Bin(id: "\($0)")) }
        let (first, fetches) = try await snapshot(&machine) { machine in
            _ = machine.receive(.changes(many))
            _ = machine.receive(.changes([change(.created, Bin(id: "late"))]))
            return machine.loaded(.success([Bin(id: "old")]))
        }
        #expect(first?.items.map(\.id) == ["old"] && fetches)
        let (second, ends) = try await snapshot(&machine) { machine in
            _ = machine.receive(.changes([change(.created, Bin(id: "z"))]))
            return machine.loaded(.success([Bin(id: "late"), Bin(id: "old")]))
        }
        #expect(second?.items.map(\.id) == ["late", "old", "z"] && !ends)
        #expect(second?.changes.compactMap(\.id) == ["late", "z"])
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
