import Basics
import Models
import Testing

@testable import Hub

/// What `appsync-protocol.md` promises, as data: requests and answers, each with its paragraph.
enum Conformance {}

@Suite("The hub answers as the reference says")
struct ConformanceTests {
    private func carryOut(_ conversation: Conversation) throws {
        var listener = Listener(try HubFixture(ConformanceSchema.schema))
        try listener.carryOut(conversation)
    }

    @Test(arguments: Conformance.http) func http(_ conversation: Conversation) throws { try carryOut(conversation) }
    @Test(arguments: Conformance.validation) func validation(_ conversation: Conversation) throws {
        try carryOut(conversation)
    }
    @Test(arguments: Conformance.records) func records(_ conversation: Conversation) throws {
        try carryOut(conversation)
    }
    @Test(arguments: Conformance.syncing) func syncing(_ conversation: Conversation) throws {
        try carryOut(conversation)
    }
    @Test(arguments: Conformance.conflicts) func conflicts(_ conversation: Conversation) throws {
        try carryOut(conversation)
    }
    @Test(arguments: Conformance.realtime) func realtime(_ conversation: Conversation) throws {
        try carryOut(conversation)
    }

    /// Each type of the API as lines of the schema language.
    private static let lines: [String: [String]] = {
        guard let hub = try? HubFixture(ConformanceSchema.schema) else { return [:] }
        let types = hub.send(IntrospectionTests.standard).result?["types"]?.array ?? []
        var lines: [String: [String]] = [:]
        for type in types { lines[type["name"]?.string ?? ""] = text(of: type) }
        return lines
    }()

    private static func text(of type: JSONValue) -> [String] {
        func notation(_ type: JSONValue?) -> String {
            switch type?["kind"]?.string {
            case "NON_NULL": notation(type?["ofType"]) + "!"
            case "LIST": "[" + notation(type?["ofType"]) + "]"
            default: type?["name"]?.string ?? "?"
            }
        }
        func value(_ json: JSONValue) -> String { "\(json["name"]?.string ?? ""): \(notation(json["type"]))" }
        let fields = (type["fields"]?.array ?? []).map { field in
            let arguments = (field["args"]?.array ?? []).map(value)
            let list = arguments.isEmpty ? "" : "(\(arguments.joined(separator: ", ")))"
            return "\(field["name"]?.string ?? "")\(list): \(notation(field["type"]))"
        }
        return fields + (type["inputFields"]?.array ?? []).map(value)
            + (type["enumValues"]?.array ?? []).compactMap { $0["name"]?.string }
    }

    @Test(arguments: Conformance.api) func api(_ promise: Conformance.Promise) {
        let lines = Self.lines[promise.type] ?? []
        if promise.isWhole {
            #expect(lines == promise.lines, "\(promise.paragraph), \(promise.type)")
        } else {
            let missing = promise.lines.filter { !lines.contains($0) }
            #expect(missing.isEmpty, "\(promise.paragraph), \(promise.type): \(lines.joined(separator: "\n"))")
        }
    }

    @Test func descriptionsAndDeprecationsAreTold() throws {
        let hub = try HubFixture(ConformanceSchema.schema)
        let query = """
            query Q($all: Boolean) {
              __type(name: "Note") {
                description
                fields { name }
                all: fields(includeDeprecated: true) { name description isDeprecated deprecationReason }
                asked: fields(includeDeprecated: $all) { name }
              }
              scalar: __type(name: "AWSDate") { description specifiedByURL }
              __schema { directives { name locations args { name type { name } defaultValue } } }
            }
            """
        let data = hub.send(query, ["all": true])["data"]
        let note = data?["__type"]
        #expect(note?["description"] == "A note.")
        #expect(note?["fields"]?.array?.contains(["name": "old"]) == false)
        let fields = note?["all"]?.array ?? []
        #expect(
            fields.first { $0["name"] == "old" } == [
                "name": "old", "description": .null, "isDeprecated": true, "deprecationReason": "Use title.",
            ])
        #expect(fields.first { $0["name"] == "title" }?["description"] == "What it says first.")
        #expect(note?["asked"]?.array?.contains(["name": "old"]) == true)
        #expect(data?["scalar"]?["specifiedByURL"]?.string?.hasPrefix("https://") == true)
        let directives = data?["__schema"]?["directives"]?.array ?? []
        #expect(
            directives.first { $0["name"] == "deprecated" }?["args"]?[0]?["defaultValue"] == "\"No longer supported\"")
        #expect(hub.send(query, ["all": false])["data"]?["__type"]?["asked"]?.array?.contains(["name": "old"]) == false)
    }
}
