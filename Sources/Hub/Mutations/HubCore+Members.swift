import Basics
import Models

/// A client that says what the fields of an update were to it before its change gets a merge that AppSync cannot make: a
/// field, or a member of an embedded value, that is still what it was takes the change, on whatever version it was made.
///
/// Embedded values are sent whole, by clients that may not know all of their members: those of an earlier version do not
/// ask for what a later one added. Only what differs between the two is changed, and the rest stays as it is here.
extension HubCore {
    /// Reads what an update's fields were before it, by position. What is no field of the input has none.
    func bases(_ object: JSONObject, _ mutation: Mutation) -> [Int: JSONValue] {
        let model = mutation.model.schema
        var result: [Int: JSONValue] = [:]
        for (name, json) in object.members {
            guard let position = model.position(of: name), mutation.input.values[position] != nil else { continue }
            // In the form that is stored, so that equal is equal; what an earlier version made may lack what is asked now.
            let field = model.fields[position]
            let value = try? engine.schema.source.storageValue(
                of: json, for: field, in: model.name, keepsDateTimes: mutation.model.keepsDateTimes[position])
            result[position] = value.map { field.wireValue(of: $0) } ?? json
        }
        return result
    }

    /// What fields were before, of those that a merge may go by: not of what a function has put in, and not of fields that
    /// the author may not read. What became of them would tell whether he has guessed right.
    func bases(of mutation: Mutation, _ stored: HubRow) -> [Int: JSONValue] {
        if mutation.bases.isEmpty { return [:] }
        let others = shown(stored, mutation).hidden.positions.union(mutation.changes.map(\.position))
        return mutation.bases.filter { !others.contains($0.key) }
    }

    /// An update's input with what its author left as it was taken from the stored values.
    func inputKeepingMembers(_ mutation: Mutation, _ stored: HubRow) -> [Value?] {
        var input = mutation.input.values
        for (position, base) in mutation.bases where mutation.keepsMembers(at: position) {
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

extension Mutation {
    /// Whether an embedded value is changed member by member though nobody else has changed the record.
    func keepsMembers(at position: Int) -> Bool {
        guard case .embedded = model.schema.fields[position].type, let base = bases[position], !base.isNull,
            let given = input.values[position]
        else { return false }
        return !given.isNull
    }
}
