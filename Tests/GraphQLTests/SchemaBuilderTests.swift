import Models
import SampleModels
import Testing

@testable import GraphQL

@Suite("A model schema is read from SDL")
struct SchemaBuilderTests {
    private func model(_ sdl: String, _ name: String = "A") throws -> ModelSchema {
        try #require(try Schema(sdl: sdl).model(name))
    }

    @Test func anIdAndTimestampsAreAddedWhereTheyAreMissing() throws {
        let model = try model("type A @model { b: String }")
        #expect(model.fields.map(\.name) == ["id", "b", "createdAt", "updatedAt"])
        #expect(model.fields[0] == FieldSchema("id", .scalar(.id), isRequired: true))
        #expect(model.fields[2] == FieldSchema("createdAt", .scalar(.awsDateTime), isReadOnly: true))
        #expect(model.primaryKey == ["id"])
        #expect(model.syncPolicy == .both)
        #expect(model.conflictStrategy == .automerge)
    }

    @Test func theIdComesFirstAndDeclaredTimestampsAreOrdinaryFields() throws {
        let model = try model("type A @model { createdAt: AWSDateTime! b: Int id: ID! }")
        #expect(model.fields.map(\.name) == ["id", "createdAt", "b", "updatedAt"])
        #expect(model.field("createdAt") == FieldSchema("createdAt", .scalar(.awsDateTime), isRequired: true))
    }

    @Test func timestampsCanBeRenamedOrLeftOut() throws {
        #expect(sample.model("Post")?.field("writtenAt")?.isReadOnly == true)
        #expect(sample.model("Post")?.field("createdAt") == nil)
        #expect(sample.model("Post")?.field("updatedAt") == nil)
        #expect(sample.model("Bare")?.fields.map(\.name) == ["id"])
    }

    @Test func nullabilityAndListsAreKept() throws {
        let model = try model("type A @model { a: [Int] b: [Int!] c: [Int]! d: [Int!]! e: Int! }")
        let facts = model.fields[1...5].map { [$0.isList, $0.isRequired, $0.isElementRequired] }
        #expect(
            facts == [
                [true, false, false], [true, false, true], [true, true, false], [true, true, true],
                [false, true, false],
            ])
    }

    @Test func aKeyCanBeAnyFields() throws {
        #expect(sample.model("Article")?.primaryKey == ["sku"])
        #expect(sample.model("Article")?.field("id") == nil)
        #expect(sample.model("Reading")?.primaryKey == ["site", "number", "kind"])
    }

    @Test func indexesKeepTheirNamesAndQueryFields() throws {
        #expect(
            sample.model("Article")?.indexes == [
                IndexSchema("byName", fields: ["name", "weight"], queryField: "articlesByName")
            ])
        let post = try #require(sample.model("Post"))
        #expect(post.indexes[0] == IndexSchema("postsByTitle", fields: ["title"], queryField: "postsByTitle"))
        #expect(
            post.indexes[1]
                == IndexSchema("postsByTitleAndTeam", fields: ["title", "team"], queryField: "postsByTitleAndTeam"))
    }

    @Test("D2: a relation gets an index unless one serves it")
    func aRelationGetsAnIndexUnlessOneServesIt() throws {
        let like = try #require(sample.model("Like"))
        #expect(
            like.indexes == [
                IndexSchema("likesByPost", fields: ["postID", "at"], queryField: "likesByPostIDAndAt")
            ])
        #expect(sample.model("Tag")?.indexes == [IndexSchema("byPostID", fields: ["postID"])])
        #expect(
            sample.model("Picture")?.indexes == [IndexSchema("bySiteNumberKind", fields: ["site", "number", "kind"])])
    }

    @Test func relationsNameTheFieldsThatHoldTheKey() throws {
        let post = try #require(sample.model("Post"))
        #expect(
            post.relations == [
                RelationSchema("comments", .hasMany, target: "Comment", fields: ["postCommentsId"]),
                RelationSchema("likes", .hasMany, target: "Like", fields: ["postID"]),
                RelationSchema("tags", .hasMany, target: "Tag", fields: ["postID"]),
                RelationSchema("cover", .hasOne, target: "Picture", fields: ["postCoverId"]),
                RelationSchema("frame", .hasOne, target: "Picture", fields: ["frameID"]),
            ])
        #expect(
            sample.model("Tag")?.relations == [RelationSchema("post", .belongsTo, target: "Post", fields: ["postID"])])
    }

    @Test func keysThatAmplifyAddsAreAdded() throws {
        let comment = try #require(sample.model("Comment"))
        #expect(comment.field("postCommentsId") == FieldSchema("postCommentsId", .scalar(.id), isRequired: true))
        #expect(comment.relations == [RelationSchema("post", .belongsTo, target: "Post", fields: ["postCommentsId"])])
        #expect(sample.model("Post")?.field("postCoverId") == FieldSchema("postCoverId", .scalar(.id)))
    }

    @Test func rightsAreSpreadOut() throws {
        let rules = try #require(sample.model("Post")).authRules
        let all = Set(AuthRule.Operation.allCases)
        let read = AuthRule.Operation.read
        #expect(
            rules == [
                AuthRule(allow: .owner, ownerField: "owner", operations: all),
                AuthRule(allow: .owner, ownerField: "editors", identityClaim: "sub", operations: read.union([.update])),
                AuthRule(allow: .groups, groups: ["staff", "admins"], provider: "userPools", operations: all),
                AuthRule(
                    allow: .groups, groupsField: "team", operations: [.get, .list, .sync, .listen], groupClaim: "roles"),
                AuthRule(allow: .private, operations: read),
                AuthRule(allow: .public, provider: "apiKey", operations: [.search]),
                AuthRule(allow: .custom, operations: [.delete]),
            ])
        #expect(sample.model("Post")?.field("owner") == FieldSchema("owner", .scalar(.string)))
    }

    @Test("C17: policies and strategies are read")
    func policiesAndStrategiesAreRead() {
        #expect(sample.model("Article")?.syncPolicy == .downstream)
        #expect(sample.model("Reading")?.syncPolicy == .upstream)
        #expect(sample.model("Words")?.syncPolicy == SyncPolicy.none)
        #expect(sample.model("Article")?.conflictStrategy == .optimisticConcurrency)
        #expect(sample.model("Reading")?.conflictStrategy == .lambda)
    }

    @Test func embeddedTypesAndEnumsAreCollected() throws {
        #expect(sample.enums == ["Color": ["red", "green", "class", "default", "init"]])
        #expect(Set(sample.embedded.keys) == ["Position", "Address"])
        #expect(sample.embedded["Position"]?.map(\.name) == ["latitude", "longitude"])
        let places = sample.embedded["Address"]?.first { $0.name == "places" }
        #expect(
            places
                == FieldSchema("places", .embedded("Position"), isRequired: true, isList: true, isElementRequired: true)
        )
    }

    @Test func defaultsAreKept() {
        #expect(sample.model("Everything")?.field("defaultNumber")?.defaultValue == "-7")
        #expect(sample.model("Everything")?.field("defaultText")?.defaultValue == "a \"quoted\" word")
    }

    @Test func pluralsAreTheProtocols() throws {
        let schema = try Schema(
            sdl: "type Box @model { a: Int } type Person @model { a: Int } type Series @model { a: Int }")
        #expect(schema.models.map(\.pluralName) == ["Boxes", "People", "Series"])
    }
}
