import Basics
import Models

/// Embedded values are sent whole, by clients that may not know all of their members: those of an earlier version do not
/// ask for what a later one added. A client that says what such a value was to him before his change changes only what
/// differs between the two, and the rest stays as it is here.
extension HubCore {
    /// Reads the bases of an update's embedded values. What is no such value of the input has none.
    func embeddedBases(_ object: JSONObject, _ mutation: Mutation) -> [(position: Int, value: JSONValue)] {
        let model = mutation.model.schema
        return object.members.compactMap { name, json in
            guard let position = model.position(of: name), case .embedded = model.fields[position].type,
                let input = mutation.input.values[position], !input.isNull, !json.isNull
            else { return nil }
            // In the form that is stored, so that equal is equal; what an earlier version made may lack what is asked now.
            let field = model.fields[position]
            let value = try? engine.schema.source.storageValue(
                of: json, for: field, in: model.name, keepsDateTimes: mutation.model.keepsDateTimes[position])
            return (position, value.map { field.wireValue(of: $0) } ?? json)
        }
    }

    /// An update's input with what its author left as it was taken from the stored values.
    func inputKeepingMembers(_ mutation: Mutation, _ stored: HubRow) -> [Value?] {
        var input = mutation.input.values
        for (position, base) in mutation.bases {
            let model = mutation.model
            let field = model.schema.fields[position]
            guard let given = input[position], !stored.values[position].isNull else { continue }
            let result = field.wireValue(of: stored.values[position]).taking(field.wireValue(of: given), over: base)
            // The input fits its field, and what is stored does: so does what is made of both. If not, the input stands.
            let value = try? engine.schema.source.storageValue(
                of: result, for: field, in: model.schema.name, keepsDateTimes: model.keepsDateTimes[position])
            input[position] = value ?? given
        }
        return input
    }
}
