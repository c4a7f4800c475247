import AppSync
import Basics
import Models

/// One live subscription of one connection.
struct Subscription {
    let connection: UInt64
    /// The id that the client chose.
    let id: String
    let dialect: RealtimeDialect
    var sight: Sight
    let filter: RowFilter
    /// Basic arguments: what their fields must hold.
    let arguments: [ArgumentRule]
    /// Who started it, for relations that his rights decide.
    var request: RunnableRequest

    /// Whose time and memory it goes by.
    let payer: String
    /// About how many bytes its variables take.
    let variableBytes: Int
    /// Equal for subscriptions whose frames are alike to the last byte.
    let frameKey: ByteText

    init(
        connection: UInt64, id: String, dialect: RealtimeDialect, sight: Sight, filter: RowFilter,
        arguments: [ArgumentRule], request: RunnableRequest
    ) {
        self.connection = connection
        self.id = id
        self.dialect = dialect
        self.sight = sight
        self.filter = filter
        self.arguments = arguments
        self.request = request
        payer = request.rights.caller.payer
        variableBytes = request.given.isEmpty ? 0 : 4 * JSONValue.object(request.given).bytes.count
        frameKey = ByteText((dialect == .appSync ? "a" : "t") + id)
    }

    /// The frame that carries a payload to it.
    func frame(_ payload: [UInt8]) -> [UInt8] {
        switch dialect {
        case .appSync: RealtimeFrame.data(id: id, payload: payload)
        case .transport: GraphQLTransportFrame.next(id: id, payload: payload).bytes
        }
    }

    /// The frames that end it: with errors it failed, without any it is over and may be started again.
    func ending(_ errors: [ResponseError]) -> [[UInt8]] {
        switch dialect {
        case .appSync:
            (errors.isEmpty ? [] : [RealtimeFrame.error(id: id, errors: errors).bytes])
                + [RealtimeFrame.complete(id: id).bytes]
        case .transport:
            [
                errors.isEmpty
                    ? GraphQLTransportFrame.complete(id: id).bytes
                    : GraphQLTransportFrame.error(id: id, errors: errors).bytes
            ]
        }
    }

    /// What a change is to it: the row as its subscriber sees it, or nil where it is not for him. Rights come first, so
    /// that a filter never learns of a row or a field it may not.
    func take(_ change: CommittedChange, _ model: ModelSchema) -> (row: HubRow, hidden: Hidden)? {
        // Something of the row may stay his to see; his copy of it goes with the key.
        if let departed = change.departed, !sight.named.allows(change.row.values), sight.named.allows(departed.values) {
            return matching(departed, model)
        }
        if sight.rows.allows(change.row.values) {
            if let taken = matching(change.row, model) { return taken }
            // Who asks for it is shown the change by which a row leaves his filter.
            guard request.asksLeft, let before = change.before, sight.rows.allows(before.values),
                matching(before, model) != nil
            else { return nil }
            return shown(change.row)
        }
        guard let departed = change.departed, sight.rows.allows(departed.values) else { return nil }
        return matching(departed, model)
    }

    private func shown(_ row: HubRow) -> (row: HubRow, hidden: Hidden) {
        sight.isClear ? (row, .nothing) : sight.shown(row)
    }

    private func matching(_ row: HubRow, _ model: ModelSchema) -> (row: HubRow, hidden: Hidden)? {
        let shown = shown(row)
        guard arguments.allSatisfy({ $0.matches(shown.row.values) }), filter.matches(shown.row, model) else {
            return nil
        }
        return shown
    }
}

/// An argument of a subscription that is named as a field: what the field must hold.
enum ArgumentRule: Sendable, Hashable {
    case named(RowRule)
    /// An explicit null: the field is missing.
    case missing(Int)

    /// The field's position.
    var position: Int {
        switch self {
        case .named(let rule): rule.position
        case .missing(let position): position
        }
    }

    func matches(_ values: [Value]) -> Bool {
        switch self {
        case .named(let rule): rule.matches(values)
        case .missing(let position): values[position].isNull
        }
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
    /// The client did not offer a subprotocol that the hub speaks.
    case noProtocol
}
