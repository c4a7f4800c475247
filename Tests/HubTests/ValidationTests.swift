import Basics
import GraphQL
import Models
import SQLite
import Testing

@testable import Hub

@Suite struct ValidationTests {
    @Test(arguments: [
        (
            "{ getNote(id: \"1\") { nope } }",
            "FieldUndefined: Field 'nope' in type 'Note' is undefined @ 'getNote/nope'"
        ),
        ("{ getNote { id } }", "MissingFieldArgument: Missing field argument id @ 'getNote'"),
        ("{ getNote(id: \"1\", foo: 1) { id } }", "UnknownArgument: Unknown field argument foo @ 'getNote'"),
        (
            "{ listNotes(limit: \"x\") { items { id } } }",
            "WrongType: argument 'limit' with value '\"x\"' is not a valid 'Int'"
        ),
        (
            "{ getNote(id: \"1\") }",
            "SubSelectionRequired: Sub selection required for type Note of field getNote @ 'getNote'"
        ),
        ("{ getNote(id: \"1\") { id { x } } }", "SubSelectionNotAllowed"),
        ("{ getNote(id: $x) { id } }", "UndefinedVariable: Undefined variable x"),
        ("query($x: ID!) { getNote(id: \"1\") { id } }", "UnusedVariable: Unused variable x"),
        ("query($x: Int) { getNote(id: $x) { id } }", "VariableTypeMismatch"),
        ("query($x: Nope) { getNote(id: $x) { id } }", "UnknownType: Unknown type Nope"),
        ("query($x: Note) { getNote(id: $x) { id } }", "NonInputTypeOnVariable"),
        ("{ getNote(id: \"1\") { ...F } }", "UndefinedFragment: Undefined fragment F"),
        ("{ getNote(id: \"1\") { id } } fragment F on Note { id }", "UnusedFragment: Unused fragment F"),
        ("{ getNote(id: \"1\") { ...F } } fragment F on Note { ...G } fragment G on Note { ...F }", "FragmentCycle"),
        ("{ getNote(id: \"1\") { ... on Box { id } } }", "InvalidFragmentType"),
        ("{ a: getNote(id: \"1\") { id } a: getNote(id: \"2\") { id } }", "FieldsConflict"),
        ("{ getNote(id: \"1\") { x: id x: title } }", "FieldsConflict"),
        (
            #"{ a: listNotes(filter: {title: {between: ["a", "b"]}}) { nextToken } "#
                + #"a: listNotes(filter: {title: {between: ["a\",\"b"]}}) { nextToken } }"#,
            "FieldsConflict"
        ),
        ("{ listNotes(limit: 1.0) { nextToken } }", "WrongType"),
        ("{ getNote(id: \"1\") { id @foo } }", "UnknownDirective: Unknown directive foo"),
        ("{ getNote(id: \"1\") { id @skip } }", "MissingDirectiveArgument"),
        ("subscription { onCreateNote { id } onUpdateNote { id } }", "SubscriptionMultipleRootFields"),
        ("mutation { createNote(input: {title: \"a\", mood: \"calm\"}) { id } }", "WrongType"),
        ("mutation { createNote(input: {title: \"a\", nope: 1}) { id } }", "WrongType"),
    ])
    func anInvalidDocumentIsRefusedBeforeItRuns(_ query: String, _ message: String) throws {
        let hub = try HubFixture()
        let json = hub.send(query)
        #expect(json["data"] == .null)
        #expect(json.errorMessage?.contains("Validation error of type " + message) == true, "\(json.text)")
        #expect(json["errors"]?[0]?["errorType"] == nil)
    }

    @Test func variablesAreCheckedStrictly() throws {
        let hub = try HubFixture()
        let create = "mutation M($input: CreateNoteInput!) { createNote(input: $input) { id } }"
        #expect(
            hub.send(create).errorMessage
                == "Variable 'input' has coerced Null value for NonNull type 'CreateNoteInput!'")
        #expect(
            hub.send(create, ["input": ["title": "a", "foo": 1]]).errorMessage
                == "The variables input contains a field name 'foo' that is not defined for input object type 'CreateNoteInput' "
        )
        #expect(
            hub.send(create, ["input": ["title": .null]]).errorMessage
                == "Variable 'input' has coerced Null value for NonNull type 'String!'")
        #expect(hub.send(create, ["input": ["title": "a", "mood": "angry"]]).errorMessage?.contains("'Mood'") == true)
        #expect(
            hub.send(create, ["input": ["title": "a", "dueAt": "yesterday"]]).errorMessage?
                .contains("Unable to parse `\"yesterday\"` as a valid AWSDateTime") == true)
        #expect(hub.send(create, ["input": ["title": "a", "createdAt": "2026-01-01T00:00:00Z"]]).errorMessage != nil)
        let list = "query L($f: ModelNoteFilterInput) { listNotes(filter: $f) { items { id } } }"
        #expect(
            hub.send(list, ["f": ["not": ["nope": ["eq": 1]]]]).errorMessage?.contains("ModelNoteFilterInput") == true)
        #expect(hub.send(list, ["f": ["title": ["nope": "a"]]]).errorMessage?.contains("ModelStringInput") == true)
    }

    @Test func aVariableMayHoldAWholeNumberInAnyNotation() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let list = "query L($n: Int) { listNotes(limit: $n) { items { id } } }"
        for number in ["1.0", "1e2", "100E-2"] {
            #expect(hub.send(list, ["n": .number(number)]).result?["items"]?.array?.count == 1, "\(number)")
        }
        for number in ["1.5", "1e10", "-0.1"] {
            #expect(hub.send(list, ["n": .number(number)]).errorMessage?.contains("'Int'") == true, "\(number)")
        }
        let change = "mutation U($i: UpdateNoteInput!) { updateNote(input: $i) { size } }"
        #expect(hub.send(change, ["i": ["id": "1", "size": .number("7.0"), "_version": 1]]).result?["size"] == 7)
    }

    @Test func fragmentsAliasesAndConditionsShapeTheAnswer() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a", "size": 3])
        let query = """
            query Q($yes: Boolean!, $no: Boolean = false) {
              one: getNote(id: "1") { ...F size @include(if: $yes) body @skip(if: $yes) ... on Note { v: _version } }
              two: getNote(id: "2") @include(if: $no) { id }
            }
            fragment F on Note { key: id __typename ...G }
            fragment G on Note { title }
            """
        let json = hub.send(query, ["yes": true])
        #expect(json["data"] == ["one": ["key": "1", "__typename": "Note", "title": "a", "size": 3, "v": 1]])
        #expect(hub.send(query, ["yes": false])["data"]?["one"]?["body"] == .null)
    }

    @Test(arguments: ["include", "skip"])
    func `a condition with a default may be left out, and may not be null`(_ directive: String) throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let query = """
            query Q($b: Boolean = true) { getNote(id: "1") { id ...F } }
            query Other($b: Int = 1) { listNotes(limit: $b) { items { id } } }
            fragment F on Note { title @\(directive)(if: $b) }
            """
        let title: JSONValue? = directive == "include" ? "a" : nil
        #expect(hub.send(query, operation: "Q").result?["title"] == title)
        let refused = hub.send(query, ["b": .null], operation: "Q")
        #expect(refused["data"] == .null)
        #expect(refused.errorMessage == "Variable 'b' has coerced Null value for NonNull type 'Boolean!'")
        #expect(hub.send(query, ["b": .null], operation: "Other")["errors"] == nil, "where it is no condition")
        let create = "mutation M($b: Boolean = null) { createNote(input: {title: \"t\"}) { id @\(directive)(if: $b) } }"
        #expect(hub.send(create)["data"] == .null)
        #expect(hub.syncAll().items.count == 1, "nothing was carried out")
    }

    @Test func brokenBodiesGetStatus400() throws {
        let hub = try HubFixture()
        func status(_ text: String) -> (Int, String) {
            let answer = hub.raw(Array(text.utf8))
            return (answer.status, String(decoding: answer.body, as: UTF8.self))
        }
        #expect(status("").0 == 400)
        #expect(status("").1.contains("Request body is empty."))
        for text in ["{", "{}", "[]", "null", "{\"query\":5}", "{\"query\":\"{\"}", "{\"query\":\"type A { b: C }\"}"] {
            #expect(status(text).0 == 400)
            #expect(status(text).1.contains("Unable to parse GraphQL query."))
        }
        let two = "{\"query\":\"query A { getNote(id: \\\"1\\\") { id } } query B { listNotes { nextToken } }\"}"
        #expect(status(two).0 == 400)
        #expect(status(two).1.contains("Missing operation name."))
        #expect(
            hub.send("query A { getNote(id: \"1\") { id } } query B { listNotes { nextToken } }", operation: "B")
                .errorType == nil)
        #expect(hub.send("subscription { onCreateNote { id } }").errorType == "UnsupportedOperation")
    }

    @Test func aDocumentThatExplodesIsRefused() throws {
        let hub = try HubFixture()
        var text = "{ getBox(id: \"1\") { ...F0 } }"
        for level in 0..<12 {
            text +=
                " fragment F\(level) on Box { a: notes { items { box { ...F\(level + 1) } } } b: notes { items { box { ...F\(level + 1) } } } }"
        }
        text += " fragment F12 on Box { id }"
        #expect(hub.send(text).errorMessage?.contains("Query") == true)
        let wide = (0..<20_001).map { "a\($0): id" }.joined(separator: " ")
        #expect(hub.send("{ getBox(id: \"1\") { \(wide) } }").errorMessage?.contains("QueryTooLarge") == true)
    }

    @Test func filtersFollowDynamoDBsRules() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "alpha", "size": 1, "tags": ["a", "b"], "amount": .number("1.5")])
        hub.create(["id": "2", "title": "beta", "size": 5, "dueAt": "2026-01-02T00:00:00Z", "mood": "cross"])
        hub.create(["id": "3", "title": "gamma"])
        func ids(_ filter: JSONValue) -> [String] {
            hub.syncAll(filter: filter).items.compactMap { $0["id"]?.string }
        }
        #expect(ids(["size": ["gt": 1]]) == ["2"])
        #expect(ids(["size": ["ne": 1]]) == ["2", "3"])
        #expect(ids(["size": ["between": [1, 5]]]) == ["1", "2"])
        #expect(ids(["size": ["attributeExists": false]]) == ["3"])
        #expect(ids(["tags": ["contains": "b"]]) == ["1"])
        #expect(ids(["tags": ["notContains": "b"]]) == ["2", "3"])
        #expect(ids(["tags": ["size": ["ge": 2]]]) == ["1"])
        #expect(ids(["title": ["contains": "am"]]) == ["3"])
        #expect(ids(["title": ["beginsWith": "be"]]) == ["2"])
        #expect(ids(["amount": ["gt": .number("1.4999")]]) == ["1"])
        #expect(ids(["mood": ["eq": "cross"]]) == ["2"])
        #expect(ids(["dueAt": ["lt": "2026-01-02T01:00:00+02:00"]]) == [])
        #expect(ids(["dueAt": ["ge": "2026-01-02T02:00:00+02:00"]]) == ["2"])
        #expect(ids(["dueAt": ["beginsWith": "2026-01"]]) == ["2"])
        // A part of a date is compared with the text that AppSync stores.
        let parts: [(JSONValue, Bool)] = [
            (["ge": "2026-01"], true), (["gt": "2026-01-02"], true), (["ge": "2026-01-03"], false),
            (["lt": "2026-02"], true), (["le": "2026-01-02T00"], false), (["eq": "2026-01-02"], false),
            (["ne": "2026-01-02"], true), (["between": ["2026-01", "2026-02"]], true),
            (["between": ["2026-02", "2026-03"]], false), (["between": ["2026-01", "2026-01-01T00:00:00Z"]], false),
        ]
        for (test, isFound) in parts {
            #expect(ids(["dueAt": test]).contains("2") == isFound, "\(test.text)")
            #expect(ids(["not": ["dueAt": test]]).contains("2") != isFound, "\(test.text)")
            let condition = hub.update(["id": "2", "_version": 0], condition: ["dueAt": test])
            #expect((condition.errorType == "ConditionalCheckFailedException") != isFound, "\(test.text)")
        }
        #expect(ids(["not": ["size": ["gt": 1]]]) == ["1", "3"])
        #expect(ids(["or": [["id": ["eq": "1"]], ["title": ["eq": "gamma"]]]]) == ["1", "3"])
        #expect(ids(["and": [["size": ["ge": 1]], ["_deleted": ["ne": true]]]]) == ["1", "2"])
        #expect(ids([:]) == ["1", "2", "3"])
    }

    @Test func aSchemaThatCannotBeServedIsRefusedAtStart() throws {
        let lambda = try Schema(
            sdl: "type A @model @conflict(strategy: LAMBDA) @auth(rules: [{allow: public}]) { id: ID! }")
        #expect(throws: HubError.self) { try HubFixture(lambda) }
    }

    @Test func aModelWithoutRulesIsServedToNobody() throws {
        let hub = try HubFixture(try Schema(sdl: "type A @model { id: ID! }"))
        #expect(hub.send("{ getA(id: \"1\") { id } }").errorType == "Unauthorized")
        #expect(hub.send("mutation { createA(input: {id: \"1\"}) { id } }").errorType == "Unauthorized")
    }

    @Test func bytesThatAreNoRequestNeverStopTheHub() throws {
        let hub = try HubFixture()
        hub.create(["id": "1", "title": "a"])
        let seeds = [
            "{\"query\":\"mutation M($i: CreateNoteInput!) { createNote(input: $i) { id tags spot { row } } }\",\"variables\":{\"i\":{\"title\":\"x\",\"spot\":{\"row\":1}}}}",
            "{\"query\":\"{ syncNotes(limit: 2, filter: {size: {between: [1, 2]}}) { items { id } nextToken } }\"}",
            "{\"query\":\"query Q($a: Boolean!) { __schema { types { name } } getNote(id: \\\"1\\\") @skip(if: $a) { ...F } } fragment F on Note { id }\",\"variables\":{\"a\":true}}",
        ].map { Array($0.utf8) }
        var random = SplitMix64(seed: 7)
        let words = [
            "{", "}", "\"", "\\\"", "null", "$i", "...", "on", "Note", "id", "[", "]", "(", ")", ":", "!", "@skip",
            "9e999", "\u{FFFF}",
        ]
        for _ in 0..<4000 {
            var bytes = seeds[Int(random.next() % UInt64(seeds.count))]
            for _ in 0..<(1 + random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 20)))
                case 2: bytes.insert(contentsOf: Array(words[Int(random.next() % UInt64(words.count))].utf8), at: place)
                default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 30)], at: place)
                }
                if bytes.isEmpty { bytes = [0] }
            }
            let answer = hub.raw(bytes)
            #expect([200, 400].contains(answer.status))
            #expect((try? JSONValue(parsing: answer.body)) != nil)
        }
        #expect(hub.send("{ getNote(id: \"1\") { title } }").result?["title"] == "a")
    }
}
