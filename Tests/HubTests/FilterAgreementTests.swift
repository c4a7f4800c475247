import AppSync
import Basics
import ModelTables
import Models
import Testing

@testable import Hub

/// What a store believes that the API can be asked, against the API: each field type, operator and place.
@Suite("What stores ask of filters and conditions")
struct FilterAgreementTests {
    private static let texts: [(ScalarType, [String])] = [
        (.id, ["a", "ab"]), (.string, ["a", "ab"]), (.awsDate, ["2026-01-01", "2026-01-02Z"]),
        (.awsTime, ["10:00:00Z", "11:00"]), (.awsEmail, ["a@b.c", "b@b.c"]),
        (.awsPhone, ["+4930123456", "+4930123457"]),
        (.awsURL, ["https://a.b", "https://a.c"]), (.awsIPAddress, ["1.2.3.4", "1.2.3.5"]),
        (.awsJSON, [#"{"a":1}"#, #"{"a":2}"#]),
    ]
    private static let scalars: [(ScalarType, [Value])] =
        texts.map { ($0.0, $0.1.map { .text($0) }) } + [
            (.int, [.integer(1), .integer(2_147_483_647), .integer(1 << 31)]),
            (.awsTimestamp, [.integer(0), .integer(1_795_254_060_123)]), (.float, [.real(0.5), .real(2), .real(.nan)]),
            (.decimal(places: 3), [.integer(1500), .integer(2000)]), (.boolean, [.integer(0), .integer(1)]),
            (.awsDateTime, [.integer(0), .integer(86_400_000), .integer(.max)]),
        ]
    /// Each type alone and in a list, with values of it.
    private static let fields: [(field: FieldSchema, values: [Value])] = {
        let types: [(FieldType, [Value])] =
            scalars.map { (.scalar($0.0), $0.1) } + [(.enumeration("Kind"), [.text("rack"), .text("shelf")])]
        return types.enumerated().flatMap { index, type in
            [false, true].map { (FieldSchema("f\(index)\($0 ? "s" : "")", type.0, isList: $0), type.1) }
        }
    }()
    private static let model = ModelSchema(
        "Thing", pluralName: "Things",
        fields: [FieldSchema("id", .scalar(.id), isRequired: true)] + fields.map(\.field)
            + [FieldSchema("place", .embedded("Place"))])
    private static let schema = Schema(
        models: [model], enums: ["Kind": ["rack", "shelf"]],
        embedded: ["Place": [FieldSchema("row", .scalar(.int))]])

    private static func typeName(_ place: FilterPlace) -> String {
        switch place {
        case .filter: model.filterTypeName
        case .condition: model.conditionTypeName
        case .subscription: model.subscriptionFilterTypeName
        }
    }

    @Test("are operators that the API has", arguments: FilterPlace.allCases)
    func operators(_ place: FilterPlace) throws {
        let api = try HubSchema(Self.schema)
        let input = try #require(api.input(Self.typeName(place)))
        for field in Self.model.fields {
            let operators = Self.model.filterOperators(of: field, in: place)
            guard !operators.isEmpty else { continue }
            let type = try #require(input.field(field.name)?.type.name)
            for name in operators {
                #expect(api.input(type)?.field(name.rawValue) != nil, "\(field.name) \(name) in \(place)")
            }
        }
    }

    @Test("are taken by the hub, and mean there what they mean here", arguments: FilterPlace.allCases)
    func meanings(_ place: FilterPlace) throws {
        let api = try HubSchema(Self.schema)
        var asked = 0
        for (field, values) in Self.fields {
            let rows = Self.rows(field, values)
            for comparison in Self.comparisons(field, values) {
                for node in [PredicateNode.field(field.name, comparison), .not(.field(field.name, comparison))] {
                    guard let json = try? node.wireInput(for: Self.model, in: place) else { continue }
                    asked += 1
                    let name = "\(place): \(field.type) \(node)"
                    do {
                        let coerced = try Coercion(schema: api, name: "f").value(json, .named(Self.typeName(place)))
                        let there = try RowFilter(coerced, for: Self.model)
                        let here = try RecordFilter(node, of: Self.model)
                        for row in rows {
                            #expect(there.matches(row, Self.model) == here.matches(row.values), "\(name)")
                        }
                    } catch {
                        #expect(Bool(false), "\(name): \(error)")
                    }
                }
            }
        }
        #expect(asked > 300)
    }

    private static func rows(_ field: FieldSchema, _ values: [Value]) -> [HubRow] {
        var held: [Value] = [.null]
        if field.isList {
            let elements = values.map { element($0, field) }
            held += [[], [elements[0]], [elements[1], elements[0]]].map { .text(JSONValue.array($0).text) }
        } else {
            held += values.filter { fits($0, field) }
        }
        return held.map { value in
            HubRow(
                rowID: 1, values: model.fields.map { $0.name == field.name ? value : .null }, version: 1,
                deleted: false,
                lastChangedAt: 0)
        }
    }

    private static func fits(_ value: Value, _ field: FieldSchema) -> Bool {
        (try? schema.storageValue(of: schema.wireValue(of: value, for: field), for: field, in: model.name)) != nil
    }

    private static func element(_ value: Value, _ field: FieldSchema) -> JSONValue {
        if case .scalar(let scalar) = field.type { scalar.wireValue(of: value) } else { .string(value.text ?? "") }
    }

    private static func comparisons(_ field: FieldSchema, _ values: [Value]) -> [Comparison] {
        let operands = values + [.null]
        var result: [Comparison] = [
            .exists(true), .exists(false), .beginsWith("a"), .isIn([]), .notIn([]), .isIn(operands), .notIn(operands),
            .isIn(Array(values.prefix(2))), .notIn(Array(values.prefix(2))), .isIn([values[0], .null]),
            .between(values[0], values[1]), .between(values[0], .null), .equalsIgnoringCase("a"),
        ]
        for operand in operands {
            result += [
                .equal(operand), .notEqual(operand), .less(operand), .lessOrEqual(operand), .greater(operand),
                .greaterOrEqual(operand), .contains(operand), .notContains(operand),
            ]
        }
        if field.isList {
            let list = Value.text(JSONValue.array([element(values[0], field)]).text)
            result += [.equal(list), .notEqual(list), .less(list), .isIn([list, .null]), .notIn([list])]
        }
        return result
    }

    @Test("and no operand is compared with the text that a list is stored as")
    func listsAreNoTexts() throws {
        let schema = try Schema(
            sdl: """
                enum Kind { rack shelf }
                type Thing @model @auth(rules: [{ allow: groups, groups: ["everyone"] }]) {
                  id: ID! tags: [String] kinds: [Kind]
                }
                """)
        let hub = try HubFixture(schema)
        hub.send("mutation { createThing(input: {id: \"1\", tags: [\"a\"], kinds: [rack]}) { id } }")
        func found(_ filter: String) -> Int? {
            hub.send("{ listThings(filter: {\(filter)}) { items { id } } }").result?["items"]?.array?.count
        }
        for test in ["ge: \"B\"", "gt: \"\"", "lt: \"x\"", "beginsWith: \"[\"", "eq: \"[\\\"a\\\"]\""] {
            #expect(found("tags: {\(test)}") == 0, "\(test)")
        }
        #expect(found("tags: {contains: \"a\"}") == 1 && found("tags: {ne: \"a\"}") == 1)
        #expect(found("kinds: {eq: [rack]}") == 1 && found("kinds: {eq: [shelf]}") == 0)
    }
}
