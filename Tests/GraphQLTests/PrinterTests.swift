import Testing

@testable import GraphQL

@Suite("Documents are printed")
struct PrinterTests {
    @Test func anOperationHasOneCanonicalForm() throws {
        let document = try Document(
            parsing: "query Q($a:Int=1 $b:[ID!]!@x){x:y(a:$a,o:{k:[E,null]}){...F ...on T@y{z}}} {k}")
        #expect(
            document.text == """
                query Q($a: Int = 1, $b: [ID!]! @x) {
                  x: y(a: $a, o: { k: [E, null] }) {
                    ...F
                    ... on T @y {
                      z
                    }
                  }
                }

                {
                  k
                }

                """)
    }

    @Test func aTypeHasOneCanonicalForm() throws {
        let document = try Document(
            parsing:
                "\"\"\"\nA\n\n  b\n\"\"\" type T implements I&J@d(a:\"x\\ny\"){\"F\" f(a:Int=1):[T!]! g(\"arg\" a:In={}):T}"
        )
        #expect(
            document.text == """
                \"\"\"
                A

                  b
                \"\"\"
                type T implements I & J @d(a: "x\\ny") {
                  "F"
                  f(a: Int = 1): [T!]!
                  g(
                    "arg"
                    a: In = {}
                  ): T
                }

                """)
    }

    @Test func theTextParsesToTheSameText() throws {
        for text in [kitchenSink, try file("../../schema.graphql"), try file("../SampleModels/Sample.graphql")] {
            let once = try Document(parsing: text).text
            #expect(try Document(parsing: once).text == once)
        }
    }

    @Test(arguments: [
        "a\nb", "  a\n  b", "a\n\n", "\na", "a\n \nb", "a\"\"\"b\nc", "tab\there\nb", "back\\slash\nb", "\u{1}\nb",
        "a\r\nb", "a\n  b\n c ",
        "é\n😀", "\"quoted\"", "ends with quote\"\nb\"", "",
    ])
    func aDescriptionComesBackAsItWas(text: String) throws {
        var document = try Document(parsing: "type A { b: C }")
        guard case .type(var type) = document.definitions[0] else { return #expect(Bool(false), "no type") }
        type.description = text
        guard case .object(let interfaces, var fields) = type.kind else { return #expect(Bool(false), "no object") }
        fields[0].description = text
        type.kind = .object(interfaces: interfaces, fields: fields)
        document.definitions[0] = .type(type)
        let again = try #require(try Document(parsing: document.text).types.first)
        #expect(again.description == text)
        #expect(again.fields[0].description == text)
    }

    @Test func aProgramCanMakeAnOperation() {
        let operation = OperationDefinition(
            kind: .mutation, name: "Save",
            variables: [VariableDefinition(name: "input", type: .nonNull(.named("In", position: .none)))],
            selections: [
                .field(
                    FieldSelection(
                        alias: "m0", name: "createBin", arguments: [Argument("input", ValueNode(.variable("input")))],
                        selections: [.field(FieldSelection(name: "id"))]))
            ])
        #expect(operation.text == "mutation Save($input: In!) {\n  m0: createBin(input: $input) {\n    id\n  }\n}\n")
    }
}
