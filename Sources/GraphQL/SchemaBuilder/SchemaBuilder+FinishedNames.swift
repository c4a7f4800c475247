import Models

extension SchemaBuilder {
    /// Refuses a model in which something that is added (a key, an owner, a timestamp, the key of a relation) comes to the
    /// name of something that is there: as in the database, upper and lower case are no difference.
    mutating func checkFinishedNames(_ position: Int) {
        let model = models[position]
        let definition = model.definition
        func place(_ name: String) -> SourcePosition {
            definition.fields.first { $0.name == name }?.position ?? definition.namePosition
        }
        let fields = model.fields + model.readOnly
        var known: [String: String] = [:]
        for field in fields {
            guard let other = known.updateValue(field.name, forKey: field.name.lowercased()) else { continue }
            // What was written was compared when it was read.
            if [field.name, other].allSatisfy({ name in definition.fields.contains { $0.name == name } }) { continue }
            mistake(
                place(definition.fields.contains { $0.name == other } ? other : field.name),
                "\(definition.name) gets a field \(field.name), which differs from \(other) only in upper and lower case"
            )
        }
        for relation in model.relations where known[relation.name.lowercased()] != nil || relation.name == "id" {
            mistake(
                place(relation.name),
                "relation \(relation.name): \(definition.name) gets a field of this name, for its key, its owner or another "
                    + "relation; choose another name")
        }
        if fields.count > Self.mostFields {
            mistake(
                definition.namePosition,
                "model \(definition.name) has \(fields.count) fields; at most \(Self.mostFields)")
        }
    }

    /// SQLite's 2,000 columns, and room for what stores and hubs keep beside the fields.
    private static let mostFields = 1_900
}
