import Basics
import GraphQL
import Models
import Testing

@Suite("A schema is exported for Amplify")
struct AppSyncExportTests {
    @Test func ourDirectivesAreLeftOut() throws {
        let export = try AppSyncExport(
            sdl: """
                "A."
                type A @model @sync(policy: BOTH) @conflict(strategy: LAMBDA) @auth(rules: [{ allow: private }]) {
                  id: ID!
                  "B."
                  b: Float! @decimal(places: 3)
                  note: Note @hasOne(fields: ["noteID"])
                  noteID: ID
                  place: Place
                }
                type Note @model @sync(policy: NONE) { id: ID! }
                type Place { x: Float @decimal(places: 4) }
                type C @model @conflict(strategy: OPTIMISTIC_CONCURRENCY) { id: ID! }
                """)
        #expect(
            export.schema == """
                "A."
                type A @model @auth(rules: [{ allow: private }]) {
                  id: ID!
                  "B."
                  b: Float!
                  noteID: ID
                  place: Place
                }

                type Place {
                  x: Float
                }

                type C @model {
                  id: ID!
                }

                """)
        #expect(
            try JSONValue(parsing: export.transformConfiguration) == [
                "Version": 5, "ElasticsearchWarning": true,
                "ResolverConfig": [
                    "project": ["ConflictHandler": "AUTOMERGE", "ConflictDetection": "VERSION"],
                    "models": [
                        "A": [
                            "ConflictHandler": "LAMBDA", "ConflictDetection": "VERSION",
                            "LambdaConflictHandler": ["name": "AConflictHandler-${env}"],
                        ],
                        "C": ["ConflictHandler": "OPTIMISTIC_CONCURRENCY", "ConflictDetection": "VERSION"],
                    ],
                ],
            ])
    }

    @Test func theWarehouseIsExportedWithoutWhatStaysOnTheTerminal() throws {
        let export = try AppSyncExport(sdl: try file("../../schema.graphql"))
        for word in ["@sync", "@conflict", "@decimal", "type Draft", "type Credential"] {
            #expect(!export.schema.contains(word))
        }
        let schema = try Schema(sdl: export.schema)
        #expect(schema.models.count == 27)
        #expect(schema.model("CountEntry")?.field("quantity")?.type == .scalar(.float))
    }

    @Test func mistakesAreNotExported() {
        #expect(throws: SchemaMistakes.self) { try AppSyncExport(sdl: "type A @model { b: Nope }") }
    }
}
