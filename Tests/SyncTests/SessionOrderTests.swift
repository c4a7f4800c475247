import DataStore
import Models
import Testing

@testable import SyncEngine

/// In which order the changes of one request go.
@Suite("A request's changes")
struct SessionOrderTests {
    private static let post = ModelSchema(
        "Post", pluralName: "Posts", fields: [FieldSchema("id", .scalar(.id), isRequired: true)],
        relations: [RelationSchema("comments", .hasMany, target: "Comment", fields: ["postID"])])
    private static let comment = ModelSchema(
        "Comment", pluralName: "Comments",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("postID", .scalar(.id)),
        ], indexes: [IndexSchema("byPost", fields: ["postID"])],
        relations: [RelationSchema("post", .belongsTo, target: "Post", fields: ["postID"])])

    @Test("make parents before their children, and delete them after those")
    func order() throws {
        let fixture = try SessionFixture(schema: Schema(models: [Self.post, Self.comment]))
        let old = [
            Record(schema: Self.post, values: [.text("old")]),
            Record(schema: Self.comment, values: [.text("a"), .text("old")]),
            Record(schema: Self.comment, values: [.text("b"), .text("old")]),
        ]
        try fixture.core.applyRemote(old.map { RemoteRecord(record: $0, version: 1, lastChangedAt: 1) })
        fixture.connect()
        try fixture.core.write(as: "ann") { transaction in
            _ = try transaction.delete(model: "Post", id: "old")
            try transaction.save(Record(schema: Self.post, values: [.text("new")]))
            try transaction.save(Record(schema: Self.comment, values: [.text("c"), .text("new")]))
        }
        fixture.finishFetches(announcing: ["mutationIds": true, "batch": 100, "needs": true])
        fixture.handle(.localCommit)
        let sent = try #require(fixture.takeSent().first { $0.query.hasPrefix("mutation") })
        let order = sent.query.split(separator: " ").compactMap { word in
            ["createPost", "createComment", "deleteComment", "deletePost"].first { word.hasPrefix($0 + "(") }
        }
        #expect(order == ["createPost", "createComment", "deleteComment", "deleteComment", "deletePost"])
    }
}
