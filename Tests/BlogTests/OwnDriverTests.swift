import Basics
import DataStore
import Models
import System
import Testing

/// A backend of somebody else's: a shelf of documents with a number for each change.
private actor Shelf {
    struct Document {
        var fields: JSONObject
        var version: Int64
        var isDeleted: Bool
        var change: Int64
    }

    private(set) var documents: [String: [String: Document]] = [:]
    private var applied: [String: Document] = [:]
    private var changes: Int64 = 0
    /// Titles that it does not take.
    private let refused: Set<String>
    /// How many requests it does not answer first.
    var silence = 0

    init(refusing refused: Set<String> = []) { self.refused = refused }

    func beSilent(_ count: Int) { silence = count }

    /// What changed after a change; all for nil.
    func changed(_ model: String, since: Int64?) -> (documents: [String: Document], now: Int64) {
        ((documents[model] ?? [:]).filter { $0.value.change > since ?? 0 }, changes)
    }

    enum Answer {
        case done(Document)
        case conflict(Document)
        case refused(String)
        case none
    }

    func apply(_ entry: OutboxEntry) -> Answer {
        // The answer of the first try is lost, not its work.
        let answer = decide(entry)
        if silence > 0 {
            silence -= 1
            return .none
        }
        return answer
    }

    private func decide(_ entry: OutboxEntry) -> Answer {
        if let known = applied[entry.mutationID] { return .done(known) }
        if let title = entry.fields["title"]?.string, refused.contains(title) {
            return .refused("\(title) is not wanted")
        }
        let old = documents[entry.model]?[entry.id]
        if let old, old.version != entry.baseVersion { return .conflict(old) }
        changes += 1
        var document = Document(
            fields: old?.fields ?? JSONObject(), version: (old?.version ?? 0) + 1, isDeleted: entry.kind == .delete,
            change: changes)
        for member in entry.fields.members { document.fields[member.key] = member.value }
        documents[entry.model, default: [:]][entry.id] = document
        applied[entry.mutationID] = document
        return .done(document)
    }
}

/// A driver that this program wrote for it.
private actor ShelfDriver: SyncDriver {
    private let shelf: Shelf
    private var port: SyncPort?

    init(_ shelf: Shelf) { self.shelf = shelf }

    func start(_ port: SyncPort) async throws { self.port = port }
    func stop() async { port = nil }
    nonisolated func outboxChanged() {}

    func sync(_ models: Set<String>?) async -> SyncResult {
        guard let port else { return .failed("it is stopped") }
        do {
            var counts = SyncCounts()
            while let batch = try await port.nextMutations(limit: 10) {
                var results: [MutationResult] = []
                for entry in batch.entries { results.append(try await send(entry)) }
                let report = try await port.settle(results)
                counts.sent += report.settled
                counts.parked += report.parked
            }
            for model in try await port.receivedModels() where models?.contains(model.name) ?? true {
                counts.received += try await fetch(model, port)
            }
            return .done(counts)
        } catch {
            return .failed("\(error)")
        }
    }

    private func send(_ entry: OutboxEntry) async throws -> MutationResult {
        let outcome: MutationResult.Outcome
        switch await shelf.apply(entry) {
        case .done(let document): outcome = .applied(try record(document, entry.model))
        case .conflict(let document): outcome = .conflict(try record(document, entry.model))
        case .refused(let reason): outcome = .refused(code: "Unwanted", message: reason)
        case .none: outcome = .transient(reason: "no answer", delay: 0)
        }
        return MutationResult(order: entry.order, outcome: outcome)
    }

    private func fetch(_ model: ModelSchema, _ port: SyncPort) async throws -> Int {
        var mark = try await port.mark(of: model.name)
        let (documents, now) = await shelf.changed(model.name, since: mark.lastSync)
        var items: [RemoteRecord] = []
        var unreadable: [UnreadableRecord] = []
        for (id, document) in documents {
            do {
                items.append(try record(document, model.name))
            } catch {
                unreadable.append(
                    UnreadableRecord(
                        model: model.name, id: id, version: document.version,
                        json: JSONValue.object(document.fields).text, reason: "\(error)"))
            }
        }
        let isFull = mark.lastSync == nil
        if isFull { mark.lastFullSync = now }
        mark.lastSync = now
        let report = try await port.applyPage(model: model.name, items: items, unreadable: unreadable, mark: mark)
        let counts = ModelCounts(
            rows: items.count, created: report.created, updated: report.updated, deleted: report.deleted)
        port.emit(.modelSynced(model: model.name, isFullSync: isFull, counts))
        return items.count
    }

    private func record(_ document: Shelf.Document, _ name: String) throws -> RemoteRecord {
        let model = try #require(modelSchema.model(name))
        return try RemoteRecord(
            document.fields, of: model, in: modelSchema, version: document.version, deleted: document.isDeleted,
            lastChangedAt: document.change)
    }
}

/// What a program needs that brings its own backend along: only what is public.
@Suite("A driver of one's own", .timeLimit(.minutes(5)))
struct OwnDriverTests {
    private func open(_ shelf: Shelf) async throws -> DataStore {
        let store = try await DataStore(
            schema: modelSchema, at: .memory, options: StoreOptions(time: SystemTimeSource()),
            driver: ShelfDriver(shelf))
        try await store.start()
        return store
    }

    @Test("takes what waits, answers it, and brings in what others changed")
    func twoDevices() async throws {
        let shelf = Shelf()
        let (phone, tablet) = (try await open(shelf), try await open(shelf))
        let post = try Post(
            id: "tea", title: "Tea", place: Location(city: "Bremen"), keywords: ["leaf"], blogPostsId: "b")
        try await phone.save(Blog(id: "b", name: "Kitchen"))
        try await phone.save(post)
        #expect(await phone.sync() == .done(SyncCounts(received: 2, sent: 2)))
        #expect(try await phone.outboxStatus().isEmpty)
        #expect(await tablet.sync() == .done(SyncCounts(received: 2)))
        #expect(try await tablet.get(Post.self, id: "tea")?.place?.city == "Bremen")
        #expect(try await tablet.syncState(of: post) == .synced(version: 1))

        // An answer that is lost doubles nothing; a change of a stale version is the backend's to decide.
        await shelf.beSilent(1)
        try await tablet.save(
            try #require(try await tablet.get(Post.self, id: "tea")).updating { $0.title = "Green tea" })
        _ = await tablet.sync()
        #expect(await shelf.documents["Post"]?["tea"]?.version == 2)
        #expect(try await tablet.outboxStatus().isEmpty)
        try await phone.save(post.updating { $0.title = "Black tea" })
        _ = await phone.sync()
        #expect(try await phone.get(Post.self, id: "tea")?.title == "Green tea")
        try await phone.delete(post)
        _ = await phone.sync()
        _ = await tablet.sync()
        #expect(try await tablet.get(Post.self, id: "tea") == nil)
        for store in [phone, tablet] { await store.close() }
    }

    @Test("has what it refuses kept, with what depends on it, until a person decides")
    func refused() async throws {
        let shelf = Shelf(refusing: ["Tea"])
        let store = try await open(shelf)
        try await store.save(try Post(id: "tea", title: "Tea"))
        try await store.save(Comment(id: "c", content: "Hot", postCommentsId: "tea"))
        #expect(await store.sync() == .done(SyncCounts(parked: 1)))
        let parked = try #require(try await store.outbox.list(state: .parked).first)
        #expect(parked.reason == "Unwanted: Tea is not wanted")
        try await store.outbox.edit(parked.order, fields: ["title": "Coffee"])
        #expect(await store.sync() == .done(SyncCounts(received: 2, sent: 2)))
        #expect(try await store.outboxStatus().isEmpty)
        await store.close()
    }
}
