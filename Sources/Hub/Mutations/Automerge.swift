import Basics
import Models

/// AppSync's automerge of an update that was made on a stale version (`appsync-protocol.md` §3.2).
enum Automerge {
    /// Merges an input into the stored values: what is there wins, what is missing is taken, lists grow.
    static func merge(_ input: [Value?], into values: inout [Value], _ model: ModelInfo) {
        for position in values.indices where !model.keyPositions.contains(position) {
            guard let incoming = input[position], !incoming.isNull else { continue }
            let field = model.schema.fields[position]
            if values[position].isNull {
                values[position] = incoming
            } else if field.isList {
                values[position] = appended(values[position], incoming)
            } else if case .embedded = field.type {
                values[position] = merged(values[position], incoming)
            }
        }
    }

    /// Elements go to the end; doubles stay, as AppSync has it for lists.
    private static func appended(_ stored: Value, _ incoming: Value) -> Value {
        guard case .text(let a) = stored, case .text(let b) = incoming,
            case .array(let first)? = try? JSONValue(parsing: a), case .array(let second)? = try? JSONValue(parsing: b)
        else { return stored }
        return .text(JSONValue.array(first + second).text)
    }

    private static func merged(_ stored: Value, _ incoming: Value) -> Value {
        guard case .text(let a) = stored, case .text(let b) = incoming, let first = try? JSONValue(parsing: a),
            let second = try? JSONValue(parsing: b)
        else { return stored }
        return .text(merged(first, second).canonical.text)
    }

    private static func merged(_ stored: JSONValue, _ incoming: JSONValue) -> JSONValue {
        switch (stored, incoming) {
        case (.null, _): return incoming
        case (.array(let a), .array(let b)): return .array(a + b)
        case (.object(var object), .object(let other)):
            for (key, value) in other.members where !value.isNull {
                object[key] = object[key].map { merged($0, value) } ?? value
            }
            return .object(object)
        default: return stored
        }
    }
}
