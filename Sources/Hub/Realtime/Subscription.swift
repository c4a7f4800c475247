import AppSync
import Basics
import Models

/// One live subscription of one connection.
struct Subscription {
    let connection: UInt64
    /// The id that the client chose.
    let id: String
    let access: Access
    let filter: RowFilter
    /// Owner arguments: the field's position and the name it must hold.
    let owners: [RowRule]
    /// Who started it, for relations that his rights decide.
    let request: RunnableRequest

    /// Whether a change is for it. Rights come first, so that a filter never learns of a row it may not.
    func wants(_ row: HubRow, _ model: ModelSchema) -> Bool {
        access.allows(row.values) && owners.allSatisfy { $0.matches(row.values) } && filter.matches(row, model)
    }
}

/// Subscriptions that get the very same payload: one root field, one key, one selection.
struct SubscriptionGroup {
    let field: SelectedField
    let selection: ObjectSelection
    let model: Int
    var members: [Subscription] = []
}

extension ObjectSelection {
    /// A text that is equal for selections that give equal answers.
    var signature: String {
        var text = "{"
        for field in fields {
            text += field.key + ":" + field.definition.name
            if !field.arguments.isEmpty { text += "(\(field.arguments.map { "\($0.name)=\($0.value.kind)" }))" }
            if let selection = field.selection { text += selection.signature }
            text += ","
        }
        return text + "}"
    }
}

/// What the registry wants its shell to do.
public enum RealtimeAction: Sendable, Hashable {
    /// Send one text frame, given as UTF-8, to these connections.
    case send(to: [UInt64], frame: [UInt8])
    /// Close a connection after what was sent.
    case close(UInt64, code: UInt16, reason: String)
}

/// How a connection's credentials came with its upgrade.
public enum RealtimeCredentials: Sendable, Hashable {
    /// An authorisation object, from the query, the subprotocol or the HTTP header fields.
    case object(RealtimeAuthorization)
    /// Something that is no authorisation object.
    case malformed
    /// The client did not offer the subprotocol `graphql-ws`.
    case noProtocol
}
