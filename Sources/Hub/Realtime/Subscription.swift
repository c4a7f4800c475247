import AppSync
import Basics
import Models

/// One live subscription of one connection.
struct Subscription {
    let connection: UInt64
    /// The id that the client chose.
    let id: String
    var sight: Sight
    let filter: RowFilter
    /// Owner arguments: the field's position and the name it must hold.
    let owners: [RowRule]
    /// Who started it, for relations that his rights decide.
    var request: RunnableRequest

    /// What a change is to it: the row as its subscriber sees it, or nil where it is not for him. Rights come first, so
    /// that a filter never learns of a row or a field it may not.
    func take(_ change: CommittedChange, _ model: ModelSchema) -> (row: HubRow, hidden: Hidden)? {
        if sight.rows.allows(change.row.values) { return matching(change.row, model) }
        guard let departed = change.departed, sight.rows.allows(departed.values) else { return nil }
        return matching(departed, model)
    }

    private func matching(_ row: HubRow, _ model: ModelSchema) -> (row: HubRow, hidden: Hidden)? {
        let shown = sight.isClear ? (row, .nothing) : sight.shown(row)
        guard owners.allSatisfy({ $0.matches(shown.row.values) }), filter.matches(shown.row, model) else { return nil }
        return shown
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
