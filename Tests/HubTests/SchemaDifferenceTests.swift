import GraphQL
import Models
import Testing

@testable import Hub

/// What counts as destructive.
@Suite struct SchemaDifferenceTests {
    private static func schema(_ fields: String, _ more: String = "") throws -> Schema {
        try Schema(
            sdl: """
                enum Mood { calm cross }
                type Spot { row: Int }
                type Box @model { id: ID! }
                type Note @model { id: ID! \(fields) }
                \(more)
                """)
    }

    @Test(arguments: [
        ("a: Int", "a: Int b: String", "Note.b: the field is new", false),
        (
            "a: Int", "a: Int b: String!",
            "Note.b: the field is new and required, and older clients do not send it; give it @default(value:)", true
        ),
        ("a: Int", "a: Int b: Int! @default(value: \"1\")", "Note.b: the field is new", false),
        ("a: Int", "a: String", "Note.a: its type was Int and is String; its values go", true),
        ("a: ID", "a: String", "Note.a: its type was ID and is String", true),
        ("a: Int", "a: Int!", "Note.a: it may not be missing any more", true),
        ("a: Int!", "a: Int", "Note.a: it may be missing now", true),
        ("a: [Int!]", "a: [Int]", "Note.a: its type was [Int!] and is [Int]", true),
        (
            "a: Float @decimal(places: 3)", "a: Float @decimal(places: 4)",
            "Note.a: its type was Float @decimal(places: 3) and is Float @decimal(places: 4); its values go", true
        ),
        ("a: Int @counter", "a: Int", "Note.a: it is merged in another way", true),
        ("a: Int", "a: Int @counter", nil, false),
        ("a: Int", "a: Int @default(value: \"2\")", "Note.a: its default is another", false),
        (
            "a: Int @index(name: \"byA\", queryField: \"notesByA\")", "a: Int",
            "Note: the query notesByA goes, or asks for another key", true
        ),
        ("a: Int", "a: Int @index(name: \"byA\", queryField: \"notesByA\")", "Note: the index byA is new", false),
        (
            "boxID: ID box: Box @belongsTo(fields: [\"boxID\"])", "boxID: ID",
            "Note.box: the relation goes, or leads elsewhere", true
        ),
    ])
    func oneFieldChanges(old: String, new: String, text: String?, isDestructive: Bool) throws {
        let difference = SchemaDifference(from: try Self.schema(old), to: try Self.schema(new))
        #expect(difference.changes.map(\.text) == [text].compactMap { $0 })
        #expect(difference.changes.contains(where: \.isDestructive) == isDestructive)
        #expect(SchemaDifference(from: try Self.schema(old), to: try Self.schema(old)).changes.isEmpty)
    }

    @Test func modelsCasesEmbeddedFieldsAndOperationNamesAreCompared() throws {
        let old = try Self.schema("mood: Mood spot: Spot", "type Bag @model { id: ID! }")
        let new = try Schema(
            sdl: """
                enum Mood { calm glad }
                type Spot { row: Int column: Int name: String! }
                type Box @model(queries: { get: "box" }) @auth(rules: [{ allow: private }]) { id: ID! }
                type Note @model { id: ID! mood: Mood spot: Spot }
                type Rack @model { id: ID! }
                """)
        let difference = SchemaDifference(from: old, to: new)
        #expect(
            difference.destructive.map(\.text).sorted() == [
                "Bag: the model goes, with its records",
                "Box: getBox cannot be called any more",
                "Mood.cross: the case goes", "Spot.name: the field is new and required",
            ])
        #expect(
            difference.changes.filter { !$0.isDestructive }.map(\.text).sorted() == [
                "Box: its rules are others", "Mood.glad: the case is new", "Rack: the model is new",
                "Spot.column: the field is new",
            ])
        #expect(difference.removedModels == ["Bag"] && difference.losers == ["Bag"])
    }
}
