import Basics
import DataStore
import Models
import SyncEngine
import System
import Testing

/// An app with an ordinary schema, as somebody writes it who moves from Amplify DataStore: nothing but the public API, a
/// real hub, real files.
@Suite("An ordinary app", .timeLimit(.minutes(5)))
struct BlogTests {
    private let blog = Blog(id: "b", name: "Kitchen")
    private let tea: Post

    init() throws {
        tea = try Post(
            id: "tea", title: "Tea", content: "Hot", place: Location(city: "Bremen"), keywords: ["leaf"],
            blogPostsId: "b")
    }

    /// A blog with two posts, two tags and three comments.
    private func fill(_ store: DataStore) async throws {
        let (blog, tea) = (blog, tea)
        try await store.transaction { tx in
            try tx.save(blog)
            try tx.save(tea)
            let milk = try Post(
                id: "milk", title: "Milk", rating: 3, status: .PUBLISHED, publishedOn: "2026-03-01", blogPostsId: "b")
            try tx.save(milk)
            for (id, label) in [("t1", "drinks"), ("t2", "white")] { try tx.save(Tag(id: id, label: label)) }
            for (post, tag) in [(tea, "t1"), (milk, "t1"), (milk, "t2")] {
                try tx.save(post.tagged(Tag(id: tag, label: "")))
            }
            for number in 1...3 {
                try tx.save(
                    Comment(id: "c\(number)", content: "\(number)", postCommentsId: number < 3 ? "tea" : "milk"))
            }
        }
    }

    @Test("written without a link on one device, it is on another with all that belongs to it; both go on from there")
    func twoDevices() async throws {
        let site = try await Site()
        let phone = try await site.device("phone")
        try await fill(phone.store)
        #expect(try await phone.store.syncState(of: tea) == .queued)
        try await phone.store.start()
        try await phone.sent()
        #expect(try await phone.store.syncState(of: tea) == .synced(version: 1))

        let tablet = try await site.device("tablet")
        try await tablet.store.start()
        try await tablet.wait(PostTags.self) { $0.count == 3 }
        try await tablet.wait(Comment.self) { $0.count == 3 }
        let post = try #require(try await tablet.store.get(Post.self, id: "tea"))
        #expect(post.content == "Hot" && post.place?.city == "Bremen" && post.keywords == ["leaf"])
        #expect(post.status == .DRAFT && post.rating == nil && post.createdAt != nil)
        #expect(try await tablet.store.related(post, Post.blog)?.name == "Kitchen")
        let tags = try await tablet.store.related(post, Post.tags, through: PostTags.tag)
        #expect(tags.map(\.label) == ["drinks"])
        let tagged = Post.tags.contains(PostTags.tag.matches(Tag.label == "white"))
        #expect(try await tablet.store.query(Post.self, where: tagged).map(\.id) == ["milk"])

        // Both change the record without a link: an optional field loses its value here, another one gets one there.
        await phone.store.stop()
        await tablet.store.stop()
        try await phone.store.save(post.updating { $0.content = nil })
        try await tablet.store.save(post.updating { $0.rating = 5 })
        try await phone.store.start()
        try await phone.sent()
        try await tablet.store.start()
        for device in [phone, tablet] {
            try await device.wait(Post.self, where: Post.rating == 5) { $0.map(\.content) == [nil] }
        }

        // A deleted blog takes along what belongs to it, everywhere; what does not stays.
        try await tablet.sent()
        try await tablet.store.delete(blog)
        try await tablet.sent()
        for device in [phone, tablet] {
            try await device.wait(Blog.self) { $0.isEmpty }
            try await device.wait(Post.self) { $0.isEmpty }
            try await device.wait(Comment.self) { $0.isEmpty }
            try await device.wait(PostTags.self) { $0.isEmpty }
            #expect(try await device.store.count(Tag.self) == 2)
            #expect(try await device.store.outboxStatus().isEmpty)
            await device.store.close()
        }
        await site.hub.stop()
    }

    @Test("keys of one's own, of one field and of two, work here and there: get, change, relate, delete")
    func ownKeys() async throws {
        let site = try await Site()
        let phone = try await site.device("phone")
        let tablet = try await site.device("tablet")
        for device in [phone, tablet] { try await device.store.start() }
        let ann = try Member(email: "ann@example.org", name: "Ann")
        try await phone.store.save(ann)
        for number in 1...3 {
            try await phone.store.save(Todo(project: "house", number: number, title: "\(number)"))
            let link = try TodoMembers(
                id: "house-\(number)-ann", todoProject: "house", todoNumber: number, memberEmail: ann.email)
            try await phone.store.save(link)
        }
        try await phone.sent()
        try await tablet.wait(TodoMembers.self) { $0.count == 3 }
        try await tablet.wait(Member.self) { $0.count == 1 }
        let second = try #require(try await tablet.store.get(Todo.self, id: Todo.key(project: "house", number: 2)))
        try await tablet.store.save(
            second.updating {
                $0.isDone = true
                $0.due = DateTime(milliseconds: 1_900_000_000_000)
            })
        try await tablet.sent()
        try await phone.wait(Todo.self, where: Todo.isDone == true) { $0.map(\.number) == [2] }
        let open = try await phone.store.related(
            ann, Member.todos, through: TodoMembers.todo, where: Todo.isDone == false, sort: [.descending(Todo.number)])
        #expect(open.map(\.number) == [3, 1])
        try await phone.store.delete(ann)
        try await phone.sent()
        try await tablet.wait(TodoMembers.self) { $0.isEmpty }
        #expect(try await tablet.store.get(Member.self, id: "ann@example.org") == nil)
        #expect(try await tablet.store.count(Todo.self) == 3)
        for device in [phone, tablet] { await device.store.close() }
        await site.hub.stop()
    }

    @Test("a field that is called id may be one of several in a key: the record's id is the whole key's text")
    func idWithinKey() async throws {
        let site = try await Site()
        let phone = try await site.device("phone")
        let tablet = try await site.device("tablet")
        for device in [phone, tablet] { try await device.store.start() }
        let first = Page(idField: "p", title: "One", text: "a")
        let second = Page(idField: "p", title: "Two")
        #expect(first.id == "p#One" && Page.key(idField: "p", title: "Two") == second.id)
        for page in [first, second] { try await phone.store.save(page) }
        try await phone.store.save(Note(idField: "n", content: "!", pageNotesId: "p", pageNotesTitle: "Two"))
        try await phone.sent()
        try await tablet.wait(Note.self) { $0.count == 1 }
        try await tablet.wait(Page.self, where: Page.idField == "p") {
            $0.map(\.title).sorted() == ["One", "Two"] && $0.map(\.idField) == ["p", "p"]
        }
        #expect(try await tablet.store.related(second, Page.notes).map(\.idField) == ["n"])
        try await tablet.store.save(first.updating { $0.text = "b" })
        try await tablet.store.delete(second)
        try await tablet.sent()
        try await phone.wait(Page.self) { $0.map(\.id) == ["p#One"] && $0.map(\.text) == ["b"] }
        try await phone.wait(Note.self) { $0.isEmpty }
        for device in [phone, tablet] { await device.store.close() }
        await site.hub.stop()
    }

    @Test("a change that the backend refuses is told and kept, and the person takes it back or sends it again")
    func refused() async throws {
        let site = try await Site()
        let problems = Locked<[StoreProblem]>([])
        let phone = try await site.device("phone") {
            $0.errorHandler = { problem in problems.withLock { $0.append(problem) } }
        }
        let tablet = try await site.device("tablet")
        try await phone.store.start()
        try await phone.store.save(blog)
        try await phone.store.save(tea)
        try await phone.sent()
        try await tablet.store.start()
        try await tablet.wait(Post.self) { $0.count == 1 }
        await phone.store.stop()
        // Here it is a draft still; there it is not any more.
        try await phone.store.save(tea.updating { $0.title = "Green tea" }, where: Post.status == .DRAFT)
        try await tablet.store.save(tea.updating { $0.status = .PUBLISHED })
        try await tablet.sent()
        let events = phone.store.events
        try await phone.store.start()
        for await case .parked in events { break }
        let parked = try #require(try await phone.store.outbox.list(state: .parked).first)
        #expect(parked.fields == ["title": "Green tea"])
        #expect(try await phone.store.syncState(of: tea) == .parked(reason: parked.reason ?? ""))
        #expect(problems.current.contains { $0.model == "Post" && $0.id == "tea" && $0.operation == .update })
        try await phone.wait(Post.self, where: Post.status == .PUBLISHED) { $0.map(\.title) == ["Green tea"] }

        try await phone.store.outbox.retry(parked.order)
        for await case .parked in events { break }
        try await phone.store.outbox.revert(parked.order)
        let now = try #require(try await phone.store.get(Post.self, id: "tea"))
        #expect(now.title == "Tea" && now.status == .PUBLISHED)
        #expect(try await phone.store.outboxStatus().isEmpty)
        for device in [phone, tablet] { await device.store.close() }
        await site.hub.stop()
    }

    @Test("of two changes of one field the first stands, and who made the second is told")
    func overruled() async throws {
        let site = try await Site()
        let phone = try await site.device("phone")
        let tablet = try await site.device("tablet")
        for device in [phone, tablet] { try await device.store.start() }
        try await phone.store.save(blog)
        try await phone.sent()
        try await tablet.wait(Blog.self) { $0.count == 1 }
        let told = tablet.store.events
        await tablet.store.stop()
        try await phone.store.save(blog.updating { $0.name = "Cellar" })
        try await phone.sent()
        try await tablet.store.save(blog.updating { $0.name = "Attic" })
        try await tablet.store.start()
        for await case .conflict(let model, let id, let fields) in told {
            #expect(model == "Blog" && id == "b" && fields == ["name"])
            break
        }
        try await tablet.wait(Blog.self) { $0.map(\.name) == ["Cellar"] }
        for device in [phone, tablet] { await device.store.close() }
        await site.hub.stop()
    }

    @Test("only what is chosen is kept on a device, what else is made there is sent, and the choice may change")
    func chosen() async throws {
        let site = try await Site()
        let phone = try await site.device("phone")
        try await phone.store.start()
        try await fill(phone.store)
        try await phone.sent()
        var scope = SyncScope.all
        try scope.keep(Post.self, where: Post.status == .PUBLISHED)
        let tablet = try await site.device("tablet", scope: scope)
        try await tablet.store.start()
        try await tablet.wait(Post.self) { $0.map(\.id) == ["milk"] }
        try await tablet.store.save(Post(id: "rum", title: "Rum"))
        try await tablet.sent()
        try await phone.wait(Post.self, where: Post.title == "Rum") { $0.count == 1 }
        try await tablet.wait(Post.self) { $0.map(\.id) == ["milk"] }
        tablet.driver.setScope(.all)
        try await tablet.wait(Post.self) { Set($0.map(\.id)) == ["milk", "rum", "tea"] }
        for device in [phone, tablet] { await device.store.close() }
        await site.hub.stop()
    }

    @Test("without a backend it is a database: asked by condition, order, page, group and relation, and seen live")
    func localOnly() async throws {
        let directory = try TempDirectory("blog")
        let store = try await DataStore(
            schema: modelSchema, at: .directory(directory.file("store")),
            options: StoreOptions(time: SystemTimeSource()))
        try await fill(store)
        let rated = try await store.query(Post.self, where: Post.rating.exists())
        #expect(rated.map(\.id) == ["milk"])
        let dated = Post.publishedOn.between("2026-01-01", "2026-12-31") || Post.content.containsIgnoringCase("HOT")
        let found = try await store.query(Post.self, where: dated, sort: [.descending(Post.title)], page: .first(1))
        #expect(found.map(\.id) == ["tea"])
        let groups = try await store.groups(Post.self, by: [.by(Post.status)])
        #expect(groups.map { $0.key(Post.status) } == [.DRAFT, .PUBLISHED])
        let comments = try await store.related(tea, Post.comments, sort: [.descending(Comment.content)])
        #expect(comments.map(\.id) == ["c2", "c1"])

        var live = store.observeQuery(Post.self, where: Post.status == .DRAFT).makeAsyncIterator()
        #expect(try await live.next()?.items.map(\.id) == ["tea"])
        try await store.save(tea.updating { $0.status = .PUBLISHED })
        #expect(try await live.next()?.changes == [.deleted(id: "tea", isLocal: true)])

        // A date that is none is refused when the record is made, and a child without its parent when it is saved.
        #expect(throws: InvalidValue.self) { try Post(id: "x", title: "", publishedOn: "tomorrow") }
        await #expect(throws: StoreError.self) {
            try await store.save(Comment(id: "x", content: "", postCommentsId: "nowhere"))
        }
        await #expect(throws: StoreError.conditionFailed(model: "Post", id: "tea")) {
            try await store.delete(self.tea, where: Post.rating > 4)
        }
        await #expect(throws: StoreError.self) { try await store.clear(.refuse) }
        await store.close()
        let again = try await DataStore(
            schema: modelSchema, at: .directory(directory.file("store")),
            options: StoreOptions(time: SystemTimeSource()))
        #expect(try await again.count(Post.self) == 2)
        try await again.clear(.discard)
        #expect(try await again.count(Post.self) == 0)
        await again.close()
    }
}
