import Basics
import Models

/// A schema with every kind of field, for the wire's tests.
enum Sample {
    static let note = ModelSchema(
        "Note", pluralName: "Notes",
        fields: [
            FieldSchema("id", .scalar(.id), isRequired: true),
            FieldSchema("title", .scalar(.string), isRequired: true),
            FieldSchema("size", .scalar(.int)),
            FieldSchema("weight", .scalar(.float)),
            FieldSchema("amount", .scalar(.decimal(places: 3))),
            FieldSchema("done", .scalar(.boolean)),
            FieldSchema("dueOn", .scalar(.awsDate)),
            FieldSchema("at", .scalar(.awsDateTime)),
            FieldSchema("ticks", .scalar(.awsTimestamp)),
            FieldSchema("kind", .enumeration("Kind")),
            FieldSchema("extra", .scalar(.awsJSON)),
            FieldSchema("tags", .scalar(.string), isRequired: true, isList: true, isElementRequired: true),
            FieldSchema("kinds", .enumeration("Kind"), isList: true),
            FieldSchema("place", .embedded("Place")),
            FieldSchema("createdAt", .scalar(.awsDateTime), isReadOnly: true),
        ])
    static let lot = ModelSchema(
        "Lot", pluralName: "Lots",
        fields: [
            FieldSchema("site", .scalar(.id), isRequired: true),
            FieldSchema("number", .scalar(.int), isRequired: true),
            FieldSchema("text", .scalar(.string), defaultValue: "none"),
        ], primaryKey: ["site", "number"])
    static let schema = Schema(
        models: [note, lot], enums: ["Kind": ["LOW", "HIGH"]],
        embedded: [
            "Place": [
                FieldSchema("row", .scalar(.int), isRequired: true), FieldSchema("name", .scalar(.string)),
            ]
        ])
}

extension JSONValue {
    /// Parses test text.
    static func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }
}
