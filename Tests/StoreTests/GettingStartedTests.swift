import Basics
import Models
import SampleModels
import System
import Testing

@testable import DataStore

private typealias Comment = SampleModels.Comment
private typealias Tag = SampleModels.Tag

/// The code of the documentation's guides, compiled and run.
@Suite("Getting started")
struct GettingStartedTests {
    @Test func theGuideWorks() async throws {
        let directory = try TempDirectory()
        let path = directory.path + "/store"
        let driver = PerfectSampleDriver()
        let shown = Locked<[Int]>([])
        let reported = Locked<[OutboxEntry]>([])
        @Sendable func show(_ items: OrderedItems<Comment>, isComplete: Bool) {
            shown.withLock { $0.append(items.count) }
        }
        @Sendable func report(_ entry: OutboxEntry) { reported.withLock { $0.append(entry) } }

        let options = StoreOptions(time: SystemTimeSource())
        let store = try await DataStore(schema: modelSchema, at: .directory(path), options: options)

        let post = Post(id: "tea", title: "Tea", team: "kitchen")
        try await store.save(post)
        try await store.save(post.updating { $0.title = "Green tea" })

        try await store.transaction { transaction in
            try transaction.save(Comment(id: "1", text: "Hot", postCommentsId: "tea"))
            try transaction.save(Comment(id: "2", text: "Too hot", postCommentsId: "tea"))
        }

        let hot = try await store.query(
            Comment.self, where: Comment.text.containsIgnoringCase("hot"), sort: [.ascending(Comment.text)],
            page: .first(50))
        let comments = try await store.count(Comment.self, where: Comment.postCommentsId == "tea")
        #expect(hot.map(\.id) == ["1", "2"] && comments == 2)

        let parent = try await store.related(hot[0], Comment.post)
        let discussed = try await store.query(Post.self, where: Post.comments.contains(Comment.text == "Too hot"))
        #expect(parent?.title == "Green tea" && discussed.map(\.id) == ["tea"])

        for try await snapshot in store.observeQuery(Comment.self, sort: [.ascending(Comment.text)], page: .first(20)) {
            show(snapshot.items, isComplete: snapshot.isSynced)
            if snapshot.items.count == 2 { break }
        }
        #expect(shown.current.last == 2)

        let shared = try await DataStore(schema: modelSchema, in: MemoryStorage(), options: options, driver: driver)
        shared.identity = "ann"
        try await shared.save(post)
        try await shared.start()
        let waiting = try await shared.outboxStatus()
        #expect(waiting.parked == 0)

        for entry in try await shared.outbox.list() { report(entry) }
        print(try await shared.explain(Post.self, id: "tea"))
        #expect(reported.current.allSatisfy { $0.identity == "ann" })

        await shared.stop()
        await shared.close()
        try await store.clear(.export(to: path + "/unsent.jsonl"))
        await store.close()
        #expect(try Files.readText(path + "/unsent.jsonl").split(separator: "\n").count == 3)
    }

    /// The schema before and after the guide's steps.
    private func guideSchema(_ isNew: Bool) -> Schema {
        let id = FieldSchema("id", .scalar(.id), isRequired: true)
        let tag = ModelSchema(
            "Tag", pluralName: "Tags",
            fields: [
                id, FieldSchema(isNew ? "label" : "name", .scalar(.string), isRequired: true),
                FieldSchema("weight", .scalar(isNew ? .string : .int)), FieldSchema("color", .enumeration("Color")),
            ])
        let person = ModelSchema(
            "Person", pluralName: "People", fields: [id, FieldSchema(isNew ? "initial" : "name", .scalar(.string))])
        return Schema(models: [tag, person], enums: ["Color": [isNew ? "crimson" : "red", "blue"]])
    }

    @Test func theSchemaGuidesStepsDoWhatItSays() throws {
        let directories = [try TempDirectory(), try TempDirectory()]
        let (old, new) = (guideSchema(false), guideSchema(true))
        for directory in directories {
            let before = try StoreCore(schema: old, at: .directory(directory.path), options: testOptions())
            try before.write(as: "ann") { tx in
                try tx.save(
                    Record(schema: old.models[0], values: [.text("t"), .text("hot"), .integer(5), .text("red")]))
                try tx.save(Record(schema: old.models[1], values: [.text("p"), .text("Ann")]))
            }
            before.close()
        }
        var options = testOptions { $0.random = SeededRandom(seed: 2) }
        options.migrations = [
            SchemaVersion(1, [.renameField("Tag", "name", to: "label"), .renameCase("Color", "red", to: "crimson")]),
            SchemaVersion(
                2,
                [
                    .convert("Tag", "weight") { grams in .string("\(grams.text) g") },
                    .removeField("Person", "name"),
                    .rewrite("Person") { person in
                        if let name = person["name"]?.string { person["initial"] = .string(String(name.prefix(1))) }
                    },
                ]),
        ]
        let store = try StoreCore(schema: new, at: .directory(directories[0].path), options: options)
        let tag = try #require(try store.read { try $0.get(model: "Tag", id: "t") })
        #expect(tag.values == [.text("t"), .text("hot"), .text("5 g"), .text("crimson")])
        #expect(try store.read { try $0.get(model: "Person", id: "p") }?["initial"] == .text("A"))
        // What waits to be sent says the same.
        let waiting = try store.outbox().map(\.fields)
        #expect(waiting[0] == ["id": "t", "label": "hot", "weight": "5 g", "color": "crimson"])
        #expect(waiting[1] == ["id": "p", "initial": "A"])
        // Without the steps it is refused, and stays as it is.
        let error = #expect(throws: StoreError.self) {
            try StoreCore(schema: new, at: .directory(directories[1].path), options: testOptions())
        }
        #expect(error?.description.contains("Tag") == true)
        let kept = try StoreCore(schema: old, at: .directory(directories[1].path), options: testOptions())
        #expect(try kept.outbox().count == 2)
    }

    /// Line breaks aside, so that both may be formatted.
    private func squeezed(_ text: some StringProtocol) -> String { String(text.filter { !$0.isWhitespace }) }

    @Test(arguments: ["GettingStarted", "ChangingTheSchema"])
    func everyLineOfTheGuideIsRunHere(_ guide: String) throws {
        let here = squeezed(try Files.readText(#filePath))
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try Files.readText("/\(root)/Sources/DataStore/DataStore.docc/\(guide).md")
        let blocks = text.split(separator: "```swift\n").dropFirst().map { $0.split(separator: "```")[0] }
        #expect(!blocks.isEmpty)
        for block in blocks { #expect(here.contains(squeezed(block)), "\(block)") }
    }

    @Test func everyGuaranteeNamesATestThatExists() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let page = try Files.readText(root + "/Sources/DataStore/DataStore.docc/Guarantees.md")
        try checkTests(in: page, root: root)
    }
}

/// Sends everything that waits at once; a backend that takes it as it is.
private final class PerfectSampleDriver: SyncDriver {
    private let port = Locked<SyncPort?>(nil)

    func start(_ port: SyncPort) async throws {
        self.port.withLock { $0 = port }
        outboxChanged()
    }
    func stop() async { port.withLock { $0 = nil } }
    func outboxChanged() { port.current?.enqueue { core in _ = try? core.sendAll() } }
}
