import Models
import SampleModels
import Testing

@testable import GraphQL

@Suite("@manyToMany is spelled out")
struct JoinModelTests {
    @Test("D1 D27: the join model belongs to both sides and has an index for each")
    func theJoinModelBelongsToBothSides() throws {
        let join = try #require(sample.model("BookAuthors"))
        #expect(
            join.fields.map(\.name) == [
                "id", "bookId", "authorCountry", "authorNumber", "createdAt", "updatedAt",
            ])
        #expect(
            join.relations == [
                RelationSchema("book", .belongsTo, target: "Book", fields: ["bookId"]),
                RelationSchema("author", .belongsTo, target: "Author", fields: ["authorCountry", "authorNumber"]),
            ])
        #expect(
            join.indexes == [
                IndexSchema("byBook", fields: ["bookId"], queryField: "bookAuthorsByBookId"),
                IndexSchema(
                    "byAuthor", fields: ["authorCountry", "authorNumber"],
                    queryField: "bookAuthorsByAuthorCountryAndAuthorNumber"),
            ])
        #expect(
            sample.model("Book")?.relation("authors")
                == RelationSchema("authors", .hasMany, target: "BookAuthors", fields: ["bookId"]))
        #expect(
            sample.model("Author")?.relation("books")
                == RelationSchema("books", .hasMany, target: "BookAuthors", fields: ["authorCountry", "authorNumber"]))
        let order = sample.modelsInDependencyOrder.map(\.name)
        #expect(order.firstIndex(of: "BookAuthors")! > order.firstIndex(of: "Author")!)
    }

    @Test func rightsOfBothSidesAndTheirPolicyAreTaken() throws {
        let schema = try Schema(
            sdl: """
                type A @model @sync(policy: UPSTREAM) @auth(rules: [{ allow: owner }]) {
                  bs: [B] @manyToMany(relationName: "Links")
                }
                type B @model @sync(policy: UPSTREAM) @auth(rules: [{ allow: owner }, { allow: private }]) {
                  as: [A] @manyToMany(relationName: "Links")
                }
                """)
        let join = try #require(schema.model("Links"))
        #expect(join.syncPolicy == .upstream)
        #expect(join.authRules.map(\.allow) == [.owner, .private])
    }

    @Test(arguments: [
        (
            "type A @model { bs: [B] @manyToMany(relationName: \"L\") } type B @model { x: Int }",
            "1:25: @manyToMany(relationName: \"L\") must stand on one field of each of two models that name each other"
        ),
        (
            "type A @model { b: B @manyToMany(relationName: \"L\") } type B @model { as: [A] @manyToMany(relationName: \"L\") }",
            "1:20: @manyToMany needs a list: [B]"
        ),
        (
            "type A @model { bs: [B] @manyToMany } type B @model { as: [A] @manyToMany(relationName: \"L\") }",
            "1:25: @manyToMany needs the argument relationName, which names its join model"
        ),
        (
            "type A @model { bs: [B] @manyToMany(relationName: \"B\") } type B @model { as: [A] @manyToMany(relationName: \"B\") }",
            "1:25: @manyToMany: there is a type B already"
        ),
        (
            "type A @model @sync(policy: NONE) { bs: [B] @manyToMany(relationName: \"L\") } "
                + "type B @model { as: [A] @manyToMany(relationName: \"L\") }",
            "1:102: @manyToMany: L needs both models to have the same @sync policy"
        ),
    ])
    func mistakesAreTold(_ sdl: String, _ message: String) {
        #expect(mistakes(sdl).contains(message), "\(mistakes(sdl))")
    }

    @Test func theExportKeepsTheDirective() throws {
        let sdl = """
            type A @model {
              bs: [B] @manyToMany(relationName: "Links")
            }

            type B @model {
              as: [A] @manyToMany(relationName: "Links")
            }

            """
        #expect(try AppSyncExport(sdl: sdl).schema == sdl)
    }
}
