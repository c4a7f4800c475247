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

    /// Amplify's transformer refuses every directive but its own.
    @Test func nothingIsLeftThatAmplifyDoesNotKnow() throws {
        let known: Set = [
            "model", "auth", "primaryKey", "index", "hasMany", "hasOne", "belongsTo", "manyToMany", "default",
            "deprecated",
        ]
        for path in ["../../schema.graphql", "../SampleModels/Sample.graphql"] {
            let export = try AppSyncExport(sdl: try file(path))
            let document = try Document(parsing: export.schema)
            var directives: [Directive] = []
            var names: Set<String> = []
            var referred: Set<String> = []
            for type in document.types {
                names.insert(type.name)
                directives += type.directives
                guard case .object(_, let fields) = type.kind else { continue }
                for field in fields {
                    directives += field.directives + field.arguments.flatMap(\.directives)
                    referred.insert(field.type.name)
                }
            }
            #expect(directives.count > 20)
            #expect(Set(directives.map(\.name)).subtracting(known) == [])
            // Nothing refers to a model that stayed behind.
            let scalars: Set = ["ID", "String", "Int", "Float", "Boolean"]
            #expect(referred.subtracting(names).subtracting(scalars).allSatisfy { $0.hasPrefix("AWS") })
            // What is left is a schema that can be pushed and exported again: nothing more goes.
            #expect(try AppSyncExport(sdl: export.schema).schema == export.schema)
        }
    }

    /// The conflict settings name the models that are not merged, and no others.
    @Test func theConflictSettingsOfTheWarehouseStandBesideIt() throws {
        let text = try file("../../schema.graphql")
        let export = try AppSyncExport(sdl: text)
        let resolvers = try JSONValue(parsing: export.transformConfiguration)["ResolverConfig"]
        var declared: [String: String] = [:]
        for model in try Schema(sdl: text).models where model.syncPolicy != .none {
            if model.conflictStrategy != .automerge { declared[model.name] = model.conflictStrategy.rawValue }
        }
        let written = resolvers?["models"]?.object?.members ?? []
        #expect(
            Dictionary(uniqueKeysWithValues: written.map { ($0.key, $0.value["ConflictHandler"]?.string ?? "") })
                == declared)
        #expect(declared["DeskLease"] == "OPTIMISTIC_CONCURRENCY")
        #expect(resolvers?["project"]?["ConflictHandler"] == "AUTOMERGE")
    }

    @Test func mistakesAreNotExported() {
        #expect(throws: SchemaMistakes.self) { try AppSyncExport(sdl: "type A @model { b: Nope }") }
    }
}
