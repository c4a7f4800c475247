import Basics
import Models
import SampleModels
import Testing

@testable import DataStore

@Suite("Keys and values")
struct KeyTests {
    @Test("D21 D47: records are kept, found, changed and deleted by composite keys; the key never changes")
    func composite() throws {
        let core = try sampleCore()
        let one = Reading(site: "s", number: 1, kind: .red, value: Decimal4("1.5"))
        try core.save(one, Reading(site: "s", number: 2, kind: .red))
        let key = Reading.key(site: "s", number: 1, kind: .red)
        #expect(key == "s#1#red" && one.id == key)
        #expect(try core.read { try $0.get(Reading.self, id: key) } == one)
        try core.write(as: nil) { try $0.save(one.updating { $0.value = 2 }) }
        #expect(try core.read { try $0.count(Reading.self) } == 2)
        #expect(try core.write(as: nil) { try $0.delete(Reading.self, id: key) })
        #expect(try core.read { try $0.get(Reading.self, id: key) } == nil)
    }

    @Test("D2 D60: the delete of a composite key carries every part of it")
    func deleteInput() throws {
        let core = try sampleCore()
        try core.applyRemote([remote(Reading(site: "s", number: 1, kind: .red), 4)])
        try core.write(as: nil) { _ = try $0.delete(Reading.self, id: "s#1#red") }
        let entry = try #require(try core.outbox().first)
        #expect(entry.fieldsJSON == #"{"site":"s","number":1,"kind":"red"}"#)
        #expect(entry.baseVersion == 4)
    }

    @Test("two records never share a key: # is refused in every part of a composite key but the last")
    func separator() throws {
        let core = try sampleCore()
        #expect(throws: StoreError.self) { try core.save(Reading(site: "s#1", number: 1, kind: .red)) }
        #expect(throws: InvalidValue.self) { try Reading(site: "s#1", number: 1, kind: .red).validated() }
        try core.save(Bare(id: "a#b"))
        try core.applyRemote([remote(Reading(site: "x#y", number: 1, kind: .red), 1)])
        #expect(try core.quarantined().map(\.model) == ["Reading"])
    }

    @Test("D97: sort keys of every scalar type keep their records apart and come back")
    func sortKeyTypes() throws {
        let types: [(ScalarType, Value, Value)] = [
            (.id, .text("a"), .text("b")), (.string, .text(""), .text("ü#x")), (.int, .integer(-1), .integer(7)),
            (.float, .real(0.5), .real(-2)), (.boolean, .integer(0), .integer(1)),
            (.awsDate, .text("2026-01-02"), .text("2026-01-03")),
            (.awsTime, .text("10:00"), .text("11:00")), (.awsDateTime, .integer(0), .integer(1)),
            (.awsTimestamp, .integer(1), .integer(2)), (.awsEmail, .text("a@b.c"), .text("b@b.c")),
            (.awsJSON, .text("1"), .text("2")), (.awsPhone, .text("+4912345"), .text("+4912346")),
            (.awsURL, .text("https://a.b"), .text("https://a.c")), (.awsIPAddress, .text("::1"), .text("::2")),
            (.decimal(places: 3), .integer(1500), .integer(1501)),
        ]
        for (type, first, second) in types where type != .awsJSON {
            let model = ModelSchema(
                "M", pluralName: "Ms",
                fields: [
                    FieldSchema("site", .scalar(.id), isRequired: true),
                    FieldSchema("sort", .scalar(type), isRequired: true),
                ], primaryKey: ["site", "sort"])
            let core = try StoreCore(schema: Schema(models: [model]), at: .memory, options: testOptions())
            try core.write(as: nil) { tx in
                for value in [first, second, first] {
                    try tx.save(Record(schema: model, values: [.text("s"), value]))
                }
                let all = try tx.query(model: "M", sort: [SortKeyNode("sort", .ascending)])
                #expect(all.count == 2, "\(type)")
                #expect(Set(all.map { $0["sort"] }) == [first, second], "\(type)")
                #expect(try tx.get(model: "M", id: "s#" + keyText(second))?["sort"] == second, "\(type)")
            }
            #expect(try core.outbox().count == 2)
        }
    }

    @Test("an untyped record's lists and embedded values are kept as the backend gives them back")
    func canonicalJSON() throws {
        let model = ModelSchema(
            "M", pluralName: "Ms",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("reals", .scalar(.float), isList: true),
                FieldSchema("home", .embedded("Home")), FieldSchema("json", .scalar(.awsJSON)),
            ])
        let schema = Schema(
            models: [model], embedded: ["Home": [FieldSchema("b", .scalar(.int)), FieldSchema("a", .scalar(.int))]])
        let core = try StoreCore(schema: schema, at: .memory, options: testOptions())
        let given: [Value] = [
            .text("1"), .text("[1e3, 2.50]"), .text(#"{ "b" : 1, "a": 2 }"#), .text(#"{"b":1.0,"a":2}"#),
        ]
        try core.write(as: nil) { try $0.save(Record(schema: model, values: given)) }
        let kept = try #require(try core.read { try $0.get(model: "M", id: "1") })
        let wire = try JSONValue(parsing: try #require(try core.outbox().first).fieldsJSON)
        let again = try model.fields.map { field in
            try schema.storageValue(of: wire[field.name] ?? .null, for: field, in: "M")
        }
        #expect(kept.values == again)
        #expect(kept["home"] == .text(#"{"a":2,"b":1}"#))
    }

    @Test("D17 D25 D88 C25: equal keys in two models are two records, in rows, outbox and backend's versions")
    func sameKey() throws {
        let core = try sampleCore()
        try core.save(Bare(id: "1"), Book(id: "1", title: "b"))
        try core.sendAll(version: 3)
        try core.write(as: nil) { try $0.save(Book(id: "1", title: "c")) }
        #expect(try core.read { try $0.syncState(model: "Bare", id: "1") } == .synced(version: 3))
        #expect(try core.read { try $0.syncState(model: "Book", id: "1") } == .queued)
        try core.write(as: nil) { _ = try $0.delete(Book.self, id: "1") }
        #expect(try core.read { try $0.get(Bare.self, id: "1") } != nil)
    }

    @Test(
        "D18: a wrong value is refused at construction with model, field and value",
        arguments: [
            ("ann@", "Author.mails[1]: \"ann@\" is not a valid AWSEmail"),
            ("", "Author.mails[1]: \"\" is not a valid AWSEmail"),
        ])
    func validation(_ mail: String, _ message: String) throws {
        let error = #expect(throws: InvalidValue.self) {
            try Author(country: "de", number: 1, name: "n", mails: ["a@b.c", mail])
        }
        #expect(error?.description == message)
        // What was made some other way is checked when it is saved.
        let core = try sampleCore()
        var record = try Author(country: "de", number: 1, name: "n", mails: ["a@b.c"]).record
        record["mails"] = .text(JSONValue.array(["a@b.c", .string(mail)]).text)
        #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.save(record) } }
        #expect(core.outboxStatus.isEmpty)
    }

    @Test("D18: every text scalar, big integers, numbers that are none and embedded values are checked")
    func everyScalar() throws {
        func field(_ make: () throws(InvalidValue) -> Picture) -> String? {
            do throws(InvalidValue) {
                _ = try make().validated(in: modelSchema)
                return nil
            } catch {
                return error.field
            }
        }
        #expect(field { () throws(InvalidValue) in try Picture(id: "p", url: "no url") } == "url")
        #expect(
            field { () throws(InvalidValue) in try Picture(id: "p", url: "https://a.b/c", number: 1 << 40) } == "number"
        )
        #expect(field { () throws(InvalidValue) in try Picture(id: "p", url: "https://a.b/c") } == nil)
        let model = ModelSchema(
            "M", pluralName: "Ms",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("real", .scalar(.float)),
                FieldSchema("home", .embedded("Home")), FieldSchema("kind", .enumeration("Kind")),
            ])
        let schema = Schema(
            models: [model], enums: ["Kind": ["a"]],
            embedded: ["Home": [FieldSchema("mail", .scalar(.awsEmail), isRequired: true)]])
        func problem(_ values: [Value]) -> String? { model.problem(values, in: schema)?.description }
        #expect(problem([.text("1"), .real(.infinity), .null, .null]) == "M.real: inf is no number")
        #expect(
            problem([.text("1"), .null, .text(#"{"mail":"x"}"#), .null])
                == "M.home.mail: \"x\" is not a valid AWSEmail")
        #expect(problem([.text("1"), .null, .text("{}"), .null]) == "M.home.mail: null is not allowed")
        #expect(problem([.text("1"), .null, .null, .text("b")]) == "M.kind: Kind has no case b")
        #expect(problem([.null, .null, .null, .null]) == "M.id: null is not allowed")
        #expect(problem([.text("1"), .integer(1), .null, .null])?.hasSuffix("is of another type") == true)
        #expect(problem([.text("1"), .real(1), .text(#"{"mail":"a@b.c"}"#), .text("a")]) == nil)
    }

    @Test("D18: instants that no text has, and decimals that are too long, in lists and embedded values too")
    func unwritable() throws {
        let model = ModelSchema(
            "M", pluralName: "Ms",
            fields: [
                FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("at", .scalar(.awsDateTime)),
                FieldSchema("ats", .scalar(.awsDateTime), isList: true),
                FieldSchema("pieces", .scalar(.decimal(places: 0))),
                FieldSchema("amounts", .scalar(.decimal(places: 3)), isList: true),
                FieldSchema("home", .embedded("Home")),
            ])
        let schema = Schema(
            models: [model],
            embedded: [
                "Home": [
                    FieldSchema("since", .scalar(.awsDateTime)), FieldSchema("height", .scalar(.decimal(places: 3))),
                ]
            ])
        let wire = WireFields(schema, model)
        func problem(_ field: String, _ value: Value, isRemote: Bool = false) -> String? {
            let values = model.fields.map { $0.name == field ? value : $0.name == "id" ? .text("1") : .null }
            #expect(isRemote || model.problem(values, in: schema)?.field == wire.problem(values)?.field)
            return wire.problem(values, isRemote: isRemote)?.field
        }
        for time in [DateTime.writable.lowerBound, DateTime.writable.upperBound] {
            let text = JSONValue.string(DateTime(milliseconds: time).iso8601)
            #expect(problem("at", .integer(time)) == nil)
            #expect(problem("ats", .text(JSONValue.array([text]).text)) == nil)
        }
        for time in [DateTime.writable.lowerBound - 1, DateTime.writable.upperBound + 1, .min, .max] {
            let text = JSONValue.string(DateTime(milliseconds: time).iso8601)
            #expect(problem("at", .integer(time)) == "at")
            #expect(problem("ats", .text(JSONValue.array([text]).text)) == "ats[0]")
            #expect(problem("home", .text(JSONValue.object(["since": text]).text)) == "home.since")
        }
        #expect(problem("pieces", .integer(999_999_999_999)) == nil)
        #expect(problem("pieces", .integer(1_000_000_000_000)) == "pieces")
        #expect(problem("amounts", .text("[999999999999.999]")) == nil)
        #expect(problem("amounts", .text("[1,1000000000000]")) == "amounts[1]")
        #expect(problem("home", .text(#"{"height":9223372036854775.807}"#)) == "home.height")
        // What a backend keeps nevertheless is shown as it is.
        #expect(problem("pieces", .integer(1_000_000_000_000), isRemote: true) == nil)
        let kept = [Value.text("1"), .null, .null, .null, .text("[1000000000000]"), .null]
        #expect(model.problem(kept, in: schema, isRemote: true) == nil)
    }

    @Test("D15: records known only by their schema are kept exactly as typed ones, and checked")
    func untyped() throws {
        let core = try sampleCore()
        let typed = try Author(country: "de", number: 1, name: "n", mails: ["a@b.c"])
        try core.save(typed)
        var record = typed.record
        record["number"] = .integer(2)
        try core.write(as: nil) { try $0.save(record) }
        #expect(try core.read { try $0.get(Author.self, id: "de#2") }?.mails == ["a@b.c"])
        let fields = try core.outbox().map { $0.fields["mails"] }
        #expect(fields[0] == fields[1])
        record["mails"] = .text("no json")
        #expect(throws: StoreError.self) { try core.write(as: nil) { try $0.save(record) } }
    }

    @Test("D68: rows whose keys cannot be read are each kept aside, the same one once")
    func unreadableKeys() throws {
        let core = try sampleCore()
        func row(_ json: String) -> UnreadableRecord {
            UnreadableRecord(model: "Reading", id: "", version: 1, json: json, reason: "number is missing")
        }
        for _ in 0..<2 {
            try core.applyPage(
                model: "Reading", items: [], unreadable: [row("{\"site\":\"a\"}"), row("{\"site\":\"b\"}")],
                mark: SyncMark(model: "Reading"))
        }
        let kept = try core.quarantined()
        #expect(Set(kept.map(\.json)) == ["{\"site\":\"a\"}", "{\"site\":\"b\"}"])
        #expect(kept.map(\.id) == ["", ""])
        let long = String(repeating: "x", count: 5000)
        for end in ["1", "2", "1"] {
            let page = [row("{\"site\":\"\(long)\(end)\"}")]
            try core.applyPage(model: "Reading", items: [], unreadable: page, mark: SyncMark(model: "Reading"))
        }
        #expect(try core.quarantined().count == 4)
        #expect(try core.quarantined().contains { $0.json == "{\"site\":\"\(long)2\"}" })
    }
}
