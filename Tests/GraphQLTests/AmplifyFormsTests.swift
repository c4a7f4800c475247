import Models
import Testing

@testable import GraphQL
@testable import ModelGenerator

/// Forms of Amplify's directives that its newer tools write, as its directive definitions have them
/// (`appsync-protocol.md` §1.8).
@Suite("Forms of Amplify's directives are read as Amplify reads them")
struct AmplifyFormsTests {
    private func remarks(_ sdl: String) -> [String] { Schema.remarks(sdl: sdl).map(\.description) }

    // MARK: input AMPLIFY

    private let sandbox = """
        input AMPLIFY { globalAuthRule: AuthRule = { allow: public } } # FOR TESTING ONLY!
        type Blog @model { name: String secret: Int @auth(rules: [{ allow: owner }]) }
        type Post @model @auth(rules: [{ allow: private }]) { title: String }
        """

    @Test func theGlobalRuleOpensEachModelThatHasNoRulesOfItsOwn() throws {
        let schema = try Schema(sdl: sandbox)
        #expect(
            schema.model("Blog")?.authRules
                == [AuthRule(allow: .public, operations: Set(AuthRule.Operation.allCases))])
        #expect(schema.model("Blog")?.authRules[0].authProvider == .apiKey)
        #expect(schema.model("Blog")?.field("secret")?.authRules.map(\.allow) == [.owner])
        #expect(schema.model("Post")?.authRules.map(\.allow) == [.private])
        #expect(schema.models.map(\.name) == ["Blog", "Post"])
    }

    @Test func theGlobalRuleIsRemarkedOnAsLongAsItOpensSomething() {
        let found = Schema.remarks(sdl: sandbox)
        #expect(found.map(\.line) == [1])
        #expect(found.map(\.column) == [17])
        #expect(found.first?.message.contains("lets every API key read, change and delete all of Blog;") == true)
        #expect(
            remarks(
                """
                input AMPLIFY { globalAuthRule: AuthRule = { allow: public } }
                type Post @model @auth(rules: [{ allow: private }]) { title: String }
                """) == [])
        #expect(remarks("type A @model { b: Nope }") == [])
    }

    @Test(arguments: [
        "{ globalAuthRule: AuthRule = { allow: public, provider: apiKey } }",
        "{ global_auth_rule: AuthRule = { allow: public } }",
    ])
    func theGlobalRuleHasTheseFormsToo(_ text: String) throws {
        #expect(try Schema(sdl: "input AMPLIFY \(text) type A @model { b: Int }").model("A")?.authRules.count == 1)
    }

    // MARK: Relations

    private let projects = """
        type Project @model { name: String team: Team @hasOne(references: ["projectID"]) }
        type Team @model {
          mantra: String
          projectID: ID
          project: Project @belongsTo(references: ["projectID"], overrideIndexName: "gsi-Project.team")
        }
        """

    @Test func aHasOneMayNameTheOtherModelsKey() throws {
        let schema = try Schema(sdl: projects)
        let team = RelationSchema("team", .hasOne, target: "Team", fields: ["projectID"], isKeyInTarget: true)
        #expect(schema.model("Project")?.relations == [team])
        #expect(schema.model("Project")?.fields.map(\.name) == ["id", "name", "createdAt", "updatedAt"])
        #expect(
            schema.model("Team")?.relations
                == [RelationSchema("project", .belongsTo, target: "Project", fields: ["projectID"])])
        #expect(schema.model("Team")?.indexes == [IndexSchema("byProjectID", fields: ["projectID"])])
        let (own, other) = (try #require(schema.model("Project")), try #require(schema.model("Team")))
        #expect(team.pairs(from: own, to: other).map { "\($0.own)=\($0.target)" } == ["id=projectID"])
    }

    @Test func aBelongsToWithoutNamesSharesTheKeyOfAHasOne() throws {
        let schema = try Schema(
            sdl: projects.replacing("(references: [\"projectID\"], overrideIndexName: \"gsi-Project.team\")", with: ""))
        #expect(schema.model("Team")?.relations[0].fields == ["projectID"])
        #expect(schema.model("Team")?.fields.count == 5)
    }

    @Test func theGeneratedSchemaSaysWhoHoldsAKeyAndHowLongAPageIs() throws {
        let source = try SwiftGenerator.source(
            fromSDL: projects + " type Note @model { team: ID teams: [Team] @hasMany(limit: 500) }")
        #expect(source.contains("target: \"Team\", fields: [\"projectID\"], isKeyInTarget: true),"))
        #expect(source.contains("fields: [\"noteTeamsId\"], limit: 500),"))
        #expect(source.contains("var team: ToOne<Project, Team>"))
    }

    @Test func aHasManySaysHowLongItsPagesAre() throws {
        let schema = try Schema(
            sdl: """
                type Post @model { tags: [Tag] @manyToMany(relationName: "PostTags", limit: 7) likes: [Like] @hasMany(limit: 500) }
                type Tag @model { posts: [Post] @manyToMany(relationName: "PostTags") }
                type Like @model { at: Int }
                """)
        #expect(schema.model("Post")?.relation("likes")?.limit == 500)
        #expect(schema.model("Post")?.relation("tags")?.limit == 7)
        #expect(schema.model("Tag")?.relation("posts")?.limit == nil)
    }

    // MARK: Indexes

    @Test func anIndexTakesEveryForm() throws {
        let sdl = """
            type A @model {
              a: Int @index(name: null, queryField: null, sortKeyFields: null, projection: null)
              b: Int @index(sortKeyFields: "a", queryField: "asByB")
              c: Int @index(name: "byC", sortKeyFields: ["a", "b"], projection: { type: ALL })
              d: Int @index(projection: { type: INCLUDE, nonKeyAttributes: ["a"] }) @index(name: "second")
            }
            """
        #expect(
            try Schema(sdl: sdl).model("A")?.indexes == [
                IndexSchema("aSByA", fields: ["a"]), IndexSchema("aSByBAndA", fields: ["b", "a"], queryField: "asByB"),
                IndexSchema("byC", fields: ["c", "a", "b"], queryField: "aSByCAndAAndB"),
                IndexSchema("aSByD", fields: ["d"], queryField: "aSByD"), IndexSchema("second", fields: ["d"]),
            ])
        #expect(
            remarks(sdl) == [
                "5:29: @index(projection:) leaves nothing out here: what its query finds is the whole record",
                "5:73: this index has no query, for there is a aSByD already; queryField: names one",
            ])
    }

    // MARK: Owners

    @Test func anOwnerFieldThatIsNotDeclaredIsAddedAndRemarkedOn() throws {
        let sdl = "type A @model @auth(rules: [{ allow: owner, ownerField: \"author\" }, { allow: owner }]) { b: ID }"
        let model = try #require(try Schema(sdl: sdl).model("A"))
        #expect(model.field("author") == FieldSchema("author", .scalar(.string)))
        #expect(model.field("owner") == FieldSchema("owner", .scalar(.string)))
        #expect(model.authRules.map(\.ownerField) == ["author", "owner"])
        #expect(remarks(sdl) == ["1:57: A has no field author, so author: String is added for the owner"])
    }

    // MARK: What means nothing here

    @Test func whatMeansNothingHereIsReadWithARemarkAndWrittenBack() throws {
        let sdl = """
            type A @model @mapsTo(name: "Old") @searchable(queries: { search: "find" }) @aws_api_key {
              a: Int @refersTo(name: "old") @aws_cognito_user_pools(cognito_groups: ["staff"])
              b: B
            }
            type B @aws_iam @aws_oidc { c: Int @aws_lambda }
            """
        let plain = "type A @model { a: Int b: B } type B { c: Int }"
        #expect(try Schema(sdl: sdl) == Schema(sdl: plain))
        let found = remarks(sdl)
        #expect(
            found.prefix(3) == [
                "1:15: @mapsTo names a table in DynamoDB, and nothing here",
                "1:36: @searchable makes no search here: a list's filter finds records, and an @index finds them fast",
                "1:77: @aws_api_key lets nobody in here: @auth alone says who may do what",
            ])
        #expect(found.count == 8)
        let exported = try AppSyncExport(sdl: sdl).schema
        for name in ["mapsTo", "searchable", "aws_api_key", "refersTo", "aws_cognito_user_pools", "aws_iam"] {
            #expect(exported.contains("@\(name)"))
        }
    }

    // MARK: Export

    @Test func allOfItIsWrittenBack() throws {
        let text = """
            input AMPLIFY {
              globalAuthRule: AuthRule = { allow: public }
            }

            type Project @model {
              name: String @index(name: "byName", projection: { type: KEYS_ONLY })
              team: Team @hasOne(references: ["projectID"])
            }

            type Team @model @auth(rules: [{ allow: owner, ownerField: "author" }]) {
              projectID: ID
              project: Project @belongsTo(references: ["projectID"], overrideIndexName: "x")
            }

            """
        #expect(try AppSyncExport(sdl: text).schema == text)
    }
}
