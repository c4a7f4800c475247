import DataStore
import Models

/// The models of the workload, before and after its migration.
enum WorkloadSchema {
    private static let id = FieldSchema("id", .scalar(.id), isRequired: true)

    private static func box(_ content: String) -> ModelSchema {
        ModelSchema(
            "Box", pluralName: "Boxes",
            fields: [
                id, FieldSchema("shelfID", .scalar(.id), isRequired: true),
                FieldSchema(content, .scalar(.string), isRequired: true),
            ], indexes: [IndexSchema("byShelf", fields: ["shelfID"])],
            relations: [RelationSchema("shelf", .belongsTo, target: "Shelf", fields: ["shelfID"])])
    }

    private static func shelf(_ more: [FieldSchema]) -> ModelSchema {
        ModelSchema(
            "Shelf", pluralName: "Shelves",
            fields: [
                id, FieldSchema("label", .scalar(.string), isRequired: true),
                FieldSchema("count", .scalar(.int), merge: .counter),
            ] + more)
    }

    private static let zone = ModelSchema(
        "Zone", pluralName: "Zones", fields: [id, FieldSchema("code", .scalar(.string), isRequired: true)],
        syncPolicy: .downstream)

    static let first = Schema(models: [shelf([]), box("text"), zone])
    static let second = Schema(
        models: [
            shelf([FieldSchema("place", .scalar(.string), isRequired: true, defaultValue: "floor")]), box("content"),
            zone,
        ])
    static let versions = [
        SchemaVersion(
            1,
            [
                .renameField("Box", "text", to: "content"),
                .rewrite("Shelf") { shelf in
                    if let label = shelf["label"]?.string { shelf["place"] = .string("by " + label) }
                },
            ])
    ]
}
