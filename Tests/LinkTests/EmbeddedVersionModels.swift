import Basics
import Models

/// A model whose embedded types gain members from one version of its schema to the next.
enum EmbeddedVersions {
    /// The hub's schema of the later version.
    static let laterText = """
        type Door { code: String floor: Int }
        type Address { street: String town: String door: Door }
        type Line { item: String! count: Int note: String }
        type Order @model \(Versions.rules) { id: ID! address: Address lines: [Line!]! }
        """
    static let earlier = schema(door: [], line: [])
    static let later = schema(
        door: [FieldSchema("floor", .scalar(.int))], line: [FieldSchema("note", .scalar(.string))])

    static let order = ModelSchema(
        "Order", pluralName: "Orders",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true), FieldSchema("address", .embedded("Address")),
            FieldSchema("lines", .embedded("Line"), isRequired: true, isList: true, isElementRequired: true),
        ])

    private static func schema(door: [FieldSchema], line: [FieldSchema]) -> Schema {
        Schema(
            models: [order],
            embedded: [
                "Door": [FieldSchema("code", .scalar(.string))] + door,
                "Address": [
                    FieldSchema("street", .scalar(.string)), FieldSchema("town", .scalar(.string)),
                    FieldSchema("door", .embedded("Door")),
                ],
                "Line": [FieldSchema("item", .scalar(.string), isRequired: true), FieldSchema("count", .scalar(.int))]
                    + line,
            ])
    }
}

/// An embedded value as it is.
private struct Embedded: EmbeddedFieldValue {
    let json: JSONValue

    init(json: JSONValue) { self.json = json }
}

/// An order; the two versions differ in what their embedded types hold.
struct Order<Version>: Model, Equatable {
    let id: String
    var address: JSONValue
    var lines: [JSONValue]

    static var schema: ModelSchema { EmbeddedVersions.order }

    init(id: String, address: JSONValue, lines: [JSONValue]) {
        self.id = id
        self.address = address
        self.lines = lines
    }

    func encode(into encoder: inout some FieldEncoder) {
        encoder.encode(id)
        encoder.encode(Embedded(json: address).storageValue)
        encoder.encode(lines.map { Embedded(json: $0) }.storageValue)
    }

    init(from decoder: inout some FieldDecoder) throws(FieldError) {
        id = try decoder.decode()
        address = try decoder.decode(Embedded.self).json
        lines = try decoder.decode([Embedded].self).map(\.json)
    }
}

enum EarlierVersion: Sendable {}
enum LaterVersion: Sendable {}
typealias EarlierOrder = Order<EarlierVersion>
typealias LaterOrder = Order<LaterVersion>
