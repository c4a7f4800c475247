import Basics
import ModelTables
import Models
import SQLite
import SampleModels
import Testing

@testable import DataStore

/// A store of the sample's models: every kind of key and relation that the language has.
func sampleCore(_ change: (inout StoreOptions) -> Void = { _ in }) throws -> StoreCore {
    try StoreCore(schema: modelSchema, at: .memory, options: testOptions(change))
}

@Suite("Relations")
struct RelationTests {
    private func reading(_ number: Int) -> Reading { Reading(site: "s", number: number, kind: .red) }

    /// Two posts with three comments, a tag and a picture of a reading.
    private func filled() throws -> StoreCore {
        let core = try sampleCore()
        try core.write(as: nil) { tx in
            try tx.save(self.reading(1))
            try tx.save(Picture(id: "pic", url: "https://a.b/c", site: "s", number: 1, kind: .red))
            try tx.save(Post(id: "p1", title: "tea", frameID: "pic"))
            try tx.save(Post(id: "p2", title: "milk"))
            for number in 1...3 {
                try tx.save(Comment(id: "c\(number)", text: "\(number)", postCommentsId: number < 3 ? "p1" : "p2"))
            }
            try tx.save(Tag(id: "t", name: "hot", postID: "p1"))
        }
        return core
    }

    @Test("D28 D29: to-one relations load after a save, by every kind of key, and are nil where nothing matches")
    func toOne() throws {
        let core = try filled()
        try core.read { tx in
            let comment = try #require(try tx.get(Comment.self, id: "c1"))
            #expect(try tx.related(comment, Comment.post)?.title == "tea")
            let picture = try #require(try tx.get(Picture.self, id: "pic"))
            #expect(try tx.related(picture, Picture.reading)?.id == "s#1#red")
            let post = try #require(try tx.get(Post.self, id: "p1"))
            #expect(try tx.related(post, Post.frame)?.id == "pic")
            #expect(try tx.related(post, Post.cover) == nil)
            #expect(try tx.related(Tag(id: "x", name: "lost", postID: "gone"), Tag.post) == nil)
            #expect(try tx.related(comment.record, toOne: "post")?["title"] == .text("tea"))
        }
    }

    @Test("D28 D96: to-many relations load sorted, filtered and paged, and are empty where nothing matches")
    func toMany() throws {
        try filled().read { tx in
            let post = try #require(try tx.get(Post.self, id: "p1"))
            let all = try tx.related(post, Post.comments, sort: [.descending(Comment.text)])
            #expect(all.map(\.id) == ["c2", "c1"])
            #expect(try tx.related(post, Post.comments, where: Comment.text == "1").map(\.id) == ["c1"])
            #expect(try tx.related(post, Post.comments, page: .first(1)).count == 1)
            #expect(try tx.related(post, Post.likes).isEmpty)
            #expect(try tx.related(post.record, toMany: "tags").map(\.id) == ["t"])
        }
    }

    @Test("D28: nothing is loaded that was not asked for, and many records' relations cost one query")
    func noAimlessLoad() throws {
        let core = try filled()
        let one = try core.connection.recordingStatements { _ = try core.read { try $0.get(Comment.self, id: "c1") } }
        #expect(one.filter { $0.contains("SELECT") }.count == 1)
        let posts = try core.read { try $0.query(Post.self, sort: [.ascending(Post.title)]) }
        let comments = try core.read { try $0.query(Comment.self) }
        let statements = try core.connection.recordingStatements {
            try core.read { tx in
                let children = try tx.related(posts, Post.comments, sort: [.ascending(Comment.text)])
                #expect(children.mapValues { $0.map(\.id) } == ["p1": ["c1", "c2"], "p2": ["c3"]])
                let parents = try tx.related(comments, Comment.post)
                #expect(parents.mapValues(\.title) == ["c1": "tea", "c2": "tea", "c3": "milk"])
            }
        }
        #expect(statements.filter { $0.contains("SELECT") }.count == 2)
    }

    @Test("D27 D28: a many-to-many joins 3 by 3, loads from both sides and goes with either side, join records first")
    func manyToMany() throws {
        let core = try sampleCore()
        try core.write(as: nil) { tx in
            for number in 1...3 {
                try tx.save(Book(id: "b\(number)", title: "\(number)"))
                try tx.save(Author(country: "de", number: number, name: "n\(number)"))
            }
            for book in 1...3 {
                for author in 1...3 where book != 3 || author == 1 {
                    try tx.save(
                        BookAuthors(
                            id: "\(book)-\(author)", bookId: "b\(book)", authorCountry: "de", authorNumber: author))
                }
            }
        }
        try core.read { tx in
            let book = try #require(try tx.get(Book.self, id: "b1"))
            let authors = try tx.related(
                book, Book.authors, through: BookAuthors.author, sort: [.descending(Author.number)])
            #expect(authors.map(\.name) == ["n3", "n2", "n1"])
            let author = try #require(try tx.get(Author.self, id: Author.key(country: "de", number: 2)))
            let books = try tx.related(author, Author.books, through: BookAuthors.book, where: Book.title != "1")
            #expect(books.map(\.id) == ["b2"])
            let both = Book.authors.contains(BookAuthors.author.matches(Author.name == "n2"))
            #expect(try tx.query(Book.self, where: both, sort: [.ascending(Book.title)]).map(\.id) == ["b1", "b2"])
        }
        try core.sendAll()
        try core.write(as: nil) { try $0.delete(Book(id: "b1", title: "1")) }
        #expect(try core.outbox().map(\.model) == ["BookAuthors", "BookAuthors", "BookAuthors", "Book"])
        #expect(try core.read { try $0.count(BookAuthors.self) } == 4)
        try core.write(as: nil) { _ = try $0.delete(Author.self, id: Author.key(country: "de", number: 1)) }
        #expect(try core.read { try $0.count(BookAuthors.self) } == 2)
        #expect(try core.read { try $0.count(Book.self) } == 2)
    }

    @Test("D27 D30: a child without its parent is refused by every kind of key; an optional parent may be nothing")
    func parents() throws {
        let core = try sampleCore { $0.policies = ["Reading": .both] }
        #expect(throws: StoreError.self) { try core.save(Comment(id: "c", text: "", postCommentsId: "no")) }
        let orphan = try Picture(id: "x", url: "https://a.b/c", site: "s", number: 9, kind: .red)
        #expect(
            throws: StoreError.missingParent(
                model: "Picture", id: "x", field: "site", parent: "Reading", parentID: "s#9#red")
        ) { try core.save(orphan) }
        try core.save(Picture(id: "y", url: "https://a.b/c"), Tag(id: "t", name: "free"))
        #expect(try core.read { try $0.count(Picture.self) } == 1)
    }

    @Test(
        "D27: what came before its parent may be changed, and must name a parent that is here only where it names another"
    )
    func changedOrphan() throws {
        let core = try memoryCore()
        let bin = Bin(id: "b", zoneID: "elsewhere", note: "a")
        try core.applyRemote([remote(bin, 1)])
        try core.save(bin.with { $0.note = "mine" })
        #expect(try core.outbox().map(\.fields) == [["note": "mine"]])
        let missing = StoreError.missingParent(
            model: "Bin", id: "b", field: "zoneID", parent: "Zone", parentID: "nowhere")
        #expect(throws: missing) { try core.save(bin.with { $0.zoneID = "nowhere" }) }
        #expect(throws: StoreError.self) { try core.save(Bin(id: "new", zoneID: "elsewhere")) }
        try core.save(Zone(id: "z"), bin.with { $0.zoneID = "z" })
        #expect(try core.bin("b")?.zoneID == "z")
    }

    @Test("D27: a parent whose model is only sent was perhaps made elsewhere: it is not looked for here")
    func sentParents() throws {
        let core = try memoryCore { $0.policies = ["Zone": .upstream] }
        try core.save(Bin(id: "b", zoneID: "elsewhere"))
        #expect(try core.outbox().map(\.id) == ["b"])
    }

    @Test("D28: parents whose keys differ in their Unicode form only are two to who asks for many at once")
    func unicodeParents() throws {
        let core = try memoryCore()
        let keys = ["caf\u{E9}", "cafe\u{301}"]
        try core.save(Zone(id: keys[0], code: "0"), Zone(id: keys[1], code: "1"))
        try core.save(Bin(id: "b0", zoneID: keys[0]), Bin(id: "b1", zoneID: keys[1]))
        let zones = try core.read { tx in
            try tx.related(try tx.query(Bin.self), ToOne<Bin, Zone>("zone")).mapValues(\.code)
        }
        #expect(zones == ["b0": "0", "b1": "1"])
        // Nor does the one make the other be here.
        try core.write(as: nil) { _ = try $0.delete(Zone.self, id: keys[0]) }
        try core.save(Bin(id: "b2", zoneID: keys[1]))
        #expect(throws: StoreError.self) { try core.save(Bin(id: "b3", zoneID: keys[0])) }
    }

    @Test("D29: a child moves to another parent, and loses its parent by having nothing in the key")
    func moving() throws {
        let core = try filled()
        try core.write(as: nil) { tx in
            let tag = try #require(try tx.get(Tag.self, id: "t"))
            try tx.save(tag.updating { $0.postID = "p2" })
            let second = try #require(try tx.get(Post.self, id: "p2"))
            #expect(try tx.related(second, Post.tags).map(\.id) == ["t"])
            try tx.save(tag.updating { $0.postID = nil })
            #expect(try tx.related(second, Post.tags).isEmpty)
            #expect(try tx.get(Tag.self, id: "t") != nil)
        }
    }

    @Test("D20 D31: a removed connection travels as an explicit null")
    func removed() throws {
        let core = try filled()
        try core.sendAll()
        try core.write(as: nil) { tx in
            let tag = try #require(try tx.get(Tag.self, id: "t"))
            try tx.save(tag.updating { $0.postID = nil })
        }
        #expect(try core.outbox().first?.fieldsJSON == #"{"postID":null}"#)
    }

    @Test("D25 D26: a delete takes children at every depth, children first; what only it names goes too, parents stay")
    func cascade() throws {
        let core = try filled()
        try core.sendAll()
        try core.write(as: nil) { try $0.delete(Post(id: "p1", title: "tea")) }
        let order = try core.outbox().map { "\($0.model) \($0.id)" }
        #expect(order == ["Comment c1", "Comment c2", "Tag t", "Picture pic", "Post p1"])
        #expect(try core.read { try $0.count(Reading.self) } == 1, "a picture's delete does not go up to its reading")
        try core.write(as: nil) { try $0.delete(Comment.self, id: "c3") }
        #expect(try core.read { try $0.get(Post.self, id: "p2") } != nil)
    }

    @Test("D25: a delete with a condition on what belongs to the record deletes only where it holds")
    func conditionalCascade() throws {
        let core = try filled()
        let post = Post(id: "p1", title: "tea")
        #expect(throws: StoreError.conditionFailed(model: "Post", id: "p1")) {
            try core.write(as: nil) { try $0.delete(post, where: Post.comments.contains(Comment.text == "9")) }
        }
        #expect(try core.read { try $0.count(Comment.self) } == 3)
        let none = try core.write(as: nil) { try $0.delete(Post.self, where: Post.title == "beer") }
        #expect(none == 0)
        let gone = try core.write(as: nil) {
            try $0.delete(Post.self, where: Post.comments.contains(Comment.text == "3"))
        }
        #expect(gone == 1)
        #expect(try core.read { try $0.count(Comment.self) } == 2)
    }

    @Test("D27: thousands of children go with their parent in one transaction")
    func thousands() throws {
        let core = try sampleCore()
        try core.write(as: nil) { tx in
            try tx.save(Post(id: "p", title: "t"))
            for number in 0..<5000 { try tx.save(Comment(id: "\(number)", text: "", postCommentsId: "p")) }
        }
        try core.write(as: nil) { _ = try $0.delete(Post.self, id: "p") }
        #expect(try core.read { try $0.count(Comment.self) } == 0)
        #expect(core.outboxStatus.isEmpty, "none of it was ever sent")
    }

    @Test("D21 D71 C21: rows pulled before their parents are kept and counted, by composite keys too")
    func orphans() throws {
        let core = try sampleCore()
        try core.applyRemote([
            remote(Picture(id: "x", url: "https://a.b/c", site: "s", number: 9, kind: .red), 1),
            remote(Picture(id: "y", url: "https://a.b/c"), 1),
        ])
        #expect(try core.read { try $0.orphanCount(model: "Picture") } == 1)
        try core.applyRemote([remote(reading(9), 1)])
        #expect(try core.read { try $0.orphanCount(model: "Picture") } == 0)
    }

    @Test("D3 D32: predicates follow relations both ways, several deep, and their opposites")
    func predicates() throws {
        let core = try filled()
        func check(_ condition: Predicate<Post>, _ ids: [String]) throws {
            let found = try core.read { try $0.query(Post.self, where: condition, sort: [.ascending(Post.title)]) }
            #expect(found.map(\.id) == ids, "\(condition.node)")
        }
        try check(Post.comments.contains(Comment.text == "3"), ["p2"])
        try check(!Post.comments.contains(Comment.text == "3"), ["p1"])
        try check(Post.comments.contains(), ["p2", "p1"])
        try check(Post.tags.contains() && Post.title == "tea", ["p1"])
        try check(Post.comments.allSatisfy(Comment.text > "2"), ["p2"])
        try check(Post.likes.allSatisfy(Like.at > DateTime(milliseconds: 0)), ["p2", "p1"])
        try check(Post.frame.matches(Picture.reading.matches(Reading.number == 1)), ["p1"])
        try check(Post.comments.contains(Comment.post.matches(Post.tags.contains())), ["p1"])
        let count = try core.read { try $0.count(Comment.self, where: Comment.post.matches(Post.title == "tea")) }
        #expect(count == 2)
        #expect(throws: StoreError.self) { try check(Predicate(.related("nothing", .all)), []) }
    }

    @Test("D14: predicates on related records use the relations' indexes")
    func plans() throws {
        let core = try filled()
        let table = try core.context.table("Post").table
        let select = try table.select(
            RowQuery(filter: (Post.comments.contains(Comment.text == "3") && Post.frame.matches()).node))
        let steps = try plan(core.connection, select.sql, select.bindings)
        #expect(steps.contains("ix.Comment.postCommentsId"), "\(steps)")
        #expect(steps.contains("SEARCH _1 USING"), "\(steps)")
        #expect(!steps.contains("SCAN _1"), "\(steps)")
    }

    @Test("D1: words of SQL are ordinary names of models, fields and relations")
    func reservedWords() throws {
        let core = try sampleCore()
        try core.save(
            Order(id: "1", group: "g", select: 3, where: ["a", "b"]), Order(id: "2", group: "g", where: [], table: "1"))
        let wanted = Order.where.contains("b") && Order.select > 2
        #expect(try core.read { try $0.query(Order.self, where: wanted) }.map(\.id) == ["1"])
        let from = Order.from.matches(Order.where.contains("a"))
        #expect(try core.read { try $0.query(Order.self, where: from) }.map(\.id) == ["2"])
        let groups = try core.read { try $0.groups(Order.self, by: [.by(Order.group)], [.sum(Order.select)]) }
        #expect(groups.first?.count == 2 && groups.first?.sum(Order.select) == 3)
        try core.write(as: nil) { try $0.delete(Order(id: "1", group: "g", where: [])) }
        #expect(try core.read { try $0.count(Order.self) } == 1, "nothing says that orders own each other")
    }
}
