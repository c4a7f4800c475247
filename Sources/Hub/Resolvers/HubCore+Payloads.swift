import AppSync
import Basics
import Models

extension HubCore {
    /// What a conflict handler gets: AppSync's contract (`appsync-protocol.md` §3.3), and who asks.
    func conflictPayload(_ mutation: Mutation, _ stored: HubRow, preview: [Value], deleted: Bool) -> JSONValue {
        [
            "newItem": codec.item(
                preview, mutation.model, version: mutation.input.version ?? 0, deleted: deleted ? true : nil),
            "existingItem": codec.item(stored, mutation.model),
            "arguments": arguments(mutation),
            "resolver": [
                "tableName": .string(mutation.model.schema.name), "awsRegion": "local", "parentType": "Mutation",
                "field": .string(mutation.root.name),
            ],
            "identity": identity(mutation.rights.caller),
            "caller": caller(mutation.rights.caller),
        ]
    }

    /// What a function before a mutation gets: an event of Amplify's `@function`, with the record as it is.
    func beforePayload(_ mutation: Mutation, _ stored: HubRow?) -> JSONValue {
        .object(
            event(
                "before", mutation,
                [(key: "existingItem", value: stored.map { codec.item($0, mutation.model) } ?? .null)]))
    }

    /// What a function after a mutation gets: the same event with what was committed.
    ///
    /// Its name is kept with it, and no other delivery ever has it: numbers are never given again, lives differ in their
    /// epochs, and a machine that is set back unnoticed gives its later commits other stamps.
    func afterPayload(_ mutation: Mutation, _ row: HubRow, previous: HubRow?, number: Int64) -> JSONValue {
        let delivery = "\(epoch)/\(stamp)/\(number)"
        return .object(
            event(
                "after", mutation,
                [
                    (key: "delivery", value: .string(delivery)),
                    (key: "result", value: codec.item(row, mutation.model)),
                    (key: "previous", value: previous.map { codec.item($0, mutation.model) } ?? .null),
                ]))
    }

    private func event(
        _ stage: String, _ mutation: Mutation, _ more: [(key: String, value: JSONValue)]
    ) -> JSONObject {
        JSONObject(
            [
                (key: "stage", value: .string(stage)), (key: "typeName", value: "Mutation"),
                (key: "fieldName", value: .string(mutation.root.name)),
                (key: "model", value: .string(mutation.model.schema.name)),
                (key: "operation", value: .string("\(mutation.root.kind)")),
                (key: "arguments", value: arguments(mutation)),
                (key: "identity", value: identity(mutation.rights.caller)),
                (key: "caller", value: caller(mutation.rights.caller)),
                (key: "mutationId", value: mutation.id.map { .string($0) } ?? .null),
            ] + more)
    }

    /// The arguments as the function would have them from AppSync: the input with `AWSJSON` opened.
    private func arguments(_ mutation: Mutation) -> JSONValue {
        let fields = mutation.model.schema.fields
        var input = JSONObject()
        for (position, value) in mutation.effectiveInput.enumerated() {
            guard let value else { continue }
            input.members.append((fields[position].name, codec.json(value, fields[position])))
        }
        if let version = mutation.input.version { input.members.append(("_version", .integer(version))) }
        var arguments: JSONObject = ["input": .object(input)]
        if let condition = mutation.conditionJSON { arguments["condition"] = condition }
        if !mutation.operations.isEmpty {
            arguments["operations"] = .object(
                JSONObject(mutation.operations.map { (key: fields[$0.position].name, value: $0.operation.wire) }))
        }
        return .object(arguments)
    }

    /// AppSync's identity: null under an API key that names no person, and what the authorizer said of whom it let in.
    private func identity(_ caller: Caller) -> JSONValue {
        if caller.provider == .function {
            let context = caller.claims.filter { $0.key != Caller.deniedFieldsClaim }
            return ["resolverContext": object(context)]
        }
        guard let person = caller.person else { return .null }
        return [
            "sub": .string(person), "username": .string(person),
            "groups": .array(caller.groups.sorted().map { .string($0) }),
            "claims": object(caller.claims),
        ]
    }

    private func object(_ values: [String: JSONValue]) -> JSONValue {
        .object(JSONObject(values.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }))
    }

    /// What the hub believes of who asks, whatever he has shown.
    private func caller(_ caller: Caller) -> JSONValue {
        [
            "groups": .array(caller.groups.sorted().map { .string($0) }),
            "person": caller.person.map { .string($0) } ?? .null,
            "device": caller.device.map { .string($0) } ?? .null,
        ]
    }
}
