import Basics
import GraphQL
import Models
import Testing
import WarehouseModels

@testable import Hub

@Suite struct IntrospectionTests {
    /// graphql-core's `get_introspection_query()` with every option on.
    static let standard = """
        query IntrospectionQuery {
          __schema {
            description
            queryType { name kind }
            mutationType { name kind }
            subscriptionType { name kind }
            types { ...FullType }
            directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
          }
        }
        fragment FullType on __Type {
          kind name description specifiedByURL
          fields(includeDeprecated: true) {
            name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
          }
          inputFields(includeDeprecated: true) { ...InputValue }
          interfaces { ...TypeRef }
          enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
          possibleTypes { ...TypeRef }
        }
        fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
        fragment TypeRef on __Type {
          kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
            ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } }
        }
        """

    @Test func theStandardQueryDescribesEveryTypeThatIsNamed() throws {
        let hub = try HubFixture(warehouse)
        let json = hub.send(Self.standard)
        #expect(json["errors"] == nil)
        let types = try #require(json.result?["types"]?.array)
        let names = Set(types.compactMap { $0["name"]?.string })
        #expect(names.count == types.count)
        var referenced: Set<String> = []
        func visit(_ json: JSONValue) {
            switch json {
            case .array(let elements): elements.forEach(visit)
            case .object(let object):
                if object["kind"] != nil, let name = object["name"]?.string { referenced.insert(name) }
                object.members.forEach { visit($0.value) }
            default: break
            }
        }
        visit(json)
        #expect(referenced.subtracting(names).isEmpty)
        #expect(
            names.isSuperset(of: ["CountEntry", "ModelCountEntryFilterInput", "CreateBinInput", "ModelBinConnection"]))
        #expect(!names.contains("Draft"))
        let directives = json.result?["directives"]?.array?.compactMap { $0["name"]?.string }
        #expect(directives == ["include", "skip", "deprecated", "specifiedBy"])
    }

    @Test(arguments: ["mutation", "subscription"])
    func `operations that no model has are no root, and are refused`(_ kind: String) throws {
        let text =
            "type Note @model(\(kind)s: null) @auth(rules: [{ allow: groups, groups: [\"everyone\"] }]) { id: ID! }"
        let hub = try HubFixture(try Schema(sdl: text))
        let json = hub.send(Self.standard)
        #expect(json["errors"] == nil)
        let other = kind == "mutation" ? "subscription" : "mutation"
        #expect(json.result?["queryType"]?["name"] == "Query")
        #expect(json.result?["\(kind)Type"] == .null)
        #expect(json.result?["\(other)Type"]?["name"]?.string?.lowercased() == other)
        for type in json.result?["types"]?.array ?? [] {
            #expect(type["fields"]?.array?.isEmpty != true, "\(type["name"] ?? "") has no fields")
        }
        let refused = hub.send("\(kind) { __typename }")
        #expect(refused["data"] == .null)
        #expect(refused["errors"]?.array?.count == 1)
        #expect(refused.errorMessage == "Schema is not configured for \(kind)s.")
    }

    @Test func oneTypeIsDescribedByName() throws {
        let hub = try HubFixture()
        let type = hub.send(
            "{ __type(name: \"CreateNoteInput\") { kind inputFields { name type { kind name ofType { name } } } } __typename }"
        )
        #expect(type["data"]?["__typename"] == "Query")
        let fields = type["data"]?["__type"]?["inputFields"]?.array ?? []
        #expect(fields.first { $0["name"] == "id" }?["type"]?["kind"] == "SCALAR")
        #expect(fields.first { $0["name"] == "title" }?["type"]?["ofType"]?["name"] == "String")
        #expect(fields.first { $0["name"] == "mood" }?["type"]?["kind"] == "ENUM")
        #expect(fields.contains { $0["name"] == "createdAt" } == false)
        #expect(hub.send("{ __type(name: \"Nope\") { name } }").result == .null)
    }
}
