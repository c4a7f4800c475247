import Glibc
import GraphQL
import Models
import SampleModels
import Testing
import WarehouseModels

@testable import ModelGenerator

@Suite("Swift is generated from a schema")
struct GeneratorTests {
    @Test func theOutputIsExactlyAsReviewed() throws {
        let source = try SwiftGenerator.source(fromSDL: try file("Golden/Small.graphql"))
        #expect(source == (try file("Golden/Small.swift.txt")))
    }

    @Test func theSameSchemaGivesTheSameBytes() throws {
        let sdl = try file("../SampleModels/Sample.graphql")
        let first = try SwiftGenerator.source(fromSDL: sdl)
        for _ in 0..<5 { #expect(try SwiftGenerator.source(fromSDL: sdl) == first) }
    }

    @Test func theGeneratedSchemaIsTheParsedSchema() throws {
        #expect(try Schema(sdl: try file("../SampleModels/Sample.graphql")) == sample)
        #expect(try Schema(sdl: try file("../../schema.graphql")) == warehouse)
        #expect(try file("../../schema.graphql") == warehouseText)
    }

    @Test(arguments: [
        ("type Schema @model { a: Int }", "1:6: type Schema: generated Swift code needs this name for something else"),
        (
            "type A @model { hashValue: Int }",
            "1:17: field hashValue: generated Swift code needs this name for something else"
        ),
        ("type A @model { self: Int }", "1:17: field self: generated Swift code needs this name for something else"),
        (
            "type A @model { b: B } type B { json: Int }",
            "1:33: field json: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { b: B } enum B { allCases }",
            "1:33: enum value allCases: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { id: ID! @primaryKey(sortKeyFields: [\"b\"]) b: Int! idField: Int }",
            "1:67: field idField: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { Kind: Kind } enum Kind { a }",
            "1:17: field Kind: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { String: Int }",
            "1:17: field String: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { schema: Int schemaField: Int }",
            "1:29: field schemaField: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { B: B @hasOne } type B @model { a: Int }",
            "1:17: field B: generated Swift code needs this name for something else"
        ),
        (
            "type A @model @auth(rules: [{allow: owner, ownerField: \"self\"}]) { b: Int }",
            "1:6: field self: generated Swift code needs this name for something else"
        ),
        (
            "type A @model { k: key } enum key { a }",
            "1:31: type key: generated Swift code needs this name for something else"
        ),
        (
            "type modelSchema @model { b: Int }",
            "1:6: type modelSchema: generated Swift code needs this name for something else"
        ),
    ])
    func namesThatSwiftCannotHaveAreMistakes(sdl: String, message: String) throws {
        let error = #expect(throws: SchemaMistakes.self) { try SwiftGenerator.source(fromSDL: sdl) }
        #expect(error?.description == message)
    }

    @Test func anEmbeddedTypeMayHoldAListOfItselfWhereNobodySynchronisesIt() throws {
        let sdl = "type A { bs: [B!]! } type B { a: A mail: AWSEmail } type P @model@sync { a: A }"
        let source = try SwiftGenerator.source(fromSDL: sdl.replacing("@sync", with: " @sync(policy: NONE)"))
        #expect(source.contains("throws(InvalidValue)"))
        let error = #expect(throws: SchemaMistakes.self) {
            try SwiftGenerator.source(fromSDL: sdl.replacing("@sync", with: ""))
        }
        #expect(error?.description.contains(": model P: A contains itself") == true, "\(String(describing: error))")
    }

    @Test func theNestedTypeOfChangesHidesNoTypeThatTheModelNames() throws {
        let source = try SwiftGenerator.source(
            fromSDL: """
                type A @model { draft: Draft changes: Changes @hasOne }
                type Draft { a: Int }
                type Changes @model { a: Int }
                """)
        #expect(source.contains("public struct Edits: Sendable"))
        #expect(source.contains("public struct Draft: Sendable"))
    }

    @Test func aDefaultThatIsCalledNoneIsNotNil() throws {
        let source = try SwiftGenerator.source(
            fromSDL: "type A @model { kind: Kind @default(value: \"none\") } enum Kind { none some }")
        #expect(source.contains("kind: Kind? = Kind.none"))
    }

    @Test(arguments: [
        "type A @model { id: ID! @primaryKey(sortKeyFields: [\"b\"]) b: Int! }",
        "type A @model { b: Int! @primaryKey id: String }",
    ])
    func anIDThatIsNotTheWholeKeyIsAnotherProperty(sdl: String) throws {
        let source = try SwiftGenerator.source(fromSDL: sdl)
        #expect(source.contains("public let idField: String"))
        #expect(source.contains("public var id: String { [keyText("))
        #expect(source.contains("public static var idField: Field<A, String"))
        #expect(source.contains("{ Field(\"id\") }"))
        #expect(try SwiftGenerator.source(fromSDL: "type A @model { id: ID! idField: Int }").contains("let id: String"))
    }

    @Test func descriptionsCannotBreakOutOfTheirComments() throws {
        let source = try SwiftGenerator.source(
            fromSDL: "\"a\\n} evil\\r} evil\\u2028x\" type A @model { \"b\\nevil\" b: Int }")
        for line in source.split(whereSeparator: \.isNewline) where line.contains("evil") {
            let text = line.drop { $0 == " " }
            // A comment, or a literal on one line: one member of the documentation, or the whole text.
            #expect(
                text.hasPrefix("///") || (text.hasPrefix("\"A") && text.hasSuffix("\","))
                    || (text.hasPrefix("public let modelSchemaText: String = \"") && text.hasSuffix("\"")))
        }
    }
}

@Suite("modelgen SCHEMA OUT")
struct ModelGeneratorCommandTests {
    private func folder() throws -> String {
        var template = Array("/tmp/modelgen-XXXXXX".utf8CString)
        return String(cString: try #require(mkdtemp(&template)))
    }

    private func write(_ text: String, to path: String) throws {
        let stream = try #require(fopen(path, "w"))
        fputs(text, stream)
        fclose(stream)
    }

    private func inode(_ path: String) -> UInt {
        var facts = stat()
        return stat(path, &facts) == 0 ? UInt(facts.st_ino) : 0
    }

    @Test func itWritesTheModelsAndOnlyWhenTheyChange() throws {
        let folder = try folder()
        defer { for name in ["s.graphql", "Out.swift"] { unlink("\(folder)/\(name)") }; rmdir(folder) }
        try write("type A @model { b: Int }", to: "\(folder)/s.graphql")
        let command = ModelGeneratorCommand(["\(folder)/s.graphql", "\(folder)/Out.swift"])
        #expect(command.run() == 0)
        let first = inode("\(folder)/Out.swift")
        #expect(first != 0)
        #expect(command.run() == 0)
        #expect(inode("\(folder)/Out.swift") == first)
        try write("type A @model { c: Int }", to: "\(folder)/s.graphql")
        #expect(command.run() == 0)
        #expect(inode("\(folder)/Out.swift") != first)
    }

    @Test func mistakesFailAndLeaveTheOutputAlone() throws {
        let folder = try folder()
        defer { unlink("\(folder)/s.graphql"); rmdir(folder) }
        try write("type A @model { b: Strin }", to: "\(folder)/s.graphql")
        var lines: [String] = []
        let command = ModelGeneratorCommand(["\(folder)/s.graphql", "\(folder)/Out.swift"]) { lines.append($0) }
        #expect(command.run() == 1)
        #expect(lines == ["\(folder)/s.graphql:1:20: error: unknown type Strin"])
        #expect(inode("\(folder)/Out.swift") == 0)
    }

    @Test func aMissingFileFails() {
        var lines: [String] = []
        #expect(ModelGeneratorCommand(["/nowhere/s.graphql", "/nowhere/o"]) { lines.append($0) }.run() == 1)
        #expect(lines == ["/nowhere/s.graphql: error: No such file or directory"])
    }

    @Test(arguments: [[], ["one"], ["a", "b", "c"], ["--odd", "a", "b"]])
    func wrongUsageIsTwo(words: [String]) {
        var lines: [String] = []
        #expect(ModelGeneratorCommand(words) { lines.append($0) }.run() == 2)
        #expect(lines.count == 1)
    }
}
