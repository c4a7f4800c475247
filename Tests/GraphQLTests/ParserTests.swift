import Testing

@testable import GraphQL

@Suite("GraphQL documents are parsed")
struct ParserTests {
    @Test func everyKindOfDefinitionIsRead() throws {
        let document = try Document(parsing: kitchenSink)
        #expect(document.operations.map(\.kind) == [.query, .mutation, .subscription, .query])
        #expect(document.operations.map(\.name) == ["Named", nil, "Watch", nil])
        #expect(document.fragments.map(\.name) == ["Parts"])
        let keywords = ["scalar", "type", "interface", "union", "enum", "input"]
        for keyword in keywords { #expect(document.types.contains { $0.keyword == keyword && $0.isExtension }) }
        #expect(
            document.types.filter { !$0.isExtension }.map(\.name) == [
                "Date", "User", "Lead", "Node", "Any", "None", "Size", "In",
            ])
        #expect(document.definitions.count == 24)
    }

    @Test func variablesHaveTypesDefaultsAndDirectives() throws {
        let operation = try #require(try Document(parsing: kitchenSink).operations.first)
        #expect(
            operation.variables.map { "\($0.name): \($0.type)" } == [
                "id: ID!", "list: [Int!]!", "object: In", "flag: Boolean",
            ])
        #expect(
            operation.variables.map { $0.defaultValue?.description } == [
                "\"x\"", "[1, 2]", "{ a: { b: -1.5e3 } }", nil,
            ])
        #expect(operation.variables[3].directives.map(\.description) == ["@why(x: 1)"])
        #expect(operation.directives.map(\.name) == ["live"])
    }

    @Test func everyKindOfValueIsRead() throws {
        let operation = try #require(try Document(parsing: kitchenSink).operations.first)
        guard case .field(let field) = operation.selections[0] else { return #expect(Bool(false), "no field") }
        #expect(field.alias == "node")
        #expect(field.name == "getNode")
        #expect(field.responseKey == "node")
        let kinds = field.arguments.map(\.value.kind)
        #expect(kinds[0] == .variable("id"))
        #expect(field.arguments[1].value.list?.map(\.kind) == [.boolean(true), .boolean(false), .null])
        #expect(Array(kinds[2...]) == [.enumeration("BIG"), .string("a \"b\" é \n"), .int("-0"), .float("1.0E+2")])
    }

    @Test func selectionsAreFieldsSpreadsAndInlineFragments() throws {
        let operation = try #require(try Document(parsing: kitchenSink).operations.first)
        guard case .field(let field) = operation.selections[0] else { return #expect(Bool(false), "no field") }
        guard case .spread(let spread) = field.selections[1], case .inline(let typed) = field.selections[2],
            case .inline(let conditional) = field.selections[3], case .inline(let bare) = field.selections[4]
        else { return #expect(Bool(false), "other selections") }
        #expect(spread.name == "Parts")
        #expect(typed.typeCondition == "User")
        #expect(conditional.typeCondition == nil)
        #expect(conditional.directives.map(\.name) == ["include"])
        #expect(bare.directives.isEmpty)
    }

    @Test func nodesKnowTheirPlaces() throws {
        let document = try Document(parsing: "# ü€\r\n" + "type A @x {\r\n  \"é\" b(c: Int): [D!]!\r}")
        let type = try #require(document.types.first)
        #expect(type.position == SourcePosition(line: 2, column: 1))
        #expect(type.namePosition == SourcePosition(line: 2, column: 6))
        #expect(type.directives[0].position == SourcePosition(line: 2, column: 8))
        #expect(type.fields[0].position == SourcePosition(line: 3, column: 7))
        #expect(type.fields[0].arguments[0].position == SourcePosition(line: 3, column: 9))
        #expect(type.fields[0].type.position == SourcePosition(line: 3, column: 18))
    }

    @Test func columnsCountCharactersNotBytes() throws {
        let document = try Document(parsing: "{ a(x: \"ü€😀\") b }")
        #expect(document.operations[0].selections[1].position == SourcePosition(line: 1, column: 15))
    }

    @Test func aByteOrderMarkAtTheStartIsIgnored() throws {
        let document = try Document(parsing: "\u{FEFF}{ a }")
        #expect(document.operations[0].position == SourcePosition(line: 1, column: 1))
    }

    @Test func keywordsAreOrdinaryNamesElsewhere() throws {
        let text = "query query { type: fragment(on: input) { on true null } mutation }"
        let document = try Document(parsing: text)
        #expect(document.operations[0].name == "query")
        guard case .field(let field) = document.operations[0].selections[0] else {
            return #expect(Bool(false), "no field")
        }
        #expect(field.selections.count == 3)
        #expect(throws: GraphQLSyntaxError.self) { try Document(parsing: "fragment on on T { a }") }
    }

    @Test(arguments: [
        ("\"\"\"\"\"\"", ""), ("\"\"\"a\"\"\"", "a"),
        (
            "\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"",
            "Hello,\n  World!\n\nYours,\n  GraphQL."
        ),
        ("\"\"\"  first\n   second\n  third\"\"\"", "  first\n second\nthird"),
        ("\"\"\"\n\n  \t\n a\\\"\"\"b \\n\n\"\"\"", "a\"\"\"b \\n"),
        ("\"\"\"\r\n a\r\n  b\r c\"\"\"", "a\n b\nc"), ("\"\"\" \"a\" \"\"\"", " \"a\" "),
    ])
    func blockStringsLoseTheirCommonIndentation(source: String, text: String) throws {
        #expect(try ValueNode(parsing: source).string == text)
    }

    @Test(.timeLimit(.minutes(1)))
    func blankLinesOfABlockStringAreLeftOutHoweverManyTheyAre() throws {
        let blank = String(repeating: "\n", count: 1_000_000)
        #expect(try ValueNode(parsing: "\"\"\"\(blank)  a\n\n b\n\(blank)\"\"\"").string == " a\n\nb")
        #expect(try ValueNode(parsing: "\"\"\"\(blank)\"\"\"").string == "")
    }

    @Test(arguments: [
        (#""""#, ""), (#""simple""#, "simple"), (#"" white space ""#, " white space "), (#""quote \"""#, "quote \""),
        (#""escaped \n\r\b\t\f""#, "escaped \n\r\u{8}\t\u{c}"), (#""slashes \\ \/""#, #"slashes \ /"#),
        (#""unicode \u1234\u5678\u90AB\uCDEF""#, "unicode \u{1234}\u{5678}\u{90AB}\u{CDEF}"),
        (#""pair \uD83D\uDE00 braces \u{1F600}""#, "pair 😀 braces 😀"),
    ])
    func stringEscapesAreResolved(source: String, text: String) throws {
        #expect(try ValueNode(parsing: source).string == text)
    }

    @Test(arguments: ["4", "-4", "0", "-0", "9223372036854775808"])
    func integersKeepTheirDigits(source: String) throws {
        #expect(try ValueNode(parsing: source).kind == .int(source))
    }

    @Test(arguments: ["4.123", "-4.123", "0.0", "123e4", "123E4", "123e-4", "-1.123e+4567"])
    func otherNumbersKeepTheirDigits(source: String) throws {
        #expect(try ValueNode(parsing: source).kind == .float(source))
    }
}
