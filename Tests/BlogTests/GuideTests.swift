import Basics
import DataStore
import Models
import SyncEngine
import System
import Testing

/// What the documentation says to somebody with an app of his own, compiled and run with the public API alone.
@Suite("The guide for who moves here", .timeLimit(.minutes(5)))
struct GuideTests {
    @Test func theGuideWorks() async throws {
        let site = try await Site()
        let (url, key, path) = (site.hub.url, "blog-key", site.directory.file("phone"))
        let reported = Locked<[StoreProblem]>([])
        @Sendable func report(_ problem: StoreProblem) { reported.withLock { $0.append(problem) } }

        var published = SyncScope.all
        try published.keep(Post.self, where: Post.status == .PUBLISHED)
        let driver = try AppSyncDriver(url: url, key: key, device: "phone", person: "ann", scope: published) {
            $0.pageSize = 500
        }
        let options = StoreOptions(
            time: SystemTimeSource(), conflictHandler: { _ in .retryLocal },
            errorHandler: { problem in report(problem) })
        let store = try await DataStore(schema: modelSchema, at: .directory(path), options: options, driver: driver)

        let post = try Post(id: SystemRandom().uuid(), title: "Tea", status: .PUBLISHED)
        let tag = Tag(id: SystemRandom().uuid(), label: "drinks")
        try await store.transaction { transaction in
            try transaction.save(post)
            try transaction.save(tag)
            try transaction.save(PostTags(id: "\(post.id)-\(tag.id)", postId: post.id, tagId: tag.id))
        }
        let tags = try await store.related(post, Post.tags, through: PostTags.tag)
        let second = try await store.get(Todo.self, id: Todo.key(project: "house", number: 2))
        try await store.start()
        try await store.flush(timeout: 30_000)
        try await store.clear(.refuse)

        #expect(tags.map(\.label) == ["drinks"] && second == nil)
        #expect(reported.current.isEmpty)
        // It is fetched again.
        for try await snapshot in store.observeQuery(Post.self) where snapshot.items.map(\.id) == [post.id] { break }
        await store.close()
        await site.hub.stop()
    }

    private var root: String { "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") }

    private func squeezed(_ text: some StringProtocol) -> String { String(text.filter { !$0.isWhitespace }) }

    @Test func everyLineOfTheGuideIsRunHere() throws {
        let here = squeezed(try Files.readText(#filePath))
        let text = try Files.readText(root + "/Sources/DataStore/DataStore.docc/MovingFromAmplify.md")
        let block = try #require(text.split(separator: "```swift\n").last?.split(separator: "```").first)
        #expect(squeezed(block).count > 500)
        for part in block.split(separator: "\n\n") { #expect(here.contains(squeezed(part)), "\(part)") }
    }

    @Test func whatTheGuideTakesFromThePackageIsThere() throws {
        let text = try Files.readText(root + "/Sources/DataStore/DataStore.docc/GettingStarted.md")
        let manifest = try Files.readText(root + "/Package.swift")
        let named = text.matches(of: /\.(product|plugin)\(name: "(\w+)", package: "(\w+)"\)/)
        #expect(named.count == 3)
        for name in named {
            #expect(manifest.contains("name: \"\(name.output.3)\","))
            let kind = name.output.1 == "plugin" ? "plugin" : "library"
            #expect(manifest.contains(".\(kind)(name: \"\(name.output.2)\", targets: ["), "\(name.output.0)")
        }
    }
}
