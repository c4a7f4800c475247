import AppSync
import Basics
import GraphQL
import Models

extension SubscriptionRegistry {
    /// Goes on over a core with another schema: connections stay, and each subscription is started anew from its document.
    ///
    /// One that the new schema does not know is ended with the reason, as `error` and `complete`. One that shows other rows
    /// or fields than before, because the rules are others, is ended with `complete` alone, so that its client starts it
    /// again and syncs.
    mutating func succeed(_ next: HubCore) -> [RealtimeAction] {
        let models = core.engine.schema.models
        let members = groups.values.flatMap { group in group.members.map { (member: $0, model: models[group.model]) } }
            .sorted { ($0.member.connection, $0.member.id) < ($1.member.connection, $1.member.id) }
        core = next
        groups = [:]
        keysByRoot = [:]
        memory = SubscriptionMemory()
        for number in connections.keys { connections[number]?.subscriptions = [:] }
        var actions: [RealtimeAction] = []
        for (member, model) in members {
            var ending: [[UInt8]]?
            do throws(StartFailure) {
                if try !startAnew(member, model) { ending = member.ending([]) }
            } catch {
                ending = member.ending(error.errors)
            }
            for frame in ending ?? [] { actions.append(.send(to: [member.connection], frame: frame)) }
        }
        return actions
    }

    /// Starts a subscription again; false where its subscriber would see other rows or fields than before.
    private mutating func startAnew(_ member: Subscription, _ model: ModelInfo) throws(StartFailure) -> Bool {
        var body: JSONObject = [
            "query": .string(member.request.document.text), "variables": .object(member.request.given),
        ]
        if let name = member.request.operation.name { body["operationName"] = .string(name) }
        if member.request.asksLeft { body["extensions"] = ["bincount": .object([WireExtension.left: true])] }
        let request = try runnable(
            JSONValue.object(body).bytes, member.request.rights.caller, on: member.connection)
        if let field = request.operation.roots(request.variables.json).first,
            case .root(let root) = field.definition.source
        {
            let sight = request.rights.sight(root.model, .listen)
            let now = core.engine.schema.models[root.model]
            // Without any right `subscribe` says so itself.
            if !sight.rows.isNone, sight.fingerprint(now) != member.sight.fingerprint(model) { return false }
        }
        try subscribe(member.connection, member.id, request)
        return true
    }
}
